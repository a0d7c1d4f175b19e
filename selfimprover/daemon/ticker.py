"""The ticking of the clock, by APScheduler. It only wakes somebody up; whether a night is due, the ledger decides."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from selfimprover.domain import NightClock

_MISSED_BEATS = 3


class NightTrigger(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Fires at every night of a clock. CronTrigger would skip one a year where clocks change near midnight."""

    def __init__(self, clock: NightClock) -> None:
        self._clock = clock

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The first night after the last one that fired and after now: what was slept over, the ledger finds."""
        return self._clock.next_after(max(previous_fire_time or now, now))


class BeatTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires in a while. IntervalTrigger would count every beat of a sleep, for minutes after a step of the clock."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous_fire_time: datetime | None, now: datetime) -> datetime:
        """So many seconds from now."""
        return now + self._interval


class Ticker:
    """Calls ``wake`` at every night, and every ``heartbeat`` seconds: timers stand still while a machine sleeps."""

    def __init__(self, wake: Callable[[], None], heartbeat: float) -> None:
        self._wake = wake
        self._heartbeat = heartbeat
        self._scheduler: AsyncIOScheduler | None = None
        self._beat_at = 0.0

    def start(self, clock: NightClock) -> None:
        """Ticks from now on by ``clock``, in the running event loop; what ticked before ends."""
        self.stop()
        scheduler = AsyncIOScheduler(timezone=UTC)
        always = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        scheduler.add_job(self._strike, NightTrigger(clock), id="night", **always)
        scheduler.add_job(self._beat, BeatTrigger(self._heartbeat), id="beat", **always)
        scheduler.start()
        self._scheduler = scheduler
        self._beat_at = time.monotonic()

    def stop(self) -> None:
        """Ticks no more."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    @property
    def stalled(self) -> bool:
        """Whether heartbeats are missing: an error in a job store ends the library's timer without a word."""
        return self._scheduler is not None and time.monotonic() - self._beat_at > _MISSED_BEATS * self._heartbeat

    # coroutines, so that the library runs them in the loop and not in a thread
    async def _strike(self) -> None:
        self._wake()

    async def _beat(self) -> None:
        self._beat_at = time.monotonic()
        self._wake()
