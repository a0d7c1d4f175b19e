"""The fake's own time, which a test can move."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Runs like ``now`` until it is moved or frozen."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or (lambda: datetime.now(UTC))
        self._ahead = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        return (self._frozen or self._now()).astimezone(UTC) + self._ahead

    def move(self, by: timedelta) -> None:
        """Ahead, or back if negative."""
        self._ahead += by

    def freeze(self, at: datetime | None = None) -> None:
        """Stands still, at ``at`` or at what it shows now."""
        self._frozen = at or self.now()
        self._ahead = timedelta()


def written(at: datetime) -> str:
    """A time as GitHub writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
