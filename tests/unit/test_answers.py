"""Answers of models: each usual shape is read, what could mean two things comes back with words for the model."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.drafting.answer_form import ANSWER_FORM, RISKS
from selfimprover.drafting.answers import (
    MAX_ANSWER,
    MAX_BLOCKS,
    CannotFix,
    NewTest,
    NotCode,
    Proposal,
    Unreadable,
    read_answer,
)
from selfimprover.drafting.blocks import Block, FunctionBlock
from tests.unit.answer_cases import BLOCK, FAMILIES, HEAD, PLAIN, REPLACE, SEARCH, TEST, TEST_BLOCK


def proposal(answer: str) -> Proposal:
    found = read_answer(answer)
    assert isinstance(found, Proposal), found
    return found


def why(answer: str) -> str:
    found = read_answer(answer)
    assert isinstance(found, Unreadable), found
    return found.why


@pytest.mark.parametrize("family", FAMILIES)
def test_every_shape_of_an_answer_means_the_same_fix(family: str) -> None:
    found = proposal(FAMILIES[family])

    assert found.blocks == (Block("shop/mailbox.py", (SEARCH,), (REPLACE,)),)
    assert found.reproduction is not None
    assert found.reproduction == NewTest("tests/test_sender.py", found.reproduction.text)
    assert found.reproduction.text.removeprefix("# tests/test_sender.py\n") == TEST
    assert found.root_cause == "The header is absent in drafts, so get gives None."
    assert found.evidence == (
        "shop/mailbox.py:12: a method is called on what get returns",
        "shop/drafts.py:30: drafts have no such header",
    )
    assert (found.title, found.summary) == (
        "Read a mail without sender as one of nobody",
        "absent sender read as empty",
    )
    assert found.risk == "defensive-check"
    assert found.may_hide == ("A mail that lost its header is not noticed here.",)


def test_the_example_of_the_prompt_is_an_answer_itself() -> None:
    found = proposal(ANSWER_FORM[ANSWER_FORM.index("Example of a whole answer:") :])

    assert found.root_cause.startswith("Mailbox.sender takes")
    assert [block.path for block in found.blocks] == ["shop/mailbox.py"]
    assert found.reproduction is not None
    assert all(risk in ANSWER_FORM for risk in RISKS)


def test_blocks_keep_their_order_their_file_and_every_character() -> None:
    second = "<<<<<<< SEARCH\n\tif x:\u2028\n=======\n\tif y:  \n\n>>>>>>> REPLACE\n"

    found = proposal(f"{HEAD}CHANGES:\na.py\n{BLOCK}\nand further down\n{second}\nb/c.py\n{second}")

    assert found.blocks == (
        Block("a.py", (SEARCH,), (REPLACE,)),
        Block("a.py", ("\tif x:\u2028",), ("\tif y:  ", "")),
        Block("b/c.py", ("\tif x:\u2028",), ("\tif y:  ", "")),
    )
    assert found.reproduction is None


def test_a_function_is_replaced_by_its_name() -> None:
    code = "<<<<<<< FUNCTION {}\ndef f():\n    return 1\n>>>>>>> REPLACE\n"

    found = proposal(f"{HEAD}CHANGES:\na.py\n{code.format('Box.f')}{code.format('b/c.py::f()')}")

    lines = ("def f():", "    return 1")
    assert found.blocks == (FunctionBlock("a.py", "Box.f", lines), FunctionBlock("b/c.py", "f", lines))


def test_markers_inside_of_code_are_code_if_those_of_the_block_are_longer() -> None:
    code = "<<<<<<< SEARCH\nTitle\n=======\n>>>>>>> REPLACE"

    found = proposal(f"{HEAD}CHANGES:\na.rst\n<<<<<<<<< SEARCH\n{code}\n=========\nx\n>>>>>>>>> REPLACE\n")

    assert found.blocks == (Block("a.rst", tuple(code.split("\n")), ("x",)),)


def test_headings_tags_and_tokens_inside_of_code_are_code() -> None:
    code = "ROOT CAUSE: x\n</think>\n<|im_end|>\n```\nCANNOT FIX: y\nTEST: z.py"

    found = proposal(f"{HEAD}CHANGES:\na.py\n<<<<<<< SEARCH\n{code}\n=======\n{code}!\n>>>>>>> REPLACE\n")

    assert found.blocks == (Block("a.py", tuple(code.split("\n")), tuple(f"{code}!".split("\n"))),)


def test_conflict_marks_of_git_are_no_blocks() -> None:
    assert "no block" in why(f"{HEAD}CHANGES:\na.py\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "empty"),
        ("I'm sorry, but I can't help with that.", "no block"),
        ('{"edits": [{"path": "a.py", "search": "x"}]}', "JSON"),
        ('```json\n{"root_cause": "' + "x" * 100, "JSON"),
        ("[" * 10_000, "JSON"),
        (f"{HEAD}CHANGES:\n```diff\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n```\n", "diff"),
        ("diff --git a/a.py b/a.py\n@@ -1 +1 @@", "diff"),
        (f"{HEAD}CHANGES:\na.py\n```python\nimport os\n\nprint(os)\n```\n", "whole code without markers"),
        (f"{HEAD}CHANGES:\na.py\n{BLOCK}b.py\n```python\nx = 1\n```\n", "b.py is given as a whole"),
        (f"{HEAD}CHANGES:\n{BLOCK}", "names no file"),
        (f"{HEAD}CHANGES:\na.py\n{BLOCK}TEST:\n{TEST_BLOCK}", "names no file"),
        (PLAIN[: PLAIN.index(">>>>>>>")], "has no end: the line >>>>>>> REPLACE is missing."),
        (PLAIN.replace(">>>>>>> REPLACE\nTEST", "TEST", 1), "is missing before the next block in line 20"),
        (PLAIN.replace("=======\n", "", 1), "no line ======="),
        (PLAIN.replace("=======\n", "=======\n=======\n", 1), "2 lines that could divide it"),
        ("<think>\nLet me see. " + "x" * 5000, "inside the thinking"),
        (f"<think>\n{PLAIN}", "inside the thinking"),
        (f"{HEAD}TEST:\ntests/test_a.py\n{TEST_BLOCK}", "no block that changes the code"),
        (f"{HEAD}CHANGES:\na.py\n{BLOCK}TEST:\ntests/test_a.py\n{BLOCK}", "must be one new file"),
        (f"{PLAIN}tests/test_b.py\n{TEST_BLOCK}", "several new test files"),
        (f"CHANGES:\na.py\n{BLOCK}", "no ROOT CAUSE"),
        (f"CANNOT FIX: the file is missing\n{PLAIN}", "decide for one"),
    ],
)
def test_what_cannot_be_taken_says_why(answer: str, said: str) -> None:
    text = why(answer)

    assert said in text
    assert text.endswith("Send the whole answer again as plain text in the form that was asked for.")
    assert len(text) < 600


def test_an_answer_has_a_size() -> None:
    begun = time.perf_counter()

    assert "longer than" in why("x" * 50_000_000)
    assert "longer than" in why("\n" * (MAX_ANSWER - 10))
    many = "".join(f"<<<<<<< SEARCH\n{n}\n=======\nx\n>>>>>>> REPLACE\n" for n in range(10_000))
    assert "more than" in why(
        f"{HEAD}CHANGES:\na.py\n" + "".join(many.splitlines(keepends=True)[: 5 * (MAX_BLOCKS + 1)])
    )
    assert "longer than" in why(f"{HEAD}CHANGES:\na.py\n{many}")
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "evil",
    [
        "</think>" * 40_000,
        "<<<<<<< SEARCH\n" * 15_000,
        "```\n" * 18_000,
        "```python\n" * 18_000,
        "````a\n```\n" * 9_000,
        "**" * 150_000,
    ],
)
def test_no_answer_takes_long(evil: str) -> None:
    begun = time.perf_counter()

    read_answer(evil)
    read_answer(HEAD + "CHANGES:\na.py\n" + evil)

    assert time.perf_counter() - begun < 5


def test_a_verdict_instead_of_a_fix() -> None:
    assert read_answer("CANNOT FIX: the class is not in the tree") == CannotFix("the class is not in the tree")
    assert read_answer("<think>x</think>\n**CANNOT FIX:**\nno\nsource\n") == CannotFix("no\nsource")
    assert read_answer("I looked twice. I cannot fix: no source.") == CannotFix("no source.")
    assert read_answer(
        "## Not a code problem: the gateway is down\nOWNER: **whoever runs it**\nWATCH: 502 from us"
    ) == NotCode("the gateway is down", "whoever runs it", "502 from us")
    assert proposal(PLAIN + "CANNOT FIX: none\nNOT A CODE PROBLEM: n/a").title


def test_what_is_missing_but_not_needed_is_filled_in_with_care() -> None:
    found = proposal(f"The header is absent.\n\na.py\n{BLOCK}")

    assert (found.title, found.summary, found.root_cause) == (
        "Change a.py",
        "change of code",
        "The header is absent.\n\na.py",
    )
    assert found.risk == "logic"
    assert found.may_hide == found.evidence == ()


@pytest.mark.parametrize(
    ("said", "risk"),
    [
        ("retry", "retry"),
        ("**Defensive check** (small)", "defensive-check"),
        ("typo or logic", "logic"),
        ("low", "logic"),
    ],
)
def test_the_risk_is_one_that_is_known_or_the_strictest(said: str, risk: str) -> None:
    assert proposal(PLAIN.replace("RISK: defensive-check", f"RISK: {said}")).risk == risk


def test_what_nobody_sees_and_what_is_too_long_does_not_get_into_the_words() -> None:
    found = proposal(
        PLAIN.replace("TITLE: Read", "TITLE: R\u202ee\u200bad\x1b" + "!" * 5000).replace("- A mail", "- A mail\n" * 999)
    )

    assert found.title.startswith("Read!!!")
    assert len(found.title) <= 120
    assert len(found.may_hide) <= 20


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/etc/passwd",
            "../x.py",
            "a/../../x.py",
            ".git/config",
            ".GIT/hooks/x",
            "a\\..\\x.py",
            "a\0/b.py",
            "a/" * 2048 + "x.py",
        ),
        *("C:/x.py", "~/.ssh/x.y", "a/CON.py"),
    ],
)
def test_a_path_is_handed_on_as_it_is_for_the_rules_to_refuse(path: str) -> None:
    found = read_answer(f"{HEAD}CHANGES:\n{path}\n{BLOCK}")

    assert isinstance(found, Proposal)
    assert found.blocks[0].path == path


_LINES = st.lists(
    st.sampled_from(
        [
            *(
                "<<<<<<< SEARCH",
                "<<<<<<< FUNCTION f",
                "=======",
                ">>>>>>> REPLACE",
                "```",
                "```python",
                "a.py",
                "code",
                "",
            ),
            *(
                "ROOT CAUSE: x",
                "TEST:",
                "<think>",
                "</think>",
                "CANNOT FIX: y",
                "NOT A CODE PROBLEM: z",
                "<|im_end|>",
                "{",
            ),
        ]
    )
    | st.text(max_size=20),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(_LINES)
def test_any_text_is_read_without_an_accident(lines: list[str]) -> None:
    found = read_answer("\n".join(lines))

    assert isinstance(found, Proposal | CannotFix | NotCode | Unreadable)
    if isinstance(found, Proposal):
        assert found.blocks
        assert all(block.path for block in found.blocks)


_CODE = st.lists(
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30), max_size=6
).filter(
    lambda lines: (
        not any(
            line.lstrip()[:5] in {"<<<<<", "=====", ">>>>>", "-----", "+++++", "`````"} or "```" in line
            for line in lines
        )
    )
)


@settings(max_examples=200, deadline=None)
@given(_CODE, _CODE)
def test_code_comes_out_of_a_block_as_it_was_put_in(search: list[str], replace: list[str]) -> None:
    block = "\n".join(["<<<<<<< SEARCH", *search, "=======", *replace, ">>>>>>> REPLACE"])

    found = proposal(f"{HEAD}CHANGES:\na.py\n{block}\n")

    assert found.blocks == (Block("a.py", tuple(search), tuple(replace)),)
