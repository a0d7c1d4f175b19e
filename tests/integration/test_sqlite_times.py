"""Windows over times of every form: exact to the microsecond, also where forms are mixed and clocks change."""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprover.domain import Calendar, Window
from selfimprover.errors import TelemetryError
from tests.integration.telemetry_tables import ALL, PLAIN, failed_tasks, make, source, task

BERLIN = ZoneInfo("Europe/Berlin")
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCHEMAS = [PLAIN.replace("created_at", f"created_at {kind}") for kind in ("", "TEXT", "TIMESTAMP", "REAL")]


def _meaning(naive: datetime, zone: tzinfo) -> datetime:
    """What a local time means, found the slow way: the first instant whose local time is not before it."""
    instant = naive.replace(tzinfo=UTC) - timedelta(hours=15)
    for step in (timedelta(minutes=15), timedelta(seconds=1), MICROSECOND):
        while (instant + step).astimezone(zone).replace(tzinfo=None) <= naive:
            instant += step
            if instant.astimezone(zone).replace(tzinfo=None) == naive:
                return instant
    return instant + MICROSECOND


def _forms(instant: datetime, zone: tzinfo) -> Sequence[tuple[object, datetime]]:
    """``instant`` in every form that is understood, each with the instant that the form can tell."""
    whole = instant.replace(microsecond=0)
    millis = (instant - EPOCH) // timedelta(milliseconds=1)
    at_millis = EPOCH + timedelta(milliseconds=millis)
    east = instant.astimezone(timezone(timedelta(hours=5, minutes=45)))
    west = instant.astimezone(timezone(-timedelta(hours=3)))
    local = instant.astimezone(zone).replace(tzinfo=None, fold=0)
    z = instant.replace(tzinfo=None)
    return [
        (f"{z.isoformat()}Z", instant),
        (f"{z.isoformat(' ', 'milliseconds')}Z", at_millis),
        (f"{z.isoformat(' ', 'microseconds')}999Z", instant),
        (east.isoformat(), instant),
        (east.strftime("%Y-%m-%d %H:%M:%S.%f%z"), instant),
        (f"{west.strftime('%Y-%m-%d %H:%M:%S.%f')}-03", instant),
        (local.isoformat(), _meaning(local, zone)),
        (f"{local:%Y-%m-%d %H:%M:%S}", _meaning(local.replace(microsecond=0), zone)),
        ((whole - EPOCH) // timedelta(seconds=1), whole),
        ((instant - EPOCH) / timedelta(seconds=1), instant),
        (millis, at_millis),
        (str((whole - EPOCH) // timedelta(seconds=1)), whole),
        (f"{(whole - EPOCH) // timedelta(seconds=1)}.{instant.microsecond:06}", instant),
        (str(millis), at_millis),
    ]


# Around a start of day, both changes of the clocks in Berlin, and a turn of the year.
anchors = st.sampled_from(
    [
        datetime(2026, 2, 14, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2025, 12, 31, 23, tzinfo=UTC),
    ]
)
shifts = st.one_of(
    st.sampled_from([timedelta(), MICROSECOND, -MICROSECOND, timedelta(hours=1), -timedelta(hours=1)]),
    st.integers(-3 * 86_400_000_000, 3 * 86_400_000_000).map(lambda count: count * MICROSECOND),
)
zones = st.sampled_from([UTC, BERLIN, ZoneInfo("America/St_Johns"), timezone(timedelta(hours=14))])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anchors, st.lists(shifts, min_size=2, max_size=6), st.lists(shifts, min_size=1, max_size=6), zones, st.data())
async def test_windows_hold_exactly_the_tasks_that_plain_python_says(
    tmp_path: Path,
    anchor: datetime,
    edges: list[timedelta],
    places: list[timedelta],
    zone: tzinfo,
    data: st.DataObject,
) -> None:
    bounds = sorted(anchor + shift for shift in edges)
    windows = [Window(start, end) for start, end in pairwise(bounds)]
    schema = data.draw(st.sampled_from(SCHEMAS))
    written = [form for shift in places for form in _forms(anchor + shift, zone)]
    if schema.endswith("TEXT)"):  # there SQLite keeps only 15 digits of a real number
        written = [form for form in written if not isinstance(form[0], float)]
    path = tmp_path / "t.db"
    path.unlink(missing_ok=True)
    make(path, schema, [task(number, value) for number, (value, _) in enumerate(written)])
    if data.draw(st.booleans()):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE INDEX by_time ON tasks (created_at)")
    reader = source(path, timezone=zone)
    for counts in await reader.task_counts(windows):
        inside = {f"t{n}": meant for n, (_, meant) in enumerate(written) if meant in counts.window}
        assert counts.total() == len(inside)
        failed = await failed_tasks(reader, counts.window)
        assert {record.id: record.created_at for record in failed} == inside
    assert await reader.notes() == []


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-02-15", 24)])
async def test_a_local_day_has_all_its_hours(tmp_path: Path, day: str, length: int) -> None:
    start = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=BERLIN).astimezone(UTC)
    rows = [task(n, (start + timedelta(hours=n, minutes=-30)).isoformat()) for n in range(-3, 30)]
    at = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=BERLIN) + timedelta(days=1)
    (counts,) = await source(make(tmp_path / "t.db", PLAIN, rows)).task_counts([Calendar(BERLIN).yesterday(at)])
    assert counts.total() == length


