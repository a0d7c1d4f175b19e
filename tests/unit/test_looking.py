"""What a model may look at: inside the tree, in bounded answers, and never an exception."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprover.drafting.looking import MAX_ANSWER, TOOLS, Look, Looker, parse_looks
from tests.unit.context_cases import assistant

SECRET = "hunter2"


def looker(tree: Path) -> Looker:
    return Looker(tree, lambda text: text.replace(SECRET, "[…]"))


def test_lines_of_a_file_are_read_with_a_head_that_counts_them(tmp_path: Path) -> None:
    answer = looker(assistant(tmp_path)).answer(
        "read_file", {"path": "assistant/mail.py", "first_line": 6, "last_line": 7}
    )

    assert answer == 'assistant/mail.py, lines 6 to 7 of 22\nclass MailAgent:\n    """Answers mails."""'


def test_a_long_file_is_cut_and_the_head_says_where(tmp_path: Path) -> None:
    tree = assistant(tmp_path, **{"long.py": "".join(f"x{n} = {n}\n" for n in range(5_000))})

    answer = looker(tree).answer("read_file", {"path": "long.py", "first_line": 1, "last_line": 5_000})

    assert answer.startswith("long.py, lines 1 to 400 of 5000, not further to 5000")


def test_lines_without_end_are_cut(tmp_path: Path) -> None:
    tree = assistant(tmp_path, **{"long.js": "\n".join("x" * 1_000 for _ in range(300))})

    answer = looker(tree).answer("read_file", {"path": "long.js", "last_line": 300})

    assert len(answer) <= MAX_ANSWER
    assert "[600 more characters]" in answer


def test_a_search_is_for_literal_text_and_whole_words(tmp_path: Path) -> None:
    tree = assistant(tmp_path, **{"x.py": "mails = 1\nmail = (2)\n"})

    assert (
        looker(tree).answer("search", {"pattern": "mail", "glob": "x.py", "whole_word": True}) == "x.py:2: mail = (2)"
    )
    assert looker(tree).answer("search", {"pattern": "= (", "glob": "*.py"}) == "x.py:2: mail = (2)"
    assert "No line holds 'm.il'" in looker(tree).answer("search", {"pattern": "m.il"})


def test_many_hits_are_cut_with_a_note(tmp_path: Path) -> None:
    tree = assistant(tmp_path, **{f"p/m{n}.py": "same\n" * 30 for n in range(50)})

    answer = looker(tree).answer("search", {"pattern": "same"})

    assert "p/m0.py: 20 more lines" in answer
    assert "narrow the glob" in answer


def test_files_are_listed_by_glob(tmp_path: Path) -> None:
    tree = assistant(tmp_path)

    assert looker(tree).answer("list_files", {"glob": "docs/**"}) == "docs/errors.md"
    assert "tests/test_mail.py" in looker(tree).answer("list_files", {})


@pytest.mark.parametrize("name", ["MailAgent.sender", "sender", "sender()"])
def test_a_definition_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    answer = looker(assistant(tmp_path)).answer("find_definition", {"name": name})

    assert answer.startswith("assistant/mail.py, lines 18 to 22: MailAgent.sender\n    def sender(self, mail):")


def test_secrets_are_not_shown_and_not_found(tmp_path: Path) -> None:
    tree = assistant(tmp_path, **{"x.py": f"KEY = '{SECRET}'\n"})

    assert SECRET not in looker(tree).answer("read_file", {"path": "x.py"})
    assert "x.py" not in looker(tree).answer("search", {"pattern": SECRET[:6]})


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("run", {"command": "ls"}, "no tool 'run'"),
        ("read_file", {}, "path is missing"),
        ("read_file", {"path": 3}, "must be a text"),
        ("read_file", {"path": "../x"}, "no file of the project"),
        ("read_file", {"path": "/etc/passwd"}, "no file of the project"),
        ("read_file", {"path": "link.py"}, "no file of the project"),
        ("read_file", {"path": "old/mail.py"}, "there is assistant/mail.py"),
        ("read_file", {"path": "assistant/mail.py", "first_line": 900}, "has 22 lines"),
        ("read_file", {"path": "assistant/mail.py", "first_line": 0}, "counts from 1"),
        ("read_file", {"path": "assistant/mail.py", "first_line": True}, "must be a whole number"),
        ("search", {"pattern": "a\nb"}, "within one line"),
        ("search", {"pattern": "x" * 301}, "longer than"),
        ("search", {"pattern": "x", "regex": "y"}, "takes pattern, glob, whole_word"),
        ("find_definition", {"name": "a b"}, "by a name"),
    ],
)
def test_a_bad_request_is_answered_in_one_line(tmp_path: Path, name: str, arguments: dict[str, Any], said: str) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(SECRET)
    tree = assistant(tmp_path / "tree")
    (tree / "link.py").symlink_to(outside)

    answer = looker(tree).answer(name, arguments)

    assert answer.startswith("Not possible: ")
    assert said in answer
    assert "\n" not in answer


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=40), st.lists(st.integers(), max_size=2))
NAMES = st.one_of(st.text(max_size=10), st.sampled_from(["read_file", "search", "list_files", "find_definition"]))
KEYS = st.sampled_from(["path", "first_line", "last_line", "pattern", "glob", "whole_word", "name", "other"])


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, arguments=st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_request_gets_a_bounded_answer(tmp_path: Path, name: str, arguments: dict[str, object]) -> None:
    tree = tmp_path / "tree"
    if not tree.exists():
        assistant(tree)

    assert 0 < len(looker(tree).answer(name, arguments)) <= MAX_ANSWER


def test_requests_are_read_from_plain_text() -> None:
    answer = (
        "I need more.\nLOOK read_file assistant/mail.py 1-80\n- LOOK read_file a.py 7\n"
        'LOOK search "raise Bad" assistant/**\n`LOOK list_files docs/*`\n'
        "LOOK find_definition MailAgent.sender\nLOOKING on"
    )

    assert parse_looks(answer) == (
        Look("read_file", {"path": "assistant/mail.py", "first_line": 1, "last_line": 80}),
        Look("read_file", {"path": "a.py", "first_line": 7, "last_line": 7}),
        Look("search", {"pattern": "raise Bad", "glob": "assistant/**"}),
        Look("list_files", {"glob": "docs/*"}),
        Look("find_definition", {"name": "MailAgent.sender"}),
    )


@pytest.mark.parametrize("line", ["LOOK read_file", "LOOK read_file a.py some lines", "LOOK shell rm", "LOOK search"])
def test_a_line_that_makes_no_sense_is_answered_too(tmp_path: Path, line: str) -> None:
    (look,) = parse_looks(line)

    assert looker(assistant(tmp_path)).answer(look.name, look.arguments).startswith("Not possible: ")


@given(st.text(alphabet="LOK \n`'\"-1a*", max_size=200))
def test_any_answer_is_read(text: str) -> None:
    assert len(parse_looks(text)) <= 8
    assert len(parse_looks("LOOK x\n" * 50 + text)) == 8


def test_every_tool_is_described_and_known(tmp_path: Path) -> None:
    here = looker(assistant(tmp_path))

    for tool in TOOLS:
        function: Any = tool["function"]
        answer = here.answer(function["name"], dict.fromkeys(function["parameters"]["properties"]))
        assert "no tool" not in answer
        assert "takes" not in answer
