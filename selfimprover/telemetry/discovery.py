"""Finds the table in which an assistant records its tasks, and which of its columns are which."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiosqlite

from selfimprover.errors import TelemetryError
from selfimprover.telemetry import queries
from selfimprover.telemetry.database import Database, quoted
from selfimprover.telemetry.files import sqlite_files
from selfimprover.telemetry.layout import MANDATORY, examine
from selfimprover.telemetry.names import failing, map_columns, rank, same_name

DEFAULT_FAILED = ("failed",)

_BUSY_TIMEOUT = 1.0
_PATIENCE = 5.0
"""Seconds for one question: a foreign view may go on for ever."""
_PATIENCE_WITH_ALL = 60.0
_MOST_TABLES = 200
_MOST_NAMES = 10
_MOST_LETTERS = 60
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table (or view) that can serve as telemetry."""

    path: Path
    name: str
    columns: Mapping[str, str]
    """Our name → their column, for all that are there."""
    rows: int
    """At most a million are counted; 0 also where counting took too long."""
    statuses: tuple[str, ...]
    """What its statuses are; at most 200."""

    @property
    def renamed(self) -> dict[str, str]:
        """The columns that the configuration has to name."""
        return {ours: theirs for ours, theirs in self.columns.items() if not same_name(theirs, ours)}

    @property
    def failed(self) -> tuple[str, ...]:
        """The statuses that mean failure; the default where none sounds like it."""
        return failing(self.statuses) or DEFAULT_FAILED


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that a search could not use."""

    path: Path
    why: str
    unreadable: bool
    """Whether it might have been the right one: it could not be read."""


@dataclass(frozen=True, slots=True)
class FoundTelemetry:
    """What a search found, best first, and the files that it passed over."""

    tables: tuple[FoundTable, ...]
    passed_over: tuple[PassedOver, ...]


class _UnfitError(TelemetryError):
    """The file was read, but nothing in it can serve."""


async def search(folders: Iterable[Path], *, table: str | None = None) -> FoundTelemetry:
    """The tables that can serve, or those named ``table``, in the SQLite files in and beneath ``folders``."""
    tables: list[FoundTable] = []
    passed_over: list[PassedOver] = []
    ends = asyncio.get_running_loop().time() + _PATIENCE_WITH_ALL
    for path in await asyncio.to_thread(sqlite_files, folders):
        try:
            async with asyncio.timeout_at(ends):
                tables += await tables_in(path, table=table)
        except TimeoutError:
            passed_over.append(PassedOver(path, "the search took too long to look into it", unreadable=True))
        except TelemetryError as error:
            passed_over.append(PassedOver(path, error.what, unreadable=not isinstance(error, _UnfitError)))
    return FoundTelemetry(tuple(sorted(tables, key=_order)), tuple(passed_over))


async def tables_in(path: Path, *, table: str | None = None) -> Sequence[FoundTable]:
    """The tables of one file that can serve, or the one named ``table``, best first; never an empty sequence.

    Raises ``TelemetryError`` if the file cannot be read, or nothing in it can serve.
    """
    database = Database(path, project="new", busy_timeout=_BUSY_TIMEOUT)
    names = await _asked(database, _relations)
    chosen = [name for name in names if table is None or name.lower() == table.lower()]
    if not chosen:
        raise _no_table(database, table, names)
    found: list[FoundTable] = []
    lacking: list[tuple[int, str]] = []
    for name in chosen[:_MOST_TABLES]:
        theirs = await _columns(database, name)
        mapped = map_columns(theirs)
        lacks = [ours for ours in MANDATORY if ours not in mapped]
        if lacks:
            lacking.append((len(lacks), f"{quoted(name, _MOST_LETTERS)!r} lacks {', '.join(lacks)}: {_listed(theirs)}"))
        else:
            found.append(await _measured(database, path, name, mapped))
    if not found:
        what = f"no table has columns for {', '.join(MANDATORY)}; {min(lacking)[1]}"
        mend = "name the columns by hand: config.example.toml shows how"
        raise _UnfitError(what, where=database.where, mend=mend)
    return sorted(found, key=_order)


def _order(table: FoundTable) -> tuple[int, int, int]:
    return -len(table.columns), rank(table.name), -table.rows


async def _asked(database: Database, ask: Callable[[aiosqlite.Connection], Awaitable[_Answer]]) -> _Answer:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await database.read(ask)
    except TimeoutError as error:
        raise database.error(f"no answer within {_PATIENCE:.0f} seconds", "try again when it is less busy") from error


async def _relations(connection: aiosqlite.Connection) -> list[str]:
    return [str(row["name"]) for row in await connection.execute_fetchall(queries.named()["relations"])]


async def _columns(database: Database, table: str) -> list[str]:
    """Their names; none for a view that does not work."""

    async def ask(connection: aiosqlite.Connection) -> list[str]:
        rows = await connection.execute_fetchall(queries.named()["columns"], {"table": table})
        return [str(row["name"]) for row in rows]

    try:
        return await _asked(database, ask)
    except TelemetryError:
        return []


async def _measured(database: Database, path: Path, table: str, columns: Mapping[str, str]) -> FoundTable:
    """The table with what a short look at its rows shows; a look that fails leaves both empty."""

    async def ask(connection: aiosqlite.Connection) -> tuple[int, tuple[str, ...]]:
        layout = await examine(connection, database, table, columns)
        (counted,) = await connection.execute_fetchall(layout.statement("size"))
        found = await connection.execute_fetchall(layout.statement("statuses"))
        return counted["count"], tuple(sorted(str(row["status"]) for row in found))

    try:
        rows, statuses = await _asked(database, ask)
    except TelemetryError:
        rows, statuses = 0, ()
    return FoundTable(path, table, columns, rows, statuses)


def _no_table(database: Database, table: str | None, names: list[str]) -> TelemetryError:
    if table is None or not names:
        mend = "let the assistant record a task first"
        return _UnfitError("the database has no tables", where=database.where, mend=mend)
    what = f"there is no table {quoted(table, _MOST_LETTERS)!r}; there are: {_listed(names)}"
    return _UnfitError(what, where=database.where, mend="name one of them")


def _listed(names: Sequence[str]) -> str:
    shown = [quoted(name, _MOST_LETTERS) for name in names[:_MOST_NAMES]]
    return ", ".join([*shown, "…"] if len(names) > _MOST_NAMES else shown) or "no columns that can be read"
