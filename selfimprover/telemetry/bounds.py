"""The parameters by which the statements compare times with windows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from selfimprover.domain import Window
from selfimprover.telemetry import times

_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
_LATEST = datetime(9998, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SECONDS_OF_TEN_DIGITS = (10**9, 9 * 10**9)


def exact(window: Window, zone: tzinfo) -> dict[str, int]:
    """Start and end in microseconds since 1970, for times with an offset and for local times without one."""
    start, end = _usual(window.start), _usual(window.end)
    return {
        "start": times.microseconds(start),
        "end": times.microseconds(end),
        "local_start": times.microseconds(times.first_local(start, zone)),
        "local_end": times.microseconds(times.first_local(end, zone)),
    }


def near(windows: Sequence[Window]) -> dict[str, str | int]:
    """What the fragment ``near`` compares with: nothing of the windows lies outside, whatever its form."""
    first = min(_usual(window.start) for window in windows)
    last = max(_usual(window.end) for window in windows)
    seconds_from, seconds_to = (_ten_digits(first) - 1, _ten_digits(last) + 1)
    return {
        "day_from": (first - _DAY).date().isoformat(),
        "day_to": (last + 2 * _DAY).date().isoformat(),
        "digits_from": str(_within_ten_digits(seconds_from)),
        "digits_to": str(seconds_to),
        "seconds_from": seconds_from,
        "seconds_to": seconds_to,
    }


def _usual(instant: datetime) -> datetime:
    """Keeps the arithmetic of days and offsets within the calendar."""
    return min(max(instant, _EARLIEST), _LATEST)


def _ten_digits(instant: datetime) -> int:
    return _within_ten_digits(times.microseconds(instant) // 1_000_000)


def _within_ten_digits(seconds: int) -> int:
    least, most = _SECONDS_OF_TEN_DIGITS
    return min(max(seconds, least), most)
