"""When the next request may go out: deadlines, the interval between writes, and rate limits that were met."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from selfimprover.forges.github.errors import LimitedError
from selfimprover.forges.github.limits import wait_for

log = structlog.get_logger()


class Deadline:
    """The instant at which one call is over, whatever it still repeats or waits for."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds

    def now(self) -> float:
        """What the clock of deadlines shows, in seconds."""
        return self._monotonic()

    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._ends - self._monotonic())


class Pace:
    """What GitHub wants of one client: writes at least ``interval`` seconds apart, and silence while it is limited.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """

    def __init__(
        self,
        interval: float,
        *,
        sleep: Callable[[float], Awaitable[object]],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._interval = interval
        self.sleep = sleep
        self._now = now
        self._monotonic = monotonic
        self._next_write = float("-inf")
        self._limit: LimitedError | None = None
        self._limit_ends = float("-inf")
        self._in_a_row = 0

    async def wait_for_turn(self) -> None:
        """Waits until the next write may go out."""
        wait = self._next_write - self._monotonic()
        if wait > 0:
            await self.sleep(wait)

    def written(self) -> None:
        """A write was sent; its end counts, whatever came of it."""
        self._next_write = self._monotonic() + self._interval

    def limited(self, error: LimitedError) -> None:
        """GitHub said that a limit is reached: nobody asks before it is over."""
        wait = wait_for(error.headers, self._now(), self._in_a_row)
        self._in_a_row += 1
        self._limit = error
        self._limit_ends = max(self._limit_ends, self._monotonic() + wait)

    def unlimited(self) -> None:
        """GitHub answered, so the next limit is the first in its row."""
        self._in_a_row = 0

    async def wait_for_limit(self, until: Deadline) -> None:
        """Waits out a limit that ends before ``until``; raises ``LimitedError`` for another one."""
        while self._limit is not None and (wait := self._limit_ends - self._monotonic()) > 0:
            if wait >= until.left():
                end = self._now() + timedelta(seconds=wait)
                mend = f"the limit ends at {end:%Y-%m-%d %H:%M:%S %Z}; the next night goes on"
                raise LimitedError(self._limit.what, where=self._limit.where, mend=mend, until=end) from self._limit
            log.info("github.limited", seconds=round(wait))
            await self.sleep(wait)
        self._limit = None