async def test_times_without_an_offset_are_in_the_zone_of_the_telemetry(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(1, "2026-02-15 00:30:00")])
    for zone, hour in ((UTC, 0), (ZoneInfo("America/New_York"), 5), (ZoneInfo("Asia/Kolkata"), -5)):
        (found,) = await failed_tasks(source(path, timezone=zone))
        assert (found.created_at - datetime(2026, 2, 15, tzinfo=UTC)) // timedelta(hours=1) == hour


UNREADABLE = [
    None,
    "",
    "yesterday",
    "now",
    "12:00",
    "2026-02-30T00:00:00Z",
    "2026-02-15T24:00:00Z",
    "2026-02-15T23:59:60Z",
    "2026-13-01T00:00:00Z",
    "2026-02-15",
    "2026-02-15T06:00:00.Z",
    "2026-02-15T06:00:00.1.2",
    "2026-02-15T06:00:00+02:00x",
    "2026-02-15T06:00:00+99:00",
    "2026-02-15T06:00:00 UTC",
    "15.02.2026 06:00:00",
    b"2026-02-15T06:00:00Z",
    -1,
    0,
    20260215,
    2461086.5,
    float("inf"),
    1771156800 * 10**6,
    "1771156800Z",
    "9" * 5000,
]


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_what_is_no_time_is_left_out_and_noted(tmp_path: Path, schema: str) -> None:
    rows = [task(n, value) for n, value in enumerate(UNREADABLE)]
    reader = source(make(tmp_path / "t.db", schema, [*rows, task(99, "2026-02-15T06:00:00Z")]))
    assert [record.id for record in await failed_tasks(reader)] == ["t99"]
    (counts,) = await reader.task_counts([Window(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))])
    assert counts.total() == 1
    (note,) = await reader.notes()
    odd = len(UNREADABLE)
    assert note.startswith(f"{odd} of the {odd + 1} rows looked at have a time that cannot be read, for example ")


async def test_the_example_of_an_unreadable_time_is_short_redacted_and_harmless(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(1, f"secret\x1b[31m{'x' * 500}")])
    with pytest.raises(TelemetryError) as caught:
        await failed_tasks(source(path, redact=lambda text: text.replace("secret", "[…]")))
    assert caught.value.what.startswith("unknown time format in created_at: '")
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(caught.value.what) < 120
    assert "2026-02-15T06:00:00Z" in caught.value.mend
    assert "columns = { created_at" in caught.value.mend


async def test_odd_times_of_start_and_end_are_none(tmp_path: Path) -> None:
    schema = "CREATE TABLE tasks (id, status, error, created_at, started_at, finished_at)"
    row = {**task(1, "2026-02-15T06:00:00Z"), "started_at": "0000-01-01T00:00:00Z", "finished_at": "soon"}
    (found,) = await failed_tasks(source(make(tmp_path / "t.db", schema, [row])))
    assert (found.started_at, found.finished_at) == (None, None)


async def test_only_the_newest_rows_decide_whether_times_can_be_read(tmp_path: Path) -> None:
    old = [task(n, "long ago") for n in range(50)]
    new = [task(100 + n, "2026-02-15T06:00:00Z") for n in range(100)]
    reader = source(make(tmp_path / "t.db", PLAIN, [*old, *new]))
    assert len(await failed_tasks(reader, ALL)) == 100
    assert await reader.notes() == []


async def test_an_index_on_the_bare_column_serves_the_counts(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [task(n, EPOCH.timestamp() + 1_771_000_000 + rng.random() * 1e6) for n in range(100)]
    path = make(tmp_path / "t.db", SCHEMAS[0], rows)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE INDEX by_time ON tasks (created_at)")
        (counts,) = await source(path).task_counts([ALL])
        plan = connection.execute(f"EXPLAIN QUERY PLAN {counts.query.sql}", dict(counts.query.parameters)).fetchall()
    assert any("by_time" in line[3] for line in plan)
    assert not any(line[3] == "SCAN t" for line in plan)
