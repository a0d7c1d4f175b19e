"""Telemetry tables in real files, for the tests of the reader."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from selfimprover.domain import TaskRecord, Window
from selfimprover.telemetry.sqlite import SqliteSource

DAY = Window(datetime(2026, 2, 15, tzinfo=UTC), datetime(2026, 2, 16, tzinfo=UTC))
ALL = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
PLAIN = "CREATE TABLE tasks (id, status, error, created_at)"
FULL = (
    "CREATE TABLE tasks (id TEXT PRIMARY KEY, status TEXT, error TEXT, created_at TEXT, traceback TEXT, agent TEXT, "
    "kind TEXT, started_at TEXT, finished_at TEXT, parent_id TEXT, retries INTEGER, input TEXT, version TEXT)"
)


def make(path: Path, schema: str = PLAIN, rows: Iterable[Mapping[str, object]] = (), table: str = "tasks") -> Path:
    """A database with one table of the given rows."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(schema)
        for row in rows:
            names = ", ".join(_quoted(name) for name in row)
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})", list(row.values()))
    return path


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def task(number: int, created_at: object, status: object = "failed", error: object = "E: x") -> dict[str, object]:
    """A row of the plain table."""
    return {"id": f"t{number}", "status": status, "error": error, "created_at": created_at}


def source(
    path: Path,
    *,
    redact: Callable[[str], str] = str,
    table: str = "tasks",
    columns: Mapping[str, str] | None = None,
    failed: Sequence[str] = ("failed",),
    timezone: tzinfo = UTC,
    busy_timeout: float = 0.05,
) -> SqliteSource:
    """A reader that does not wait long for locks."""
    return SqliteSource(
        "demo",
        path,
        redact=redact,
        table=table,
        columns=columns,
        failed=failed,
        timezone=timezone,
        busy_timeout=busy_timeout,
    )


async def failed_tasks(reader: SqliteSource, window: Window = ALL) -> list[TaskRecord]:
    """All failures of the window in one list."""
    return [record async for batch in reader.failures(window) for record in batch]


def hours(start: datetime, count: float) -> Window:
    """A window of some hours."""
    return Window(start, start + timedelta(hours=count))
