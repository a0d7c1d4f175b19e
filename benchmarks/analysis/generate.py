"""Writes task telemetry as a busy assistant would leave it: millions of rows, about 8 % failed, and no index.

The same arguments give the same rows. Rows are numbered in the order in which they were written, which is nearly, but
not quite, the order of their times: one in a hundred is up to ten minutes late.

    python benchmarks/analysis/generate.py FILE [--rows 1000000] [--days 90] [--own-tracebacks] [--end ISO8601]
"""

import argparse
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from causes import Cause, causes

END = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
FAILED = 0.08
LATE = 0.01
CHILDREN = 0.9
LATEST = 600.0
KINDS = ("mail.poll", "mail.send", "web.fetch", "llm.plan", "llm.answer", "tool.run", "browser.step", "memory.store")
AGENTS = ("mail", "research", "calendar")
VERSIONS = ("4f2a91c", "8b77d10", "c0ffee1")
SCHEMA = """
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, agent TEXT, kind TEXT, status TEXT, error TEXT, traceback TEXT,
    created_at TEXT, started_at TEXT, finished_at TEXT, parent_id INTEGER, retries INTEGER, version TEXT
)
"""

Row = tuple[str | int | None, ...]


def rows(count: int, days: float, end: datetime, *, own_tracebacks: bool) -> Iterator[Row]:
    """The rows, in the order of their ids."""
    rng = random.Random(count)  # noqa: S311
    weighted = _weighted(causes(random.Random(1)))  # noqa: S311
    random_, step = rng.random, days * 86_400 / count
    start = end - timedelta(days=days)
    for number in range(count):
        seconds = number * step
        if random_() < LATE:
            seconds = max(0.0, seconds - random_() * LATEST)
        created = start + timedelta(seconds=seconds)
        finished = created + timedelta(seconds=random_() * 20)
        status, error, traceback = "done", None, None
        chance = random_()
        if chance < FAILED:
            cause = weighted[int(random_() * len(weighted))]
            status, error = "failed", cause.error(rng)
            traceback = cause.traceback(error, rng, own=own_tracebacks)
        elif number > count - 10:
            status = "running"
        yield (
            number + 1,
            AGENTS[number % 3],
            KINDS[int(random_() * len(KINDS))],
            status,
            error,
            traceback,
            _written(created),
            _written(created),
            _written(finished) if status != "running" else None,
            number - 2 if chance > CHILDREN else None,
            int(chance * 50) % 3,
            VERSIONS[3 * number // count],
        )


def write(path: Path, count: int, days: float, end: datetime = END, *, own_tracebacks: bool = False) -> None:
    """The file; there must be none yet."""
    if path.exists():
        raise FileExistsError(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "page_size = 4096"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(SCHEMA)
        connection.execute("BEGIN")
        marks = ", ".join("?" * 12)
        made = rows(count, days, end, own_tracebacks=own_tracebacks)
        connection.executemany(f"INSERT INTO tasks VALUES ({marks})", made)  # noqa: S608
        connection.execute("COMMIT")


def _weighted(made: list[Cause] | tuple[Cause, ...]) -> list[Cause]:
    """A few causes are frequent, most are rare."""
    return [cause for place, cause in enumerate(made) for _ in range(1 + 40 // (1 + place % 16))]


def _written(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def main() -> None:
    """Writes one file and says what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=90)
    parser.add_argument("--end", type=datetime.fromisoformat, default=END)
    parser.add_argument("--own-tracebacks", action="store_true", help="each traceback ends with its own error text")
    chosen = parser.parse_args()
    began = time.perf_counter()
    write(chosen.file, chosen.rows, chosen.days, chosen.end, own_tracebacks=chosen.own_tracebacks)
    size = chosen.file.stat().st_size / 1e9
    print(f"{chosen.rows:,} rows, {size:.2f} GB, {time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
