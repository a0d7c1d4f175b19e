"""What a model may change: every rule on the edits themselves, whatever the prompt asked for."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from selfimprover import edits as edit_rules
from selfimprover.domain import Edit
from selfimprover.drafting.added_tests import faults_of_test
from selfimprover.drafting.answers import NewTest
from selfimprover.drafting.functions import parse_text
from selfimprover.drafting.imports import unknown_imports
from selfimprover.drafting.network import reached
from selfimprover.drafting.recipes.source import is_test
from selfimprover.drafting.swallowing import swallowed
from selfimprover.drafting.tree_text import read_text
from selfimprover.drafting.weakening import weakened
from selfimprover.errors import RefusedError
from selfimprover.redaction import is_redacted


def check_permitted(
    edits: Sequence[Edit], test: NewTest | None, allow: Sequence[str] = ("**",), deny: Sequence[str] = ()
) -> None:
    """Raises ``RefusedError`` if a draft with these edits and this test must not be proposed by a machine.

    Paths, permissions, hidden characters and sizes are those of ``edits.check``. ``allow`` is for the code: the test
    may lie wherever nothing denies it.
    """
    if not edits:
        raise RefusedError("the draft changes nothing")
    for edit in edits:
        if edit.after is None:
            raise RefusedError(f"needs a person: {edit.path} would be deleted")
    edit_rules.check(edits, allow, deny)
    if test is not None:
        edit_rules.check([*edits, Edit(test.path, None, test.text)], (*allow, test.path), deny)


def faults(edits: Sequence[Edit], test: NewTest | None, tree: Path, error_type: str | None = None) -> tuple[str, ...]:
    """What the model has to do otherwise, one sentence each; empty if nothing.

    ``error_type``: the short name of the error that is to be fixed.
    """
    try:
        return tuple(dict.fromkeys(_faults(edits, test, tree, error_type)))
    except RecursionError:
        return ("the changed code is nested too deeply to be judged",)


def _faults(edits: Sequence[Edit], test: NewTest | None, tree: Path, error_type: str | None) -> Iterator[str]:
    added = () if test is None else (Edit(test.path, None, test.text),)
    yield from _unreadable(edits)
    yield from swallowed(edits, error_type)
    yield from unknown_imports([*edits, *added], tree)
    yield from weakened(edits)
    yield from reached([*edits, *added])
    yield from _placeholders([*edits, *added])
    if all(is_test(edit.path) for edit in edits):
        yield "only tests are changed: the code itself must be"
    if test is not None:
        yield from _not_new(test, edits, tree) or faults_of_test(test.path, test.text)


def _placeholders(edits: Sequence[Edit]) -> Iterator[str]:
    """Lines with a placeholder: what stands there in the file is something else, and stays."""
    for edit in edits:
        if is_redacted(edit_rules.added_lines([edit])):
            yield f"{edit.path} would hold a mark [REDACTED…] that stands for a secret: leave such lines as they are"


def _unreadable(edits: Sequence[Edit]) -> list[str]:
    """Python files that could be read before the change and cannot be now."""
    python = [edit for edit in edits if edit.after is not None and edit.path.endswith(".py")]
    broken = (edit for edit in python if not _parses(edit.after or "") and _parses(edit.before or ""))
    return [f"{edit.path} cannot be read as Python any more" for edit in broken]


def _parses(text: str) -> bool:
    return parse_text(text) is not None


def _not_new(test: NewTest, edits: Sequence[Edit], tree: Path) -> tuple[str, ...]:
    try:
        present = read_text(tree, test.path)
    except RefusedError as error:
        return (str(error),)
    if present is not None or any(edit.path == test.path for edit in edits):
        return (f"{test.path} exists: the test must be a new file",)
    return ()
