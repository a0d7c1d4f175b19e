"""The parameters by which the statements compare times with windows."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from selfimprover.domain import Window
from selfimprover.telemetry import times

_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
_LATEST = datetime(9998, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_HOUR = 3_600_000_000
_FORM = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d((?:\.\d{1,9})?)(Z|\+00:00|)", re.ASCII)
_DAY_GLOB = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"
_CLOCK_GLOB = "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
_ANY_DIGIT = re.compile(r"\d", re.ASCII)
_SECONDS_OF_TEN_DIGITS = (10**9, 9 * 10**9)


def exact(window: Window, zone: tzinfo) -> dict[str, int]:
    """Start and end in microseconds since 1970, for times with an offset and for local times without one."""
    start, end = usual(window.start), usual(window.end)
    return {
        "start": times.microseconds(start),
        "end": times.microseconds(end),
        "local_start": times.microseconds(times.first_local(start, zone)),
        "local_end": times.microseconds(times.first_local(end, zone)),
    }


def near(windows: Sequence[Window]) -> dict[str, str | int]:
    """What the fragment ``near`` compares with: nothing of the windows lies outside, whatever its form."""
    first = min(usual(window.start) for window in windows)
    last = max(usual(window.end) for window in windows)
    seconds_from, seconds_to = (_ten_digits(first) - 1, _ten_digits(last) + 1)
    return {
        "day_from": (first - _DAY).date().isoformat(),
        "day_to": (last + 2 * _DAY).date().isoformat(),
        "digits_from": str(_within_ten_digits(seconds_from)),
        "digits_to": str(seconds_to),
        "seconds_from": seconds_from,
        "seconds_to": seconds_to,
    }


def usual_form(example: str | None) -> str:
    """A pattern (GLOB) of the texts that look like an example of a time in UTC, or of one without an offset.

    No text fits it if the example is neither.
    """
    form = None if example is None else _FORM.fullmatch(example)
    return f"{_DAY_GLOB}{form[1]}{_CLOCK_GLOB}{_ANY_DIGIT.sub('[0-9]', form[2])}{form[3]}" if form else ""


def says_utc(form: str) -> bool:
    """Whether the texts of a usual form have an offset."""
    return form.endswith(("Z", "+00:00"))


def hours(windows: Sequence[Window], zone: tzinfo, example: str | None) -> dict[str, str]:
    """What the fragment ``hour`` needs to know: the form of times, and the hours with an end of a window in them."""
    moments = {moment for window in windows for moment in exact(window, zone).values() if moment % _HOUR}
    ends = [times.from_microseconds(moment).strftime("%Y-%m-%d{}%H") for moment in sorted(moments)]
    return {
        "usual": (usual := usual_form(example)),
        "offset": "Z" if says_utc(usual) else "",
        "edges": json.dumps([end.format(separator) for end in ends for separator in "T "]),
    }


def usual(instant: datetime) -> datetime:
    """The instant, or the nearest with which the arithmetic of days and offsets stays within the calendar."""
    return min(max(instant, _EARLIEST), _LATEST)


def _ten_digits(instant: datetime) -> int:
    return _within_ten_digits(times.microseconds(instant) // 1_000_000)


def _within_ten_digits(seconds: int) -> int:
    least, most = _SECONDS_OF_TEN_DIGITS
    return min(max(seconds, least), most)
