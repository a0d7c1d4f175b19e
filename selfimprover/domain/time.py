"""Stretches of time: windows, and the calendar days of a time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with ``Z``: how instants are written everywhere."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Due:
    """A night of the schedule: the local date that it belongs to, and the instant (UTC) at which it is to begin."""

    day: date
    at: datetime
    required: bool = True
    """Whether a run may only take place as this night; else it takes place in any case, and counts as it if it can."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, from ``start`` up to but without ``end`` (both aware, UTC)."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar days of one time zone, as windows in UTC.

    A day runs from its first local midnight to the next one, so it has 23 or 25 hours where the clocks change.
    """

    timezone: tzinfo

    def day_of(self, at: datetime) -> date:
        """The local date on which ``at`` falls."""
        return at.astimezone(self.timezone).date()

    def midnight(self, day: date) -> datetime:
        """The instant (UTC) at which ``day`` begins."""
        return datetime.combine(day, time(), tzinfo=self.timezone).astimezone(UTC)

    def today(self, at: datetime) -> Window:
        """[midnight of the local day of ``at``, ``at``)."""
        return Window(self.midnight(self.day_of(at)), at)

    def yesterday(self, at: datetime) -> Window:
        """The whole local day before the one of ``at``."""
        return self.days(at, 1)[0]

    def days(self, at: datetime, count: int) -> tuple[Window, ...]:
        """The ``count`` whole local days before the one of ``at``, then the part of that day up to ``at``."""
        day = self.day_of(at)
        starts = [self.midnight(day - timedelta(days=back)) for back in range(count, -1, -1)]
        return tuple(Window(start, end) for start, end in zip(starts, [*starts[1:], at], strict=True))

    def split(self, window: Window) -> tuple[Window, ...]:
        """The window cut at its local midnights; empty if the window is."""
        pieces: list[Window] = []
        start = window.start
        while start < window.end:
            end = min(self.midnight(self.day_of(start) + timedelta(days=1)), window.end)
            pieces.append(Window(start, end))
            start = end
        return tuple(pieces)

    def last(self, at: datetime, days: int) -> Window:
        """The error window of the design: [midnight ``days`` days before the local day of ``at``, ``at``)."""
        return Window(self.midnight(self.day_of(at) - timedelta(days=days)), at)
