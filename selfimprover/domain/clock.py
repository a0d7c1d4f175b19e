"""When nights are due: pure arithmetic over the local dates of a time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from selfimprover.domain.time import Due

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NightClock:
    """One night per local date, at ``at`` o'clock.

    Where the clocks go back over it, the first pass counts; where they jump over it, the night begins right after the
    jump (PEP 495: https://peps.python.org/pep-0495/). A date that a zone left out altogether has no night.
    """

    at: time
    timezone: tzinfo
    catch_up: timedelta
    """How late a night may begin."""

    def next_after(self, instant: datetime) -> datetime:
        """The instant (UTC) of the first night after ``instant``."""
        return min(night for night in self._around(instant) if night > instant)

    def latest(self, now: datetime) -> Due:
        """The night that was to begin last, however long ago that was."""
        at = max(night for night in self._around(now) if night <= now)
        return Due(at.astimezone(self.timezone).date(), at)

    def due(self, now: datetime) -> Due | None:
        """The night that was to begin last, if it is not too late for it."""
        latest = self.latest(now)
        return latest if now - latest.at <= self.catch_up else None

    def _around(self, instant: datetime) -> tuple[datetime, ...]:
        today = instant.astimezone(self.timezone).date()
        return tuple(self._night(today + _DAY * days) for days in range(-3, 4))

    def _night(self, day: date) -> datetime:
        return datetime.combine(day, self.at, tzinfo=self.timezone).astimezone(UTC)
