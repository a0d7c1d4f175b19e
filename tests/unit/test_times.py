"""What local times without an offset mean."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.telemetry.times import first_local, from_microseconds, local_to_utc, microseconds, with_z

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), timezone(timedelta(hours=-9.5))]

instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-02-15T06:00:00", "2026-02-15T05:00:00"),
        ("2026-07-15T06:00:00", "2026-07-15T04:00:00"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00"),  # twice: the first pass
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00"),
        ("2026-03-29T02:30:00", "2026-03-29T01:00:00"),  # skipped: the jump
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00"),
    ],
)
def test_a_local_time_means_its_first_pass_and_a_skipped_one_the_jump(written: str, meant: str) -> None:
    assert local_to_utc(datetime.fromisoformat(written), BERLIN) == utc(meant)


@given(instants, st.integers(0, 4 * 3600), st.sampled_from(ZONES))
def test_a_later_local_time_never_means_an_earlier_instant(instant: datetime, later: int, zone: ZoneInfo) -> None:
    written = instant.replace(tzinfo=None)
    assert local_to_utc(written, zone) <= local_to_utc(written + timedelta(seconds=later), zone)


@given(instants, st.sampled_from(ZONES))
def test_the_first_local_time_is_where_a_window_begins(instant: datetime, zone: ZoneInfo) -> None:
    first = first_local(instant, zone)
    assert local_to_utc(first, zone) >= instant
    assert local_to_utc(first - timedelta(microseconds=1), zone) < instant


@pytest.mark.parametrize(
    ("instant", "first"),
    [
        ("2026-02-14T23:00:00", "2026-02-15T00:00:00"),
        ("2026-10-25T01:30:00", "2026-10-25T03:00:00"),  # within the second pass, which no local time means
        ("2026-03-29T01:00:00", "2026-03-29T02:00:00"),  # the jump: all skipped times mean it
    ],
)
def test_windows_begin_at_the_right_local_time_where_clocks_change(instant: str, first: str) -> None:
    assert first_local(utc(instant), BERLIN) == datetime.fromisoformat(first)


@given(instants)
def test_microseconds_lose_nothing(instant: datetime) -> None:
    assert from_microseconds(microseconds(instant)) == instant


def test_times_are_written_with_z_and_microseconds_only_where_there_are_any() -> None:
    assert with_z(utc("2026-02-15T06:00:00")) == "2026-02-15T06:00:00Z"
    assert with_z(datetime.fromisoformat("2026-02-15T08:00:00.25+02:00")) == "2026-02-15T06:00:00.250000Z"
