"""Reading telemetry: counts, failures, layouts, texts."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from selfimprover.domain import Calendar, TaskCount, TaskRecord, Window
from selfimprover.errors import TelemetryError
from selfimprover.interfaces import TelemetrySource
from selfimprover.telemetry.rows import MAX_TEXT
from tests.integration.telemetry_tables import ALL, DAY, FULL, PLAIN, failed_tasks, hours, make, source, task

NOON = "2026-02-15T12:00:00Z"


def a_day(path: Path) -> Path:
    kinds = [("poll", "done", 5), ("poll", "failed", 2), ("send", "failed", 1), ("send", "running", 3), (None, None, 1)]
    rows = [
        {"id": f"{kind}-{status}-{n}", "status": status, "kind": kind, "created_at": f"2026-02-15T0{n}:00:00Z"}
        for kind, status, count in kinds
        for n in range(count)
    ]
    return make(path, FULL, rows)


async def test_a_window_is_counted_by_kind_and_status(tmp_path: Path) -> None:
    reader: TelemetrySource = source(a_day(tmp_path / "t.db"))
    (counts,) = await reader.task_counts([DAY])
    assert counts.window == DAY
    assert set(counts.rows) == {
        TaskCount("poll", "done", failed=False, count=5),
        TaskCount("poll", "failed", failed=True, count=2),
        TaskCount("send", "failed", failed=True, count=1),
        TaskCount("send", "running", failed=False, count=3),
        TaskCount(None, "unknown", failed=False, count=1),
    }
    assert counts.failed() == 3
    assert await reader.notes() == []


async def test_windows_are_answered_in_the_order_asked_even_if_they_overlap(tmp_path: Path) -> None:
    reader = source(a_day(tmp_path / "t.db"))
    start = DAY.start
    windows = [hours(start, 2), DAY, hours(start, 1), hours(start, 0), hours(start - timedelta(days=9), 24)]
    assert [counts.window for counts in await reader.task_counts(windows)] == windows
    assert [counts.total() for counts in await reader.task_counts(windows)] == [8, 12, 5, 0, 0]
    assert list(await reader.task_counts([])) == []


async def test_each_number_can_be_had_again_by_running_its_query_with_plain_sqlite(tmp_path: Path) -> None:
    path = a_day(tmp_path / "t.db")
    reader = source(path, timezone=ZoneInfo("Europe/Berlin"))
    days = Calendar(ZoneInfo("Europe/Berlin")).days(datetime(2026, 2, 15, 2, 30, tzinfo=UTC), 3)
    all_counts = await reader.task_counts(days)
    assert [counts.total() for counts in all_counts] == [0, 0, 0, 10]
    with closing(sqlite3.connect(path)) as connection:
        for counts in all_counts:
            again = connection.execute(counts.query.sql, dict(counts.query.parameters)).fetchall()
            assert {(kind, status): count for _, kind, status, count in again} == {
                (row.kind, row.status): row.count for row in counts.rows
            }


async def test_the_failures_can_be_had_again_by_running_their_query_with_plain_sqlite(tmp_path: Path) -> None:
    path = a_day(tmp_path / "t.db")
    reader: TelemetrySource = source(path)
    window = hours(DAY.start, 1)
    query = await reader.failures_query(window)
    with closing(sqlite3.connect(path)) as connection:
        again = [row[1] for row in connection.execute(query.sql, dict(query.parameters))]
    assert again == ["poll-failed-0", "send-failed-0"]
    assert [record.id async for batch in reader.failures(window) for record in batch] == again


async def test_every_column_is_read_where_there_is_one(tmp_path: Path) -> None:
    row = {
        "id": "a1",
        "status": "failed",
        "error": "ValueError: x",
        "created_at": NOON,
        "traceback": "Traceback …",
        "agent": "email",
        "kind": "imap.poll",
        "started_at": "2026-02-15 13:00:01+01:00",
        "finished_at": 1771156803,
        "parent_id": "a0",
        "retries": 2,
        "input": '{"folder": "INBOX"}',
        "version": "4f2a91c",
    }
    noon = datetime(2026, 2, 15, 12, tzinfo=UTC)
    (found,) = await failed_tasks(source(make(tmp_path / "t.db", FULL, [row])))
    times = {"created_at": noon, "started_at": noon + timedelta(seconds=1), "finished_at": noon + timedelta(seconds=3)}
    assert found == TaskRecord(project="demo", **{**row, **times})  # type: ignore[arg-type]


async def test_absent_columns_are_none(tmp_path: Path) -> None:
    (found,) = await failed_tasks(source(make(tmp_path / "t.db", PLAIN, [task(1, NOON)])))
    created_at = datetime(2026, 2, 15, 12, tzinfo=UTC)
    assert found == TaskRecord(project="demo", id="t1", status="failed", error="E: x", created_at=created_at)


async def test_failures_come_oldest_first_whatever_form_their_time_has(tmp_path: Path) -> None:
    rows = [
        task(1, "2026-02-15T12:00:03Z"),
        task(2, "2026-02-15T14:00:01+02:00"),
        task(3, 1771156800),
        task(4, "2026-02-15 13:00:02"),
        task(5, 1771156802500),
        task(6, "2026-02-15 13:00:02"),
    ]
    reader = source(make(tmp_path / "t.db", PLAIN, rows), timezone=ZoneInfo("Europe/Berlin"))
    assert [record.id for record in await failed_tasks(reader)] == ["t3", "t2", "t4", "t6", "t5", "t1"]


async def test_only_the_statuses_that_mean_failure_are_failures(tmp_path: Path) -> None:
    rows = [task(1, NOON, "done"), task(2, NOON, "error"), task(3, NOON, 3), task(4, NOON, b"error"), task(5, NOON)]
    reader = source(make(tmp_path / "t.db", PLAIN, rows), failed=("error", "3"))
    assert [record.id for record in await failed_tasks(reader)] == ["t2", "t3", "t4"]
    (counts,) = await reader.task_counts([DAY])
    assert counts.failed() == 3


async def test_many_failures_come_in_batches_and_none_is_lost(tmp_path: Path) -> None:
    rows = [task(n, DAY.start.timestamp() + n) for n in range(1_100)]
    reader = source(make(tmp_path / "t.db", PLAIN, rows))
    batches = [batch async for batch in reader.failures(DAY)]
    assert len(batches) > 1
    assert [record.id for batch in batches for record in batch] == [f"t{n}" for n in range(1_100)]


async def test_tasks_that_vanish_while_we_read_are_left_out(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(n, DAY.start.timestamp() + n) for n in range(600)])
    batches = source(path).failures(DAY)
    first = await anext(aiter(batches))
    with closing(sqlite3.connect(path)) as connection, connection:  # our reader holds no lock between batches
        connection.execute("DELETE FROM tasks WHERE id = 't599'")
        connection.execute("UPDATE tasks SET status = 'done' WHERE id = 't598'")
    rest = [record.id async for batch in batches for record in batch]
    assert len(first) + len(rest) == 598


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        ('CREATE TABLE "od""d {table}" (id, status, error, created_at)', 'od"d {table}'),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, status, error, created_at) WITHOUT ROWID", "t"),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, status, error, created_at)", "T"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, status, error, created_at, rowid TEXT, _rowid_ TEXT)", "t"),
    ],
)
async def test_any_kind_of_table_is_read(tmp_path: Path, schema: str, table: str) -> None:
    rows = [{"id": 2, "status": "failed", "created_at": NOON}, {"id": 1, "status": "failed", "created_at": NOON}]
    reader = source(make(tmp_path / "t.db", schema, rows, table), table=table)
    assert sorted(record.id for record in await failed_tasks(reader)) == ["1", "2"]
    assert (await reader.task_counts([DAY]))[0].total() == 2
    assert await reader.describe() == f"{table}: 2 rows, newest {NOON}, columns id, status, error, created_at"


async def test_a_view_is_read_even_if_its_ids_repeat(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(1, NOON), task(2, "2026-02-15T12:00:01Z")])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW jobs AS SELECT 'same' AS id, status, error, created_at FROM tasks")
    reader = source(path, table="jobs")
    assert [record.created_at.second for record in await failed_tasks(reader)] == [0, 1]
    noon = datetime(2026, 2, 15, 12, tzinfo=UTC)
    assert [record.created_at.second for record in await failed_tasks(reader, Window(noon, DAY.end))] == [0, 1]
    after = Window(noon + timedelta(seconds=1), DAY.end)
    assert [record.created_at.second for record in await failed_tasks(reader, after)] == [1]


async def test_columns_are_found_under_their_own_names(tmp_path: Path) -> None:
    schema = 'CREATE TABLE tasks (id, "sta""te; DROP TABLE tasks" TEXT, ERROR TEXT, at TEXT)'
    rows = [{"id": 1, 'sta"te; DROP TABLE tasks': "failed", "error": "E: x", "at": NOON}]
    reader = source(
        make(tmp_path / "t.db", schema, rows), columns={"status": 'sta"te; DROP TABLE tasks', "created_at": "at"}
    )
    assert [record.error for record in await failed_tasks(reader)] == ["E: x"]


async def test_any_stored_type_of_text_is_taken(tmp_path: Path) -> None:
    errors: list[object] = [None, 7, 1.5, b"E: \xff\x00", "", "a\0b"]
    path = make(tmp_path / "t.db", PLAIN, [task(n, NOON, error=error) for n, error in enumerate(errors)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO tasks VALUES (9, 'failed', CAST(x'453A20ED' AS TEXT), ?)", [NOON])
        connection.execute("INSERT INTO tasks VALUES (NULL, 'failed', 'no id', ?)", [NOON])
    found = [record.error for record in await failed_tasks(source(path))]
    assert found == [None, "7", "1.5", "E: \ufffd\ufffd", "", "a\ufffdb", "E: \ufffd", "no id"]


async def test_odd_retries_are_no_number(tmp_path: Path) -> None:
    values: list[object] = [None, 3, "4", 5.0, "many", float("inf"), b"1"]
    schema = "CREATE TABLE tasks (id, status, error, created_at, retries)"
    rows = [{**task(n, NOON), "retries": value} for n, value in enumerate(values)]
    found = [record.retries for record in await failed_tasks(source(make(tmp_path / "t.db", schema, rows)))]
    assert found == [None, 3, 4, 5, None, None, None]


async def test_every_text_is_redacted_once(tmp_path: Path) -> None:
    seen: list[str] = []

    def redact(text: str) -> str:
        seen.append(text)
        return text.replace("secret", "[…]")

    rows = [
        {
            **task(n, NOON, error=f"E: secret {n % 2}"),
            "id": f"secret-{n}",
            "parent_id": "P secret",
            "traceback": "T secret",
            "input": "I secret",
            "kind": "k",
        }
        for n in range(100)
    ]
    found = await failed_tasks(source(make(tmp_path / "t.db", FULL, rows), redact=redact))
    assert {(record.error, record.traceback, record.input) for record in found} == {
        (f"E: […] {n}", "T […]", "I […]") for n in range(2)
    }
    assert [record.id for record in found] == [f"[…]-{n}" for n in range(100)]
    assert {record.parent_id for record in found} == {"P […]"}
    texts = ["E: secret 0", "E: secret 1", "I secret", "P secret", "T secret", "k"]
    assert sorted(seen) == sorted([*texts, *(f"secret-{n}" for n in range(100))])


async def test_ids_with_secrets_in_them_are_redacted_and_still_lead_to_their_rows(tmp_path: Path) -> None:
    schema = "CREATE TABLE tasks (id TEXT PRIMARY KEY, status, error, created_at) WITHOUT ROWID"
    rows = [{**task(n, NOON), "id": f"{n:03} ada@example.org"} for n in range(600)]
    reader = source(make(tmp_path / "t.db", schema, rows), redact=lambda text: text.replace("ada@", "[…]"))
    assert [record.id for record in await failed_tasks(reader)] == [f"{n:03} […]example.org" for n in range(600)]


@pytest.mark.parametrize("letter", ["a", "ä", "🙂"])
@pytest.mark.parametrize("size", [MAX_TEXT + 1, 120_000, 1_000_000])
async def test_a_long_text_keeps_head_and_tail_and_is_noted(tmp_path: Path, letter: str, size: int) -> None:
    error = f"HEAD{letter * size}TAIL"
    reader = source(make(tmp_path / "t.db", PLAIN, [task(1, NOON, error=error), task(2, NOON)]))
    found = (await failed_tasks(reader))[0].error or ""
    assert len(found) <= MAX_TEXT
    assert found.startswith(f"HEAD{letter}")
    assert found.endswith(f"{letter}TAIL")
    assert "\ufffd" not in found
    assert await reader.notes() == ["1 text longer than 64,000 characters was cut in the middle."]
    await failed_tasks(reader)
    assert len(await reader.notes()) == 1


@pytest.mark.parametrize("place", range(31_000, 33_000, 97))
async def test_no_half_of_a_secret_remains_where_a_text_is_cut(tmp_path: Path, place: int) -> None:
    secret = "s3cr3t" * 20
    text = f"{'a' * place}{secret}{'a' * 200_000}{secret}{'a' * place}"
    path = make(tmp_path / "t.db", PLAIN, [task(1, NOON, error=text)])
    (found,) = await failed_tasks(source(path, redact=lambda text: text.replace(secret, "[…]")))
    assert "3" not in (found.error or "")


async def test_a_live_wal_writer_is_read_and_not_disturbed(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO tasks VALUES (1, 'failed', 'E', ?)", [NOON])
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO tasks VALUES (2, 'failed', 'not committed', ?)", [NOON])
        reader = source(path)
        assert [record.id for record in await failed_tasks(reader)] == ["1"]
        writer.execute("COMMIT")
        assert [record.id for record in await failed_tasks(reader)] == ["1", "2"]


async def test_the_loop_goes_on_while_a_lock_is_waited_for(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(1, NOON)])
    reader = source(path, busy_timeout=600)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        waiting = asyncio.create_task(reader.task_counts([ALL]))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        writer.execute("COMMIT")  # by this very thread: a blocked loop would never come here
    assert (await waiting)[0].total() == 1


async def test_a_cancelled_reader_does_not_wait_for_its_statement(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 1 AS status, 1 AS error"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE VIEW endless AS {endless}, 1771156800 AS created_at FROM n")
    reading = asyncio.create_task(source(path, table="endless").task_counts([ALL]))
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_an_empty_table_has_no_tasks(tmp_path: Path) -> None:
    reader = source(make(tmp_path / "t.db", FULL))
    assert (await reader.task_counts([ALL]))[0].rows == ()
    assert await failed_tasks(reader) == []
    assert (await reader.describe()).startswith("tasks: 0 rows, no times yet, columns id, status")


async def test_ids_that_cannot_name_a_row_are_refused_where_rows_have_no_numbers(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [{**task(1, NOON), "id": b"\x01"}])
    assert len(await failed_tasks(source(path))) == 1
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW jobs AS SELECT * FROM tasks")
    with pytest.raises(TelemetryError, match="no row ids"):
        await failed_tasks(source(path, table="jobs"))
