"""Lines whose secret a model was not shown: it is told which they are, and no placeholder gets into a file."""

from dataclasses import replace
from pathlib import Path

import pytest

from selfimprover.drafting import hidden
from selfimprover.drafting.blocks import Block, FunctionBlock, Misfit, apply_blocks
from selfimprover.drafting.context import Context, Part
from selfimprover.drafting.llm import prompt
from selfimprover.drafting.looking import MAX_ANSWER, Looker
from selfimprover.redaction import Redactor
from tests.unit.context_cases import case

SECRET = "a8f5f167f44f4964e6c998dee827110c"
FILE = f'import os\n\nAPI_KEY = "{SECRET}"\n\n\ndef ask():\n    return API_KEY\n'
REDACT = Redactor(b"key").code
SHOWN = REDACT(FILE)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(FILE)
    return tmp_path


def told(tree: Path, *blocks: Block | FunctionBlock) -> str:
    found = apply_blocks(blocks, tree)
    assert isinstance(found, Misfit)
    return found.why


def test_only_the_line_with_the_secret_is_hidden() -> None:
    assert [line for line in SHOWN.splitlines() if line not in FILE.splitlines()] == [
        line for line in SHOWN.splitlines() if hidden.PLACEHOLDER.search(line)
    ]
    assert SECRET not in SHOWN


def test_a_block_that_quotes_a_hidden_line_is_answered_with_its_number(tree: Path) -> None:
    quoted = tuple(SHOWN.splitlines()[:3])

    why = told(tree, Block("app.py", quoted, (*quoted, "import json")))

    assert "line 3 was redacted; leave it out of the block" in why
    assert SECRET not in why


def test_a_hidden_line_that_is_found_nowhere_is_told_by_its_place_in_the_block(tree: Path) -> None:
    search = ("import os", 'OTHER = "[REDACTED:secret:0a1b2c]"')

    assert "line 2 of its SEARCH was redacted" in told(tree, Block("app.py", search, ("import os",)))


@pytest.mark.parametrize(
    "block",
    [
        Block("app.py", ("import os",), ("import os", 'KEY = "[REDACTED:secret:0a1b2c]"')),
        FunctionBlock("app.py", "ask", ("def ask():", '    return "[REDACTED:secret:0a1b2c]"')),
    ],
    ids=["lines", "function"],
)
def test_no_placeholder_is_written_into_a_file(tree: Path, block: Block | FunctionBlock) -> None:
    assert "stands for a secret that you were not shown" in told(tree, block)


def test_blocks_beside_a_hidden_line_fit(tree: Path) -> None:
    assert not isinstance(apply_blocks([Block("app.py", ("import os",), ("import json",))], tree), Misfit)


def test_a_file_that_speaks_of_placeholders_itself_is_edited_like_any_other(tree: Path) -> None:
    line = 'shown = "[REDACTED:secret:0a1b2c]"'
    (tree / "test_app.py").write_text(f"{line}\nx = 1\n")

    assert not isinstance(apply_blocks([Block("test_app.py", (line, "x = 1"), (line, "x = 2"))], tree), Misfit)
    assert not isinstance(apply_blocks([Block("test_new.py", (), (line,))], tree), Misfit)


def test_the_prompt_says_so_if_a_line_is_hidden_and_only_then() -> None:
    found = case("boom")
    context = Context((Part("frame", "app.py:1-7", SHOWN, 1),), (), 10)
    harmless = Context((Part("frame", "app.py:1-7", "import os", 1), Part("finding", "it", SHOWN, 1)), (), 10)

    assert hidden.NOTE in prompt.opening(found, context, None, "mark")[1].content
    assert hidden.NOTE not in prompt.opening(found, harmless, None, "mark")[1].content
    assert hidden.NOTE not in prompt.opening(found, replace(context, parts=()), None, "mark")[1].content


@pytest.mark.parametrize("ask", [("read_file", {"path": "app.py"}), ("search", {"pattern": "API_KEY ="})])
def test_an_answer_to_a_look_says_so(tree: Path, ask: tuple[str, dict[str, object]]) -> None:
    answer = Looker(tree, REDACT).answer(*ask)

    assert hidden.NOTE in answer
    assert SECRET not in answer


def test_an_answer_that_is_cut_still_says_so(tree: Path) -> None:
    (tree / "long.py").write_text(FILE + "x = 'a long line of code'\n" * 2_000)
    shown = Looker(tree, lambda text: REDACT(text).replace("long line", "long " * 9)).answer(
        "read_file", {"path": "long.py", "last_line": 400}
    )

    assert hidden.NOTE in shown
    assert len(shown) <= MAX_ANSWER
