"""Rows found by row id are those that reading the whole table finds."""

import random
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprover.domain import Calendar, Window
from selfimprover.telemetry import reach
from selfimprover.telemetry.reach import Way
from selfimprover.telemetry.sqlite import SqliteSource
from tests.integration.telemetry_tables import make

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NUMBERED = "CREATE TABLE tasks (id INTEGER PRIMARY KEY, status, error, created_at)"

Rows = list[tuple[int, str, str, object]]


def table(path: Path, rows: Rows, schema: str = NUMBERED) -> Path:
    """A table of the given rows alone."""
    path.unlink(missing_ok=True)
    make(path, schema)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO tasks (id, status, error, created_at) VALUES (?, ?, ?, ?)", rows)
    return path


def reader(path: Path, *, small: int = 100) -> SqliteSource:
    """A reader; a large ``small`` reads every row."""
    return SqliteSource("demo", path, redact=str, small=small)


async def way(path: Path, window: Window) -> Way:
    """How the rows of a window are found."""
    source = reader(path)
    return (await source._database.read(lambda connection: source._reach(connection, [window]))).way


async def same_by_both_ways(path: Path, windows: list[Window]) -> None:
    """Compares counts and failures with those of a reader that reads every row."""
    found, plain = reader(path), reader(path, small=10**30)
    counts = await found.task_counts(windows)
    assert [one.rows for one in counts] == [one.rows for one in await plain.task_counts(windows)]
    for window in windows:
        assert [b async for batch in found.failures(window) for b in batch] == [
            b async for batch in plain.failures(window) for b in batch
        ]
    with closing(sqlite3.connect(path)) as connection:
        for one in counts:
            again: Counter[tuple[object, object]] = Counter()
            for _, kind, status, count in connection.execute(one.query.sql, dict(one.query.parameters)):
                again[kind, status] += count
            assert again == {(row.kind, row.status): row.count for row in one.rows}


def written(at: datetime, rng: random.Random) -> object:
    """One of the usual forms of a time, or now and then something else."""
    forms: list[object] = [
        at.isoformat().replace("+00:00", "Z"),
        at.isoformat(),
        at.strftime("%Y-%m-%d %H:%M:%S"),
        at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        int(at.timestamp()),
        int(at.timestamp() * 1000),
        at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + "-00:30",
    ]
    odd: list[object] = [None, b"\x00", "soon", "1970-01-01T00:00:00Z", 0, "2026-02-30T00:00:00Z"]
    return rng.choice(odd) if rng.random() < 0.02 else rng.choice(forms) if rng.random() < 0.2 else forms[0]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(150, 1_500), st.floats(5, 60), st.floats(0, 0.99), st.booleans(), st.data())
async def test_bisection_gives_exactly_what_a_full_scan_gives(
    tmp_path: Path, seed: int, count: int, days: float, late: float, deleted: bool, data: st.DataObject
) -> None:
    """For rows up to a day late, with gaps, deleted rows, negative row ids, mixed forms and rows without a time."""
    rng = random.Random(seed)
    rows: Rows = []
    number = rng.randrange(-500, 500)
    for place in range(count):
        number += rng.randint(1, 4)
        at = BEGIN + days * DAY * place / count - timedelta(seconds=rng.random() * late * 86_400)
        rows.append((number, rng.choice(["done", "failed", "running"]), f"E: {place % 7}", written(at, rng)))
    if deleted:
        first = rng.randrange(count)
        del rows[first : first + count // 4]
    path = table(tmp_path / "t.db", rows)
    start = BEGIN + data.draw(st.floats(-0.1, 1.1)) * days * DAY
    end = start + data.draw(st.floats(0, 8)) * DAY
    await same_by_both_ways(path, [Window(start, end), *Calendar(UTC).days(end, 2)])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.sampled_from(["shuffled", "set back", "imported", "reversed"]))
