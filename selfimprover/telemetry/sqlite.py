"""Reads task telemetry from an SQLite table, read-only and without ever blocking the event loop."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import aiosqlite

from selfimprover.domain import Query, TaskCount, TaskCounts, TaskRecord, Window
from selfimprover.telemetry import bounds, times
from selfimprover.telemetry.database import Database, quoted
from selfimprover.telemetry.layout import Layout, examine
from selfimprover.telemetry.rows import MAX_TEXT, RecordReader, instant_of, text_of

_BATCH = 250  # three texts of at most 300 kB each: even a hostile table fills no more than 225 MB at once
_EXAMPLE_LENGTH = 40
_TIME_MEND = (
    "write times as ISO 8601 text such as 2026-02-15T06:00:00Z, or as seconds or milliseconds since 1970; "
    'if another column holds them: columns = { created_at = "their_name" }'
)


class SqliteSource:
    """A project's telemetry in one SQLite table (or view): an ``interfaces.TelemetrySource``.

    The file is opened anew for every call and every batch, so that a slow reader never holds up the assistant.
    ``columns`` maps our names to theirs, ``failed`` are the statuses that mean failure, ``timezone`` is what
    times without an offset mean, ``busy_timeout`` (seconds) is how long a lock is waited for. Every text, ids too,
    passes through ``redact``; those of failed tasks do so in a thread.
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
    ) -> None:
        self.project = project
        self._database = Database(path, project=project, busy_timeout=busy_timeout)
        self._redact = redact
        self._table = table
        self._columns = dict(columns or {})
        self._failed = tuple(failed)
        self._timezone = timezone
        self._unreadable_note: str | None = None
        self._cut = 0

    async def task_counts(self, windows: Sequence[Window]) -> Sequence[TaskCounts]:
        """Tasks by kind and status, one answer per window in the order asked, in one pass over the table.

        Each answer carries the statement with the parameters that give its window alone.
        """
        if not windows:
            return []

        async def ask(connection: aiosqlite.Connection) -> tuple[Layout, list[sqlite3.Row]]:
            layout = await self._checked(connection)
            query = self._count_query(layout, windows)
            return layout, list(await connection.execute_fetchall(query.sql, query.parameters))

        layout, rows = await self._database.read(ask)
        return [
            TaskCounts(
                window,
                self._task_counts([row for row in rows if row["place"] == place]),
                self._count_query(layout, [window]),
            )
            for place, window in enumerate(windows)
        ]

    async def failures(self, window: Window) -> AsyncIterator[Sequence[TaskRecord]]:
        """The failed tasks of the window in batches, oldest first, those of one instant in the order of their rows.

        Where times with and without offset are mixed, the order may be wrong by the jump of a clock change. Tasks
        that are deleted or mended between two batches are left out.
        """

        async def ask(connection: aiosqlite.Connection) -> tuple[Layout, list[int | float | str]]:
            layout = await self._checked(connection)
            return layout, await self._failure_keys(connection, self._failures_query(layout, window))

        layout, keys = await self._database.read(ask)
        reader = RecordReader(self.project, self._timezone, self._redact)
        sql = layout.statement("failure_records")
        for start in range(0, len(keys), _BATCH):
            page = keys[start : start + _BATCH]
            found = await self._rows(sql, {"keys": json.dumps(page), "failed": json.dumps(self._failed)})
            place = {key: number for number, key in enumerate(page)}
            rows = sorted(found, key=lambda row: place[row["key"]])
            records = await asyncio.to_thread(reader.records, rows)
            self._cut = max(self._cut, reader.cut)
            yield [record for record in records if record.created_at in window]

    async def failures_query(self, window: Window) -> Query:
        """The statement that finds the failed tasks of the window, one row each, in the order of ``failures``."""
        return self._failures_query(await self._database.read(self._checked), window)

    async def notes(self) -> Sequence[str]:
        """What had to be left out or cut so far, one sentence each."""
        notes = [] if self._unreadable_note is None else [self._unreadable_note]
        if self._cut:
            texts, were = ("text", "was") if self._cut == 1 else ("texts", "were")
            notes.append(f"{self._cut} {texts} longer than {MAX_TEXT:,} characters {were} cut in the middle.")
        return notes

    async def describe(self) -> str:
        """One line about the table: rows, newest time, the columns that are used."""
        return await self._database.read(self._described)

    async def _described(self, connection: aiosqlite.Connection) -> str:
        layout = await self._checked(connection)
        (counted,) = await connection.execute_fetchall(layout.statement("row_count"))
        newest = [instant for _, instant in await self._newest(connection, layout) if instant is not None]
        latest = f"newest {times.with_z(max(newest))}" if newest else "no times yet"
        columns = ", ".join(layout.present)
        return f"{quoted(self._table)}: {counted['count']} rows, {latest}, columns {columns}"

    async def _checked(self, connection: aiosqlite.Connection) -> Layout:
        """The layout, after a look at the newest rows: a time format that nobody can read is an error."""
        layout = await examine(connection, self._database, self._table, self._columns)
        newest = await self._newest(connection, layout)
        unreadable = [written for written, instant in newest if instant is None]
        self._unreadable_note = None
        if unreadable:
            example = "nothing" if unreadable[0] is None else f"'{self._example(unreadable[0])}'"
            if len(unreadable) == len(newest):
                raise self._database.error(f"unknown time format in created_at: {example}", _TIME_MEND)
            self._unreadable_note = (
                f"{len(unreadable)} of the newest {len(newest)} rows have a time that cannot be read, "
                f"for example {example}; such rows are left out."
            )
        return layout

    async def _newest(
        self, connection: aiosqlite.Connection, layout: Layout
    ) -> list[tuple[str | None, datetime | None]]:
        """The times of the newest rows: as written, and what they mean."""
        rows = await connection.execute_fetchall(layout.statement("newest"))
        return [(text_of(row["written"]), instant_of(row["moment"], row["local"], self._timezone)) for row in rows]

    def _example(self, written: str) -> str:
        return quoted(self._redact(written)[:_EXAMPLE_LENGTH])

    def _count_query(self, layout: Layout, windows: Sequence[Window]) -> Query:
        exact = json.dumps([bounds.exact(window, self._timezone) for window in windows])
        return Query("status_counts", layout.statement("status_counts"), {"windows": exact, **bounds.near(windows)})

    def _task_counts(self, rows: Sequence[sqlite3.Row]) -> tuple[TaskCount, ...]:
        return tuple(self._task_count(text_of(row["kind"]), text_of(row["status"]) or "", row["count"]) for row in rows)

    def _task_count(self, kind: str | None, status: str, count: int) -> TaskCount:
        shown = None if kind is None else self._redact(kind)
        return TaskCount(shown, self._redact(status), status in self._failed, int(count))

    def _failures_query(self, layout: Layout, window: Window) -> Query:
        parameters = {**bounds.exact(window, self._timezone), **bounds.near([window])}
        return Query("failures", layout.statement("failures"), {**parameters, "failed": json.dumps(self._failed)})

    async def _rows(self, sql: str, parameters: Mapping[str, str]) -> Iterable[sqlite3.Row]:
        return await self._database.read(lambda connection: connection.execute_fetchall(sql, dict(parameters)))

    async def _failure_keys(self, connection: aiosqlite.Connection, query: Query) -> list[int | float | str]:
        """What identifies the failed rows of the window: row ids, or their ids where rows are not numbered."""
        rows = await connection.execute_fetchall(query.sql, query.parameters)
        keys: dict[int | float | str, None] = {}
        for row in rows:
            if not isinstance(row["key"], int | float | str):
                raise self._database.error(
                    f"{quoted(self._table)!r} has no row ids, and an id that is neither text nor a number",
                    "let `table` name an ordinary table, or give every task an id",
                )
            keys[row["key"]] = None
        return list(keys)
