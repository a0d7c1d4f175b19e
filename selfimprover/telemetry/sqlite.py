"""Reads task telemetry from an SQLite table, read-only and without ever blocking the event loop."""

import asyncio
import heapq
import json
import sqlite3
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, repeat
from pathlib import Path

import aiosqlite

from selfimprover.domain import Query, TaskCount, TaskCounts, TaskRecord, Window
from selfimprover.telemetry import bounds, times
from selfimprover.telemetry.database import Database, quoted
from selfimprover.telemetry.layout import LONG, Layout, examine
from selfimprover.telemetry.reach import SMALL, Access, Reach, decide, stretches
from selfimprover.telemetry.remarks import SANE_FROM, Remarks
from selfimprover.telemetry.rows import RecordReader, instant_of, text_of

_BATCH = 500
_BATCH_BY_ID = 250  # where rows have no numbers, each batch may read the whole table
_FETCHED = 100  # three texts of at most 300 kB each: even a hostile table fills no more than 90 MB at once
_ENOUGH = 8_000_000
"""Characters after which a batch ends, however few rows it has."""
_KEYS_FETCHED = 2_000
LARGE = 100_000
"""Rows from which on it matters how they are found."""
COUNTED = 1_000_000
"""Rows that the statement ``size`` counts at most."""
_TIME_MEND = (
    "write times as ISO 8601 text such as 2026-02-15T06:00:00Z, or as seconds or milliseconds since 1970; "
    'if another column holds them: columns = { created_at = "their_name" }'
)

Parameters = Mapping[str, str | int | float | None]
Key = int | float | str
Place = tuple[int, int, Key]
"""The time of a failure in microseconds, the number of the stretch it was found in, and what its row is read by."""


