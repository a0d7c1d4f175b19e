"""Days and windows: calendar days of a time zone, also where the clocks change."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from selfimprover.domain import Calendar, Window

BERLIN = Calendar(ZoneInfo("Europe/Berlin"))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo"])
INSTANTS = st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def test_today_is_seventeen_minutes_old_at_seventeen_past_midnight() -> None:
    at = datetime(2026, 2, 15, 23, 17, tzinfo=UTC)

    assert BERLIN.day_of(at) == date(2026, 2, 16)
    assert BERLIN.today(at) == Window(datetime(2026, 2, 15, 23, 0, tzinfo=UTC), at)
    assert BERLIN.yesterday(at).end == BERLIN.today(at).start


def test_the_error_window_begins_seven_days_before_midnight() -> None:
    at = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)

    assert Calendar(UTC).last(at, 7) == Window(datetime(2026, 2, 9, tzinfo=UTC), at)


def test_a_day_has_as_many_hours_as_the_clocks_give_it() -> None:
    spring = BERLIN.yesterday(datetime(2026, 3, 30, 12, tzinfo=UTC))
    autumn = BERLIN.yesterday(datetime(2026, 10, 26, 12, tzinfo=UTC))

    assert spring.end - spring.start == timedelta(hours=23)
    assert autumn.end - autumn.start == timedelta(hours=25)


@given(ZONES, INSTANTS, st.integers(1, 10))
def test_days_cover_the_window_without_gap_or_overlap(zone: str, at: datetime, count: int) -> None:
    calendar = Calendar(ZoneInfo(zone))

    days = calendar.days(at, count)

    assert len(days) == count + 1
    assert (days[0].start, days[-1].end) == (calendar.last(at, count).start, at)
    assert all(one.end == other.start for one, other in pairwise(days))


@given(ZONES, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_split_cuts_at_every_local_midnight_and_loses_nothing(zone: str, start: datetime, length: timedelta) -> None:
    calendar = Calendar(ZoneInfo(zone))
    window = Window(start, start + length)

    pieces = calendar.split(window)

    assert sum((piece.end - piece.start for piece in pieces), timedelta()) == length
    assert all(
        calendar.day_of(piece.start) == calendar.day_of(piece.end - timedelta(microseconds=1)) for piece in pieces
    )
