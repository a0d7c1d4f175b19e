"""When nights are due: one per local date, in every time zone, through every change of its clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.domain import Due, NightClock

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
CATCH_UP = timedelta(hours=20)


def clock(zone: str, at: time = time(0, 17)) -> NightClock:
    return NightClock(at, ZoneInfo(zone), CATCH_UP)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("at", [time(0, 17), time(2, 30)])
def test_every_zone_has_exactly_one_night_per_local_date_of_a_year(at: time) -> None:
    assert len(ZONES) > 400
    year = [date(2026, 1, 1) + timedelta(days=count) for count in range(365)]
    for zone in ZONES:
        night = utc("2025-12-30 00:00")
        days = []
        while (night := clock(zone, at).next_after(night)) < utc("2027-01-02 12:00"):
            days.append(night.astimezone(ZoneInfo(zone)).date())
        assert [day for day in days if day.year == 2026] == year, zone


@pytest.mark.parametrize(
    ("zone", "after", "begins"),
    [
        ("Europe/Berlin", "2026-03-28 12:00", "2026-03-28 23:17"),  # the night on which CronTrigger loses a day
        ("Europe/Berlin", "2026-03-28 23:17", "2026-03-29 22:17"),
        ("Asia/Beirut", "2026-03-28 12:00", "2026-03-28 22:17"),  # midnight is skipped: 00:17 does not exist
        ("America/Havana", "2026-10-31 23:00", "2026-11-01 04:17"),  # 00:17 comes twice: the first pass
        ("America/Havana", "2026-11-01 04:17", "2026-11-02 05:17"),
        ("Pacific/Apia", "2011-12-29 12:00", "2011-12-30 10:17"),  # the date 2011-12-30 was left out
        ("Pacific/Apia", "2011-12-30 10:17", "2011-12-31 10:17"),
    ],
)
def test_a_night_begins_where_the_wall_clock_says(zone: str, after: str, begins: str) -> None:
    assert clock(zone).next_after(utc(after)) == utc(begins)


@given(st.sampled_from(ZONES), st.integers(946_684_800, 2_208_988_800), st.times(timezones=st.none()))
def test_the_latest_night_and_the_next_one_have_none_between_them(zone: str, seconds: int, at: time) -> None:
    now, of_zone = datetime.fromtimestamp(seconds, UTC), clock(zone, at)

    latest = of_zone.latest(now)

    assert latest.at <= now < of_zone.next_after(now)
    assert of_zone.next_after(latest.at) == of_zone.next_after(now)
    assert of_zone.latest(latest.at) == latest


def test_a_night_is_due_until_it_is_too_late_for_it() -> None:
    berlin = clock("Europe/Berlin")
    night = Due(date(2026, 2, 16), utc("2026-02-15 23:17"))

    assert berlin.due(utc("2026-02-15 23:17")) == night
    assert berlin.due(utc("2026-02-16 19:17")) == night
    assert berlin.due(utc("2026-02-16 19:18")) is None
