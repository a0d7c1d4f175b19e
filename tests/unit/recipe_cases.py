"""Projects and findings for the tests of the recipes."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from selfimprover.domain import Baseline, DayCount, Draft, Finding, Fingerprint, TaskRecord, Window

AT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
ROOT = "/srv/app"


def project(tree: Path, files: Mapping[str, str]) -> Path:
    """Writes the files exactly as they are given."""
    for path, text in files.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return tree


def frame(tree: Path, path: str, snippet: str, function: str, *, shown: bool = True) -> str:
    """The two lines a traceback prints for the first line of the file that holds ``snippet``."""
    lines = (tree / path).read_text(encoding="utf-8").splitlines()
    number = next(at for at, line in enumerate(lines, start=1) if snippet in line)
    head = f'  File "{ROOT}/{path}", line {number}, in {function}\n'
    return head + (f"    {lines[number - 1].strip()}\n" if shown else "")


def traceback_of(frames: Sequence[str], error: str) -> str:
    return "".join(["Traceback (most recent call last):\n", *frames, error, "\n"])


def finding(error: str, traceback: str | None, *, tasks: int = 40, failures: int = 4, succeeded: int = 36) -> Finding:
    day = DayCount(date(2026, 2, 15), tasks, failures)
    sample = TaskRecord(project="app", id="t-7", status="failed", created_at=AT, error=error, traceback=traceback)
    return Finding(
        id="0123456789ab",
        kind="repeated_error",
        fingerprint=Fingerprint("0123456789abcdef", 1, error.partition(":")[0], None, error),
        title=error,
        occurrences=failures,
        first_seen=AT,
        last_seen=AT,
        projects=("app",),
        baseline=Baseline(
            window=Window(AT, AT),
            kinds=("imap.poll",),
            tasks=tasks,
            failures=failures,
            succeeded=succeeded,
            daily=(day,),
        ),
        samples=(sample,),
    )


def failing(tree: Path, path: str, snippet: str, function: str, error: str) -> Finding:
    """A finding whose traceback has this one frame in the project."""
    return finding(error, traceback_of([frame(tree, path, snippet, function)], error))


def after(draft: Draft) -> str:
    (edit,) = draft.edits
    assert edit.after is not None
    return edit.after


def removed_lines(draft: Draft) -> list[str]:
    """The lines, with their newlines, that the draft does not keep."""
    (edit,) = draft.edits
    old, new = (edit.before or "").splitlines(keepends=True), (edit.after or "").splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        line
        for tag, start, end, _, _ in matcher.get_opcodes()
        if tag in {"replace", "delete"}
        for line in old[start:end]
    ]


def is_kept(old: str, new: str) -> bool:
    """Whether every line of ``old`` is still in ``new``, in order."""
    rest = iter(new.splitlines(keepends=True))
    return all(any(line == other for other in rest) for line in old.splitlines(keepends=True))


def run(text: str) -> dict[str, Any]:
    """The names that a module of this text defines."""
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text.removeprefix("\ufeff"), "generated.py", "exec"), names)
    return names
