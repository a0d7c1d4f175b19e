"""What local times without an offset mean, and microseconds since 1970 for SQL.

A local time that occurs twice (clocks put back) means its first pass; one that the clocks skipped means the instant
of the jump. So a later local time never means an earlier instant, and every window is one stretch of local times.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FARTHEST_OFFSET = timedelta(hours=26)


def microseconds(instant: datetime) -> int:
    """Microseconds from 1970 to ``instant``; a time without an offset counts as if it were UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def from_microseconds(moment: int) -> datetime:
    """The inverse of ``microseconds``, in UTC; raises ``OverflowError`` outside the years 1 to 9999."""
    return _EPOCH + moment * _MICROSECOND


def local_to_utc(written: datetime, zone: tzinfo) -> datetime:
    """The instant (UTC) that ``written``, a local time of ``zone`` without an offset, means."""
    first = written.replace(tzinfo=zone, fold=0)
    second = written.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset() or timedelta(), second.utcoffset() or timedelta()
    if before < after:  # PEP 495: the order of the two offsets tells a skipped time from a repeated one
        return _jump(written.replace(tzinfo=UTC) - after, written.replace(tzinfo=UTC) - before, zone)
    return first.astimezone(UTC)


def _jump(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first instant between ``before`` and ``after`` at which the offset of ``after`` holds."""
    wanted = after.astimezone(zone).utcoffset()
    steps = range((after - before) // _MICROSECOND)
    found = bisect_left(
        steps, 1, key=lambda step: (before + step * _MICROSECOND).astimezone(zone).utcoffset() == wanted
    )
    return before + found * _MICROSECOND


def first_local(instant: datetime, zone: tzinfo) -> datetime:
    """The earliest local time (without an offset) that does not mean a time before ``instant``."""
    near = instant.astimezone(UTC).replace(tzinfo=None)
    middle = microseconds(near)
    reach = _FARTHEST_OFFSET // _MICROSECOND
    candidates = range(middle - reach, middle + reach)
    place = bisect_left(candidates, instant, key=lambda moment: _meaning(moment, zone))
    return from_microseconds(candidates[place]).replace(tzinfo=None)


def _meaning(moment: int, zone: tzinfo) -> datetime:
    return local_to_utc(from_microseconds(moment).replace(tzinfo=None), zone)


def with_z(instant: datetime) -> str:
    """ISO 8601 in UTC with ``Z``; microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