async def test_a_table_out_of_order_is_read_right(tmp_path: Path, seed: int, how: str) -> None:
    rng = random.Random(seed)
    times = [BEGIN + 40 * DAY * place / 1_000 for place in range(1_000)]
    if how == "shuffled":
        rng.shuffle(times)
    elif how == "reversed":
        times.reverse()
    elif how == "set back":
        first = rng.randrange(800)
        times[first : first + 200] = [at - 15 * DAY for at in times[first : first + 200]]
    else:
        times += [BEGIN + 3 * DAY * place / 300 for place in range(300)]
    rows: Rows = [(number, "failed", "E", at.isoformat()) for number, at in enumerate(times)]
    path = table(tmp_path / "t.db", rows)
    await same_by_both_ways(path, [Window(BEGIN + 33 * DAY, BEGIN + 41 * DAY), Window(BEGIN, BEGIN + 8 * DAY)])


@pytest.fixture
def ordered(tmp_path: Path) -> Path:
    """A row every ten minutes for forty days."""
    return table(tmp_path / "t.db", [(n, "failed", "E", (BEGIN + n * DAY / 144).isoformat()) for n in range(40 * 144)])


LAST_WEEK = Window(BEGIN + 33 * DAY, BEGIN + 40 * DAY)


async def test_how_rows_are_found_depends_on_the_table(ordered: Path, tmp_path: Path) -> None:
    assert await way(ordered, LAST_WEEK) is Way.BY_ROW_ID
    rows: Rows = [(n, "failed", "E", (BEGIN + n % 40 * DAY).isoformat()) for n in range(1_000)]
    assert await way(table(tmp_path / "mixed.db", rows), LAST_WEEK) is Way.ALL
    assert await way(table(tmp_path / "small.db", rows[:50]), LAST_WEEK) is Way.SMALL
    unnumbered = "CREATE TABLE tasks (id TEXT PRIMARY KEY, status, error, created_at) WITHOUT ROWID"
    assert await way(table(tmp_path / "without.db", rows, unnumbered), LAST_WEEK) is Way.UNNUMBERED
    with closing(sqlite3.connect(ordered)) as connection:
        connection.execute("CREATE INDEX by_time ON tasks (created_at)")
    assert await way(ordered, LAST_WEEK) is Way.BY_INDEX
    await same_by_both_ways(ordered, [LAST_WEEK])


async def test_a_statement_looks_at_the_rows_of_the_window_and_its_margins_alone(ordered: Path) -> None:
    source = reader(ordered)
    for query in ((await source.task_counts([LAST_WEEK]))[0].query, await source.failures_query(LAST_WEEK)):
        low = query.parameters["low"]
        assert isinstance(low, int)
        assert 31.5 * 144 - 500 < low <= 32 * 144
        with closing(sqlite3.connect(ordered)) as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query.sql}", dict(query.parameters)).fetchall()
        assert any("USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in line[3] for line in plan)
        assert not any(line[3].startswith("SCAN t") for line in plan)


async def test_rows_are_read_in_stretches_each_in_a_transaction_of_its_own(
    ordered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer gets its turn to empty the WAL between two of them, and none is read twice or left out."""
    monkeypatch.setattr(reach, "_ROWS_AT_FIRST", 100)
    monkeypatch.setattr(reach, "_ROWS_AT_LEAST", 1)
    monkeypatch.setattr(reach, "_MOST_GROWTH", 1)
    source = reader(ordered)
    bounds = await source._database.read(lambda connection: source._reach(connection, [LAST_WEEK]))
    parameters = [one async for one in reach.stretches(bounds)]
    assert len(parameters) > 10
    assert parameters[0]["low"] == bounds.ids.low
    assert parameters[-1]["high"] == bounds.ids.high
    assert all(one["high"] + 1 == two["low"] for one, two in pairwise(parameters))
    await same_by_both_ways(ordered, [LAST_WEEK])


async def test_tasks_that_are_written_while_we_read_are_in_the_last_stretch(ordered: Path) -> None:
    source = reader(ordered)
    found = await source._database.read(lambda connection: source._reach(connection, [LAST_WEEK]))
    assert [one async for one in reach.stretches(found)][-1]["high"] == 2**63 - 1


@pytest.mark.parametrize("rows", [0, 1])
async def test_a_table_of_no_row_or_one_is_read(tmp_path: Path, rows: int) -> None:
    made: Rows = [(2**63 - 1, "failed", "E", (BEGIN + 35 * DAY).isoformat())]
    path = table(tmp_path / "t.db", made[:rows])
    assert sum([len(batch) async for batch in reader(path).failures(LAST_WEEK)]) == rows
