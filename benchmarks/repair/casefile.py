"""Case folders: what a night is shown, what its draft is judged by, and what it should have come to.

A case is a folder with ``case.toml``, a tree (``tree/``, ``tree.tar.gz`` or ``tree.bundle``), its telemetry
(``telemetry.jsonl`` or ``telemetry.db``) and ``hidden/``. ``README.md`` beside this file tells the format.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from selfimprover.errors import UsageError
from selfimprover.settings.model import COLUMNS

NIGHT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
"""The instant of a case that names none."""
TEST = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q -p no:cacheprovider"
"""The test command of a case that names none: whatever plugins lie about, it is the same, and quick to start."""
PATCH, NO_PATCH = "patch", "no patch"
_TREES = ("tree", "tree.tar.gz", "tree.bundle")
_TELEMETRY = ("telemetry.jsonl", "telemetry.db")
_KEYS = {"name", "expected", "error", "test", "at", "mends", "hidden_test", "config", "project", "about"}
_ROW_KEYS = {*COLUMNS, "days_ago", "times"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case as its folder describes it."""

    name: str
    folder: Path
    tree: Path
    telemetry: Path
    expected: str = PATCH
    """``patch``, or ``no patch`` where the right answer is to change nothing."""
    error: str | None = None
    """The type of the error whose finding is judged; ``None``: the one that occurred most often."""
    test: str = TEST
    """The test command of the project, which the night proves by."""
    hidden_test: str = TEST
    """The test command that judges, in the patched tree with ``hidden/`` laid over it."""
    mends: tuple[str, ...] = ()
    """The ids of the tests that the fix is to mend; empty: found out by comparing runs."""
    at: datetime = NIGHT
    """The instant of the night; rows with ``days_ago`` count from it."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Laid over the configuration of the night."""
    project: Mapping[str, Any] = field(default_factory=dict)
    """Laid over its one project."""

    @property
    def hidden(self) -> Path:
        """The tests that no draft ever sees."""
        return self.folder / "hidden"

    @property
    def solution(self) -> Path:
        """A reference solution: whole files, laid over the tree. It need not exist, and no night sees it."""
        return self.folder / "solution"

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of ``telemetry.jsonl`` with ``id`` and ``created_at``."""
        for number, line in enumerate(self.telemetry.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                yield from self._rows(number, line)

    def _rows(self, number: int, line: str) -> Iterator[dict[str, Any]]:
        where = f"{self.telemetry}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"it is no JSON: {error}", where=where) from error
        if not isinstance(row, dict) or not row.keys() <= _ROW_KEYS:
            raise UsageError(f"a row is an object with keys among {', '.join(sorted(_ROW_KEYS))}", where=where)
        times, days_ago = row.pop("times", 1), row.pop("days_ago", None)
        if days_ago is None and "created_at" not in row:
            raise UsageError("it has neither days_ago nor created_at", where=where)
        for turn in range(times):
            when = {} if days_ago is None else {"created_at": _before(self.at, days_ago, turn)}
            yield {"id": f"{number}-{turn}", "status": "failed" if row.get("error") else "done", **row, **when}


def read_cases(folder: Path, names: tuple[str, ...] = ()) -> tuple[list[Case], list[tuple[str, str]]]:
    """The cases in ``folder``, or the one that it is, by name; and those that cannot be read, each with the reason.

    Raises ``UsageError`` where there is none at all, or none of a name that is asked for.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), mend="name a folder of cases")
    files = [folder / "case.toml"] if (folder / "case.toml").is_file() else sorted(folder.glob("*/case.toml"))
    if not files:
        raise UsageError("there is no case in it", where=str(folder), mend="a case is a folder with a case.toml")
    known = [file.parent.resolve().name for file in files]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"there is no case {unknown[0]!r}", where=str(folder), mend=f"known: {', '.join(known)}")
    order = [known.index(name) for name in names] or range(len(known))
    cases: list[Case] = []
    unread: list[tuple[str, str]] = []
    for position in order:
        try:
            cases.append(read_case(files[position].parent.resolve()))
        except UsageError as error:
            unread.append((known[position], str(error)))
    return cases, unread


def read_case(folder: Path) -> Case:
    """The case in ``folder``; raises ``UsageError`` if it is not one."""
    where = str(folder / "case.toml")
    try:
        said = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"it cannot be read: {error}", where=where) from error
    if unknown := sorted(said.keys() - _KEYS):
        raise UsageError(f"{unknown[0]!r} is not known; known: {', '.join(sorted(_KEYS))}", where=where)
    wrong = [name for name in _KEYS - {"config", "project", "mends", "at"} if not isinstance(said.get(name, ""), str)]
    wrong += [name for name in ("config", "project") if not isinstance(said.get(name, {}), dict)]
    if wrong:
        raise UsageError(f"{wrong[0]!r} has a value of the wrong kind", where=where)
    if not _NAME.fullmatch(folder.name) or said.get("name", folder.name) != folder.name:
        raise UsageError("its name is that of its folder: letters, digits, dots and dashes", where=where)
    expected = said.get("expected", PATCH)
    if expected not in {PATCH, NO_PATCH}:
        raise UsageError(f"expected is {PATCH!r} or {NO_PATCH!r}", where=where)
    case = Case(
        name=folder.name,
        folder=folder,
        tree=_one_of(folder, _TREES),
        telemetry=_one_of(folder, _TELEMETRY),
        expected=expected,
        error=said.get("error"),
        test=said.get("test", TEST),
        hidden_test=said.get("hidden_test", said.get("test", TEST)),
        mends=tuple(map(str, said.get("mends", ()))),
        at=NIGHT if "at" not in said else instant(said["at"], f"{where}: at"),
        config=said.get("config", {}),
        project=said.get("project", {}),
    )
    if expected == PATCH and not case.hidden.is_dir():
        raise UsageError("there is no hidden/, so nothing could judge a fix", where=str(folder))
    return case


def _one_of(folder: Path, names: tuple[str, ...]) -> Path:
    found = [folder / name for name in names if (folder / name).exists()]
    if len(found) != 1:
        raise UsageError(f"it needs one of {', '.join(names)}, and has {len(found)}", where=str(folder))
    return found[0]


def instant(value: object, where: str) -> datetime:
    """An instant in UTC, which it is taken for without an offset; raises ``UsageError`` if it is none."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(f"{value!r} is no instant", where=where, mend="write ISO 8601") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _before(at: datetime, days_ago: float, turn: int) -> str:
    """Repeated rows are a minute apart."""
    return (at - timedelta(days=days_ago, minutes=turn)).isoformat()
