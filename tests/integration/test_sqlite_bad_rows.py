"""Rows of every wrong kind are counted, skipped or cut: never a crash, and never a text that fills the memory."""

import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.telemetry_tables import ALL, DAY, PLAIN, failed_tasks, make, source, task

NOON = "2026-02-15T12:00:00Z"
AHEAD = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_every_kind_of_unusable_time_is_told_with_its_count(tmp_path: Path) -> None:
    """Once for what the windows were counted from, and not again for each look."""
    times = [NOON] * 50 + [None, b"\x00\xff", "soon", "2026-02-30T00:00:00Z"] + ["1970-01-01T00:00:00Z"] * 2 + [AHEAD]
    reader = source(make(tmp_path / "t.db", PLAIN, [task(n, at) for n, at in enumerate(times)]))
    for _ in range(2):
        assert [counts.total() for counts in await reader.task_counts([DAY])] == [50]
        assert len(await failed_tasks(reader, DAY)) == 50
    unreadable, early, late = await reader.notes()
    assert unreadable.startswith("4 of the 57 rows looked at have a time that cannot be read, for example ")
    assert early == (
        "2 of the 57 rows looked at have a time before 2001, for example '1970-01-01T00:00:00Z'; they are left out."
    )
    assert late == (
        "1 of the 57 rows looked at has a time that is more than a day from now in the future, "
        f"for example '{AHEAD[:13]}:00:00Z'; it is left out."
    )


async def test_only_rows_beside_those_of_the_windows_are_looked_at_in_a_large_table(tmp_path: Path) -> None:
    """What was wrong months ago is neither read nor told."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    times: list[object] = [(begin + timedelta(minutes=2 * n)).isoformat() for n in range(60 * 720)]
    times[100:110] = [None] * 10
    times[-720:-700] = ["soon"] * 20
    path = make(tmp_path / "t.db", PLAIN)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO tasks VALUES (1, 'done', NULL, ?)", [(at,) for at in times])
    reader = source(path)
    day = begin + timedelta(days=59)
    (counts,) = await reader.task_counts([type(DAY)(day, day + timedelta(days=1))])
    assert counts.total() == 700
    (note,) = await reader.notes()
    found = note.split(" of the ")
    assert found[0] == "20"
    assert int(found[1].split(" rows")[0].replace(",", "")) < 2 * 720 + 1_000


async def test_tasks_that_vanish_are_told(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(n, DAY.start.timestamp() + n) for n in range(600)])
    reader = source(path)
    batches = reader.failures(DAY)
    await anext(aiter(batches))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM tasks WHERE id = 't599'")
    assert sum([len(batch) async for batch in batches]) == 99
    assert await reader.notes() == ["1 failed task was deleted or changed while they were read, and left out."]


async def test_row_ids_that_were_deleted_and_used_again_are_read_once(tmp_path: Path) -> None:
    schema = "CREATE TABLE tasks (id INTEGER PRIMARY KEY, status, error, created_at)"
    rows = [{**task(n, DAY.start.timestamp() + n), "id": n} for n in range(900)]
    path = make(tmp_path / "t.db", schema, rows)
    batches = source(path).failures(DAY)
    first = await anext(aiter(batches))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM tasks WHERE id >= 890")
        connection.execute("INSERT INTO tasks VALUES (890, 'failed', 'new', ?)", ["2026-03-01T00:00:00Z"])
    rest = [record.id async for batch in batches for record in batch]
    assert [record.id for record in first] + rest == [str(n) for n in range(890)]


READ = """
import asyncio, sys, resource
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.integration.telemetry_tables import ALL, failed_tasks, source

async def read():
    reader = source(Path({path!r}))
    counts = await reader.task_counts([ALL])
    found = await failed_tasks(reader)
    print(counts[0].total(), len(found), sum(len(one.error or "") for one in found))
    print(*await reader.notes())

asyncio.run(read())
"""


def test_texts_of_a_hundred_megabytes_are_cut_before_they_reach_us(tmp_path: Path) -> None:
    """A process that may use little more memory than SQLite needs for one such row reads them all."""
    path = make(tmp_path / "t.db", PLAIN)
    with closing(sqlite3.connect(path)) as connection, connection:
        for number in range(4):
            text = "'x'" if number % 2 else "x'78'"
            connection.execute(
                f"INSERT INTO tasks VALUES (?, 'failed', replace(hex(zeroblob(50000000)), '00', {text} || 'y'), ?)",
                [number, NOON],
            )
    program = READ.format(root=str(Path(__file__).parents[2]), path=str(path))
    limit = 900 * 2**20
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["4 4 255996", "4 texts longer than 64,000 characters were cut in the middle."]


async def test_a_batch_of_long_texts_is_small(tmp_path: Path) -> None:
    """However long the texts of a table are, few of them are in memory at once, and none is lost."""
    error = "E: " + "x" * 100_000
    reader = source(make(tmp_path / "t.db", PLAIN, [task(n, NOON, error=f"{n} {error}") for n in range(450)]))
    batches = [batch async for batch in reader.failures(ALL)]
    assert max(map(len, batches)) <= 200
    assert [record.id for batch in batches for record in batch] == [f"t{n}" for n in range(450)]


async def test_the_wal_of_the_assistant_is_emptied_while_we_are_in_the_middle_of_reading(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(n, NOON) for n in range(1_500)])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO tasks SELECT * FROM tasks")
        batches = source(path).failures(ALL)
        await anext(aiter(batches))
        writer.execute("UPDATE tasks SET error = 'new'")
        busy, _, _ = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0
        assert _size(Path(f"{path}-wal")) == 0
        assert sum([len(batch) async for batch in batches]) == 2_500


def _size(path: Path) -> int:
    return path.stat().st_size