class SqliteSource:
    """A project's telemetry in one SQLite table (or view): an ``interfaces.TelemetrySource``.

    The file is opened anew for every call, every stretch of rows and every batch, so that a slow reader never holds up
    the assistant. ``columns`` maps our names to theirs, ``failed`` are the statuses that mean failure, ``timezone`` is
    what times without an offset mean, ``busy_timeout`` (seconds) is how long a lock is waited for. Every text, ids too,
    passes through ``redact``; those of failed tasks do so in a thread. In a table of more than ``small`` rows, those of
    a window are looked for by their row ids (``rowids``) unless there is an index on their times.
    """

    def __init__(
        self,
        project: str,
        path: Path,
        *,
        redact: Callable[[str], str],
        table: str = "tasks",
        columns: Mapping[str, str] | None = None,
        failed: Sequence[str] = ("failed",),
        timezone: tzinfo = UTC,
        busy_timeout: float = 5.0,
        small: int = SMALL,
    ) -> None:
        self.project = project
        self._database = Database(path, project=project, busy_timeout=busy_timeout)
        self._redact = redact
        self._table = table
        self._columns = dict(columns or {})
        self._failed = tuple(failed)
        self._timezone = timezone
        self._small = small
        self._usual: str | None = None
        self._remarks = Remarks(redact)

    async def task_counts(self, windows: Sequence[Window]) -> Sequence[TaskCounts]:
        """Tasks by kind and status, one answer per window in the order asked, in one pass over the rows of them all.

        Each answer carries the statement with the parameters that give its window alone.
        """
        if not windows:
            return []
        reach = await self._database.read(lambda connection: self._reach(connection, windows))
        query = self._count_query(reach, windows, remarks=True)
        counted: list[Counter[tuple[str | None, str]]] = [Counter() for _ in windows]
        odd: list[sqlite3.Row] = []
        async for stretch in stretches(reach):
            for row in await self._fetched(query.sql, {**query.parameters, **stretch}):
                if row["place"] < 0:
                    odd.append(row)
                else:
                    counted[row["place"]][text_of(row["kind"]), text_of(row["status"]) or ""] += row["count"]
        if reach.is_whole:
            self._remarks.note_odd(odd)
        return [
            TaskCounts(window, self._task_counts(counts), self._count_query(reach, [window]))
            for window, counts in zip(windows, counted, strict=True)
        ]

    async def failures(self, window: Window) -> AsyncIterator[Sequence[TaskRecord]]:
        """The failed tasks of the window in batches, oldest first, those of one instant in the order of their rows.

        Where times with and without offset are mixed, the order may be wrong by the jump of a clock change. Tasks
        that are deleted or mended between two batches are left out.
        """
        reach = await self._database.read(lambda connection: self._reach(connection, [window]))
        query = self._failures_query(reach, window)
        found: list[_Places] = []
        async for stretch in stretches(reach):
            found.append(await self._places(query.sql, {**query.parameters, **stretch}, len(found)))
        ordered = (key for _, _, key in heapq.merge(*found))
        keys = ordered if reach.layout.rowid else iter(dict.fromkeys(ordered))
        reader = RecordReader(self.project, self._timezone, self._redact)
        gone = 0
        while page := list(islice(keys, _BATCH if reach.layout.rowid else _BATCH_BY_ID)):
            while page:
                rows, left = await self._page(reach.layout, page)
                gone += max(0, len(page) - len(rows) - len(left))
                records = await asyncio.to_thread(reader.records, rows)
                self._remarks.cut = max(self._remarks.cut, reader.cut)
                self._remarks.gone = max(self._remarks.gone, gone)
                yield [record for record in records if record.created_at in window]
                page = left

    async def failures_query(self, window: Window) -> Query:
        """The statement that finds the failed tasks of the window, one row each, in the order of ``failures``."""
        return self._failures_query(await self._database.read(lambda c: self._reach(c, [window])), window)

    async def notes(self) -> Sequence[str]:
        """What had to be left out or cut so far, one sentence each."""
        return self._remarks.sentences()

    async def describe(self) -> str:
        """One line about the table: rows, newest time, the columns that are used."""
        return await self._database.read(self._described)

    async def _described(self, connection: aiosqlite.Connection) -> str:
        layout = await self._checked(connection)
        newest = [instant for _, instant in await self._newest(connection, layout) if instant is not None]
        latest = f"newest {times.with_z(max(newest))}" if newest else "no times yet"
        columns = ", ".join(layout.present)
        return f"{quoted(self._table)}: {await self._size(connection, layout)} rows, {latest}, columns {columns}"

    async def access(self, window: Window) -> Access | None:
        """How the rows of a window are found, for a table that is large enough to matter."""

        async def ask(connection: aiosqlite.Connection) -> Access | None:
            reach = await self._reach(connection, [window])
            size = await self._size(connection, reach.layout)
            return Access(reach.way, reach.layout.index) if size.endswith("+") or int(size) >= LARGE else None

        return await self._database.read(ask)

    async def _size(self, connection: aiosqlite.Connection, layout: Layout) -> str:
        """The number of rows; a million stands for all that are more, which would have to be read to be counted."""
        (counted,) = await connection.execute_fetchall(layout.statement("size"))
        return f"{counted['count']}" + ("+" if counted["count"] >= COUNTED else "")

    async def _checked(self, connection: aiosqlite.Connection) -> Layout:
        """The layout, after a look at the newest rows: a time format that nobody can read is an error."""
        layout = await examine(connection, self._database, self._table, self._columns)
        newest = await self._newest(connection, layout)
        unreadable = [written for written, instant in newest if instant is None]
        if unreadable and len(unreadable) == len(newest):
            example = self._remarks.example(unreadable[0])
            raise self._database.error(f"unknown time format in created_at: {example}", _TIME_MEND)
        self._remarks.note_newest(unreadable, len(newest))
        self._usual = next((written for written, instant in newest if instant is not None), None)
        return layout

    async def _newest(
        self, connection: aiosqlite.Connection, layout: Layout
    ) -> list[tuple[str | None, datetime | None]]:
        """The times of the newest rows: as written, and what they mean."""
        rows = await connection.execute_fetchall(layout.statement("newest"))
        return [(text_of(row["written"]), instant_of(row["moment"], row["local"], self._timezone)) for row in rows]

    async def _reach(self, connection: aiosqlite.Connection, windows: Sequence[Window]) -> Reach:
        layout = await self._checked(connection)
        return await decide(connection, layout, windows, self._timezone, small=self._small)

    def _count_query(self, reach: Reach, windows: Sequence[Window], *, remarks: bool = False) -> Query:
        exact = json.dumps([bounds.exact(window, self._timezone) for window in windows])
        ends = max(bounds.usual(window.end) for window in windows)
        sane_to = max(times.microseconds(datetime.now(UTC) + timedelta(days=1)), times.microseconds(ends))
        form = bounds.hours(windows, self._timezone, self._usual)
        odd = {"remarks": int(remarks), "sane_from": SANE_FROM, "sane_to": sane_to if remarks else SANE_FROM}
        parameters = {"windows": exact, **form, **bounds.near(windows), **odd, **reach.parameters}
        return Query("status_counts", reach.statement("status_counts"), parameters)

    def _task_counts(self, counts: Counter[tuple[str | None, str]]) -> tuple[TaskCount, ...]:
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1]))
        return tuple(self._task_count(kind, status, count) for (kind, status), count in ordered)

    def _task_count(self, kind: str | None, status: str, count: int) -> TaskCount:
        shown = None if kind is None else self._redact(kind)
        return TaskCount(shown, self._redact(status), status in self._failed, count)

    def _failures_query(self, reach: Reach, window: Window) -> Query:
        parameters = {**bounds.exact(window, self._timezone), **bounds.near([window]), **reach.parameters}
        return Query("failures", reach.statement("failures"), {**parameters, "failed": json.dumps(self._failed)})

    async def _fetched(self, sql: str, parameters: Parameters) -> list[sqlite3.Row]:
        return list(await self._database.read(lambda connection: connection.execute_fetchall(sql, parameters)))

    async def _places(self, sql: str, parameters: Parameters, stretch: int) -> "_Places":
        """Where the failures of a stretch are: in row ids, or in ids where rows are not numbered."""

        async def ask(connection: aiosqlite.Connection) -> _Places:
            found = _Places(stretch)
            async with connection.execute(sql, parameters) as cursor:
                while rows := list(await cursor.fetchmany(_KEYS_FETCHED)):
                    if not all(isinstance(row["key"], int | float | str) for row in rows):
                        raise self._database.error(
                            f"{quoted(self._table)!r} has no row ids, and an id that is neither text nor a number",
                            "let `table` name an ordinary table, or give every task an id",
                        )
                    found.add(rows)
            return found

        return await self._database.read(ask)

    async def _page(self, layout: Layout, page: Sequence[Key]) -> tuple[list[sqlite3.Row], list[Key]]:
        """The rows behind some keys in their order, and the keys to ask for again, since so much was read."""
        usual = bounds.usual_form(self._usual)
        parameters = {
            "keys": json.dumps(page),
            "failed": json.dumps(self._failed),
            "usual": usual if bounds.says_utc(usual) else "",
        }

        async def ask(connection: aiosqlite.Connection) -> tuple[list[sqlite3.Row], bool]:
            found: list[sqlite3.Row] = []
            letters = 0
            async with connection.execute(layout.statement("failure_records"), parameters) as cursor:
                while rows := list(await cursor.fetchmany(_FETCHED)):
                    found += rows
                    letters += sum(
                        len(text) for row in rows for name in LONG if isinstance(text := row[name], str | bytes)
                    )
                    if letters > _ENOUGH and layout.rowid:
                        return found, False
            return found, True

        rows, is_all = await self._database.read(ask)
        place = {key: number for number, key in enumerate(page)}
        rows.sort(key=lambda row: place[row["key"]])
        answered = {row["key"] for row in rows}
        return rows, [] if is_all else [key for key in page if key not in answered]


class _Places:
    """Times and keys of failures in the order of their times, as compact as possible: there may be millions."""

    def __init__(self, stretch: int) -> None:
        self._stretch = stretch
        self._times = array("q")
        self._keys: array[int] | list[Key] = array("q")

    def add(self, rows: Sequence[sqlite3.Row]) -> None:
        """The next ones."""
        self._times.extend(row["place"] for row in rows)
        try:
            self._keys.extend(row["key"] for row in rows)
        except (TypeError, OverflowError):
            self._keys = [*self._keys, *(row["key"] for row in rows)]

    def __iter__(self) -> Iterator[Place]:
        return zip(self._times, repeat(self._stretch), self._keys, strict=False)
