"""The search for row ids leaves nothing out that belongs to a window, and little else in."""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.telemetry.rowids import FIRST, LAST, MARGIN, RowIds, Sample, search

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Table:
    """Rows in memory: row id → time."""

    def __init__(self, rows: dict[int, datetime | None]) -> None:
        self.rows = rows
        self.ids = sorted(rows)
        self.looks = 0

    async def look(self, places: Sequence[int]) -> Iterable[Sample]:
        """What a table would answer."""
        self.looks += len(places)
        found = {self.ids[at] for place in places if (at := bisect_left(self.ids, place)) < len(self.ids)}
        return [Sample(rowid, self.rows[rowid]) for rowid in found]

    def search(self, start: datetime, end: datetime) -> RowIds:
        """The answer for a window."""
        return asyncio.run(search(self.look, self.ids[0], self.ids[-1], start, end))

    def within(self, start: datetime, end: datetime) -> set[int]:
        """What plain reading finds."""
        return {rowid for rowid, at in self.rows.items() if at is not None and start <= at < end}


def growing(count: int, days: float, rng: random.Random, *, late: timedelta = timedelta(), gaps: int = 1) -> Table:
    """A table that grew for some days; each row is up to ``late`` late, and row ids are missing."""
    rows: dict[int, datetime | None] = {}
    rowid = rng.randrange(-1000, 1000)
    for number in range(count):
        rowid += rng.randint(1, gaps)
        rows[rowid] = BEGIN + days * DAY * number / count - rng.random() * late
    return Table(rows)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(300, 5_000), st.floats(1, 90), st.floats(0, 0.999), st.integers(1, 50), st.floats(-0.2, 1.2), st.data()
)
def test_whatever_order_rows_have_within_the_margin_none_is_missed(
    count: int, days: float, late: float, gaps: int, place: float, data: st.DataObject
) -> None:
    table = growing(count, days, random.Random(count), late=late * MARGIN, gaps=gaps)
    start = BEGIN + days * DAY * place
    end = start + data.draw(st.floats(0, 10)) * DAY
    found = table.search(start, end)
    assert all(found.low <= rowid <= found.high for rowid in table.within(start, end))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60 * 1440), min_size=1, max_size=250), st.integers(0, 60 * 1440), st.integers(0, 20_000))
def test_a_table_that_the_samples_see_as_a_whole_is_never_read_wrong(
    minutes: list[int], begin: int, length: int
) -> None:
    table = Table({number: BEGIN + minute * MINUTE for number, minute in enumerate(minutes)})
    start = BEGIN + begin * MINUTE
    end = start + length * MINUTE
    found = table.search(start, end)
    assert all(found.low <= rowid <= found.high for rowid in table.within(start, end))


def test_little_more_than_the_window_and_the_margins_is_read_and_few_rows_are_looked_at() -> None:
    table = growing(200_000, 100, random.Random(1), late=timedelta(hours=1), gaps=3)
    found = table.search(BEGIN + 50 * DAY, BEGIN + 57 * DAY)
    read = sum(found.low <= rowid <= found.high for rowid in table.ids)
    assert read < 200_000 * 9.2 / 100
    assert table.looks < 1_000


def test_the_newest_rows_are_read_to_the_end_even_if_more_come() -> None:
    table = growing(50_000, 90, random.Random(2))
    found = table.search(BEGIN + 82 * DAY, BEGIN + 90 * DAY)
    assert found.low > FIRST
    assert found.high == LAST


def test_rows_in_any_order_are_all_read() -> None:
    times = [BEGIN + 90 * DAY * number / 20_000 for number in range(20_000)]
    for seed in range(20):
        random.Random(seed).shuffle(times)
        assert Table(dict(enumerate(times))).search(BEGIN + 82 * DAY, BEGIN + 90 * DAY).all
    assert Table(dict(enumerate(sorted(times, reverse=True)))).search(BEGIN + 40 * DAY, BEGIN + 47 * DAY).all


def test_a_clock_that_was_set_back_for_some_days_is_noticed() -> None:
    for days in (2, 5, 20):
        table = growing(90_000, 90, random.Random(3))
        for rowid in table.ids[60_000 : 60_000 + days * 1_000]:
            table.rows[rowid] = (table.rows[rowid] or BEGIN) - 40 * DAY
        for start in (15, 25, 35, 55, 75):
            window = (BEGIN + start * DAY, BEGIN + (start + 7) * DAY)
            found = table.search(*window)
            assert all(found.low <= rowid <= found.high for rowid in table.within(*window))


def test_old_rows_that_were_written_last_do_not_mislead() -> None:
    """An import of old tasks lies where the newest rows are expected: the rows before it are read all the same."""
    for imported in (1, 10, 100, 1_000, 10_000):
        table = growing(90_000, 90, random.Random(4))
        last = table.ids[-1]
        table = Table(table.rows | {last + 1 + number: BEGIN + number * MINUTE for number in range(imported)})
        window = (BEGIN + 83 * DAY, BEGIN + 90 * DAY)
        found = table.search(*window)
        assert all(found.low <= rowid <= found.high for rowid in table.within(*window))
        assert found.low > FIRST


def test_rows_without_a_time_and_rows_of_1970_cost_nothing() -> None:
    table = growing(90_000, 90, random.Random(5))
    rng = random.Random(6)
    for rowid in rng.sample(table.ids, 30_000):
        table.rows[rowid] = rng.choice([None, datetime(1970, 1, 1, tzinfo=UTC)])
    window = (BEGIN + 83 * DAY, BEGIN + 90 * DAY)
    found = table.search(*window)
    assert all(found.low <= rowid <= found.high for rowid in table.within(*window))
    assert sum(found.low <= rowid for rowid in table.ids) < 15_000


def test_row_ids_at_the_ends_of_what_there_is_are_searched() -> None:
    step = (LAST - FIRST) // 1_000
    rows = {FIRST + number * step: BEGIN + number * DAY / 10 for number in range(1_000)} | {LAST: BEGIN + 100 * DAY}
    table = Table(dict(rows))
    window = (BEGIN + 40 * DAY, BEGIN + 50 * DAY)
    found = table.search(*window)
    assert all(found.low <= rowid <= found.high for rowid in table.within(*window))
    assert not found.all


def test_row_ids_that_are_all_in_one_corner_are_all_read() -> None:
    rows = {-(2**60): BEGIN, **{number: BEGIN + number * MINUTE for number in range(50_000)}}
    assert Table(dict(rows)).search(BEGIN + 20 * DAY, BEGIN + 25 * DAY).all
