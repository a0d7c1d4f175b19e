"""Which of the changed lines the tests ran: what can be run, what was seen, and how it is put into words."""

import difflib
import json
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import CodeType

from selfimprover.domain import Check, CheckStatus, Edit, LineCount
from selfimprover.parsing import compiled

_SOURCE = Path(__file__).with_name("inside") / "lines" / "sitecustomize.py"
_MAX_BYTES = 10_000_000


def install(tools: Path, tree: Path, into: Path, edits: Sequence[Edit]) -> None:
    """Puts the hook into ``tools``; it will write beneath ``into``."""
    shutil.copyfile(_SOURCE, tools / _SOURCE.name)
    files = {os.path.realpath(tree / edit.path): number for number, edit in enumerate(edits)}
    plan = {"sink": str(into / "lines"), "files": files}
    (tools / "selfimprover_lines.json").write_text(json.dumps(plan), encoding="utf-8")


def read_seen(folder: Path, edits: Sequence[Edit]) -> frozenset[tuple[str, int]]:
    """The lines that were noted, as ``(path, number)``. Code under test can write that file, and anything in it."""
    try:
        descriptor = os.open(folder / "lines", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return frozenset()
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(_MAX_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    return frozenset(_noted(content, edits))


def _noted(content: bytes, edits: Sequence[Edit]) -> Iterator[tuple[str, int]]:
    for line in content.split(b"\n"):
        words = line.split(b" ")
        if len(words) == 2 and all(word.isdigit() and len(word) < 9 for word in words):  # noqa: PLR2004
            number, at = map(int, words)
            if number < len(edits):
                yield edits[number].path, at


def changed(edits: Sequence[Edit]) -> frozenset[tuple[str, int]]:
    """The lines that are new or different and that Python could stop at."""
    return frozenset(
        (edit.path, line)
        for edit in edits
        if edit.path.endswith(".py") and edit.after is not None
        for line in _new_lines(edit.before or "", edit.after) & _executable(edit.after)
    )


def _new_lines(before: str, after: str) -> set[int]:
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return {
        line + 1
        for tag, _, _, start, end in matcher.get_opcodes()
        if tag in {"insert", "replace"}
        for line in range(start, end)
    }


def _executable(text: str) -> set[int]:
    try:
        codes = [compiled(text, "<draft>")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[int] = set()
    for code in codes:
        found.update(line for _, _, line in code.co_lines() if line)
        codes.extend(inner for inner in code.co_consts if isinstance(inner, CodeType))
    return found


def judged(wanted: Collection[tuple[str, int]], seen: Collection[tuple[str, int]]) -> tuple[Check, LineCount | None]:
    """What a verdict says of the changed lines. It fails nothing: code without a test may be right."""
    if not wanted:
        return _check(CheckStatus.SKIPPED, "no changed line is Python that can run"), None
    files = {path for path, _ in wanted}
    if not any(path in files for path, _ in seen):
        return _check(CheckStatus.SKIPPED, "it could not be told which of the changed lines the tests ran"), None
    counted = LineCount(len(set(wanted) & set(seen)), len(wanted))
    at_least = "" if counted.run == counted.total else "at least "
    return _check(
        CheckStatus.PASSED, f"the tests ran {at_least}{counted.run} of {counted.total} changed lines"
    ), counted


def _check(status: CheckStatus, detail: str) -> Check:
    return Check(name="lines", status=status, detail=detail)
