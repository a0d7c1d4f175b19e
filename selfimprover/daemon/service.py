"""The daemon: one night at a time, whenever the clock, the ledger or a signal asks for one.

Everything that happens sets the one event ``_wake``; the loop of ``run`` then looks at what there is to do. So any
number of signals and ticks comes to one look, and nothing is lost between two of them.
"""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from selfimprover.daemon import systemd
from selfimprover.daemon.ticker import Ticker
from selfimprover.domain import DaemonState, Due, NightReport
from selfimprover.errors import BusyError, ConflictError, SelfImproverError, StoppedError
from selfimprover.interfaces import Duties

HEARTBEAT = 60.0
"""Seconds between two looks at the clock: how late a night can be after a suspend."""
GRACE = 5.0
"""Seconds that a night has, after a stop was asked for, to come to the end of its step."""
GUARD_EVERY = 60.0
"""Seconds between two looks at the clock itself."""
RETRY_AFTER = (15 * 60.0, 60 * 60.0, 4 * 60 * 60.0)
"""Seconds after which a night that failed is taken up again; after the last one it is given up."""

KEPT_BACK = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)
"""Signals that are blocked until there is a handler: they wait, and neither kill nor get lost."""
_PATIENCE = 5.0
"""Seconds for which a cancelled night is waited for: its children end within that time."""
_SHORT_PATIENCE = 2.0
"""The same for somebody who asked twice."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Job:
    at: datetime
    due: Due | None
    why: str
    resume: str | None = None
    """The key of the unfinished night that this is."""


class Service:
    """Runs until it is told to stop."""

    def __init__(self, duties: Duties, version: str, *, heartbeat: float = HEARTBEAT, grace: float = GRACE) -> None:
        self._duties = duties
        self._grace = grace
        self._wake = asyncio.Event()
        self._ticker = Ticker(self._wake.set, heartbeat)
        self._stops = 0
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._night_requested = False
        self._reload_requested = False
        self._settled: Due | None = None
        """The last due night that is known to be held: a look at the clock alone tells that there is nothing to do."""
        self._following: asyncio.Task[None] | None = None
        """What is left to look at after the last night."""
        self._examining: asyncio.Task[None] | None = None
        self._unsure = True
        """Whether the ledger may have nights that did not end: after a start, and after a failure."""
        self._failures = 0
        self._rest_until = 0.0
        now = datetime.now(UTC)
        self._state = DaemonState(
            pid=os.getpid(), version=version, config=duties.config, since=now, doing="starting", next_night=None
        )
        self._told: DaemonState | None = None

    # --- signals

    def request_night(self) -> None:
        """A night now, or one more after the one that is on: SIGUSR1."""
        self._night_requested = True
        self._wake.set()

    def request_reload(self) -> None:
        """The configuration anew, before the next night: SIGHUP."""
        self._reload_requested = True
        self._wake.set()

    def request_stop(self) -> None:
        """An end after the step that is on; asked for again, at once: SIGTERM and SIGINT."""
        self._stops += 1
        self._stop.set()
        self._wake.set()
        if self._stops > 1:
            self._force.set()

    def stop_requested(self) -> bool:
        """Whether an end was asked for."""
        return self._stop.is_set()

    # --- life

    async def run(self) -> None:
        """Until a stop is asked for. Raises ``SelfImproverError`` if it cannot even begin."""
        self._listen()
        self._tell(doing="starting")
        guard = asyncio.create_task(self._guard())
        try:
            await self._unless_stopped(self._begin())
            while not self.stop_requested():
                await self._look()
        finally:
            self._ticker.stop()
            guard.cancel()
            if self._examining is not None:
                self._examining.cancel()
            await self._follow_no_more()
        systemd.notify("STOPPING=1")
        self._tell(doing="stopping")
        log.info("daemon.stopped")
        signal.pthread_sigmask(signal.SIG_BLOCK, KEPT_BACK)  # the loop takes its handlers with it

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.request_stop)
        loop.add_signal_handler(signal.SIGINT, self.request_stop)
        loop.add_signal_handler(signal.SIGUSR1, self.request_night)
        loop.add_signal_handler(signal.SIGHUP, self.request_reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, KEPT_BACK)

    async def _begin(self) -> None:
        await self._duties.prepare()
        self._tell(doing="waiting")
        systemd.notify("READY=1")
        self._ticker.start(self._duties.clock)
        log.info("daemon.ready", config=self._duties.config)
        self._examine()
        self._wake.set()

    async def _look(self) -> None:
        """Waits for something to happen, then does what there is to do."""
        await self._wake.wait()
        self._wake.clear()
        if not self._duties.is_the_instance():
            raise BusyError("the lock of this daemon was taken away", where="state folder", mend="start it again")
        while not self.stop_requested():
            if self._reload_requested:
                self._reload()
            job = await self._next_job()
            if job is None:
                break
            await self._do(job)
        if not self.stop_requested():
            self._tell(doing="waiting")

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether the work came to its end before a stop was asked for."""
        task = asyncio.create_task(work)
        await self._first_of(task, self._stop)
        if task.done():
            await task
            return True
        task.cancel()
        await asyncio.wait({task})
        return False

    async def _guard(self) -> None:
        """Gives signs of life to systemd, from the loop that does the work, and revives a clock that stopped."""
        watched = systemd.watchdog_seconds()
        while True:
            if self._ticker.stalled:
                log.error("clock.stalled")
                self._ticker.start(self._duties.clock)
            systemd.notify("WATCHDOG=1")
            await asyncio.sleep(min(GUARD_EVERY, watched / 2) if watched else GUARD_EVERY)

    # --- nights

    async def _next_job(self) -> _Job | None:
        """The night to hold now: one that was asked for, one to take up again, or one that is due."""
        now = datetime.now(UTC)
        if self._night_requested:
            return _Job(now, replace(self._duties.clock.latest(now), required=False), "requested")
        if time.monotonic() < self._rest_until:
            return None
        try:
            return await self._unfinished(now) or self._due(now)
        except SelfImproverError as error:
            log.error("ledger.unusable", what=error.what, where=error.where, mend=error.mend)
        try:
            await self._duties.prepare()  # it may only have been damaged since: a backup takes its place
            return await self._unfinished(now) or self._due(now)
        except SelfImproverError as error:
            self._tell(trouble=str(error))
            self._count(str(error))
            return None

    async def _unfinished(self, now: datetime) -> _Job | None:
        if not self._unsure:
            return None
        for night in self._duties.unfinished():
            if now - night.at <= self._duties.clock.catch_up and night.tries <= len(RETRY_AFTER):
                return _Job(night.at, None, "resumed", night.key)
            log.warning("night.abandoned", night=night.key, tries=night.tries)
            await self._duties.abandon(night.key)
        self._unsure = False
        return None

    def _due(self, now: datetime) -> _Job | None:
        due = self._duties.clock.due(now)
        if due is None or due == self._settled:
            return None
        if self._duties.is_settled(due):
            self._settled = due
            return None
        return _Job(now, due, "due")

    async def _do(self, job: _Job) -> None:
        self._night_requested = False
        self._unsure = True
        await self._follow_no_more()
        self._tell(doing="night", night_began=time.monotonic())
        log.info("night.begins", why=job.why)
        night = asyncio.create_task(self._duties.hold(job.at, job.due, self.stop_requested, job.resume))
        trouble: str | None = None
        try:
            await self._within_grace(night)
        except (StoppedError, asyncio.CancelledError):
            log.info("night.interrupted")
        except ConflictError as error:
            log.info("night.held_elsewhere", what=error.what)
        except SelfImproverError as error:
            trouble = str(error)
            log.error("night.failed", what=error.what, where=error.where, mend=error.mend)
        except Exception as error:  # one night must not end the nights
            trouble = f"unexpected {type(error).__name__}: {error}"
            log.exception("night.failed")
        self._count(trouble)
        self._tell(doing="waiting", night_over=time.monotonic(), trouble=trouble)
        if trouble is None and not self.stop_requested():
            self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        try:
            await self._duties.follow()
        except SelfImproverError as error:
            log.warning("follow.failed", what=error.what, where=error.where)
        except Exception:  # what comes after a night must not end the nights
            log.exception("follow.failed")

    async def _follow_no_more(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})
            self._following = None

    async def _within_grace(self, night: asyncio.Task[NightReport]) -> None:
        await self._first_of(night, self._stop)
        if not night.done():
            systemd.notify("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int((self._grace + 2 * _PATIENCE) * 1e6)}")
            await self._first_of(night, self._force, timeout=self._grace)
        if not night.done():
            night.cancel()
            await asyncio.wait({night}, timeout=_SHORT_PATIENCE if self._force.is_set() else _PATIENCE)
        if not night.done():
            log.error("daemon.stuck", mend="the night is taken up again at the next start")
            os._exit(0)  # what is left runs in threads that nobody can end; children end with us
        await night

    async def _first_of(self, task: asyncio.Task[Any], event: asyncio.Event, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Waits until the task is done or the event has happened."""
        happened = asyncio.create_task(event.wait())
        await asyncio.wait({task, happened}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        happened.cancel()

    def _count(self, trouble: str | None) -> None:
        """After a failure it rests a while: what is wrong is seldom mended within a heartbeat."""
        self._failures = 0 if trouble is None else self._failures + 1
        rest = RETRY_AFTER[min(self._failures, len(RETRY_AFTER)) - 1] if self._failures else 0.0
        self._rest_until = time.monotonic() + rest

    # --- configuration, and what others are told

    def _reload(self) -> None:
        self._reload_requested = False
        systemd.notify(systemd.reloading())
        try:
            self._duties = self._duties.reloaded()
        except SelfImproverError as error:
            log.error("config.refused", what=error.what, where=error.where, mend=error.mend)
            self._tell(refused=str(error))
        else:
            self._settled = None
            self._ticker.start(self._duties.clock)
            log.info("config.loaded", config=self._duties.config)
            self._tell(refused=None, config=self._duties.config)
            self._examine()
        finally:
            systemd.notify("READY=1")

    def _examine(self) -> None:
        """Looks at every part beside all else: telemetry that never answers must not hold up the nights."""
        if self._examining is not None:
            self._examining.cancel()
        self._examining = asyncio.create_task(self._examined())

    async def _examined(self) -> None:
        examined = tuple(await self._duties.examine())
        for one in examined:
            if not one.ok:
                log.warning("check.failed", part=one.part, what=one.what, mend=one.mend)
        log.info("check.ended", parts=len(examined), failed=sum(not one.ok for one in examined))
        self._tell(examined=examined)

    def _tell(self, **changes: Any) -> None:
        """Lets systemd and ``status`` know, if there is news."""
        next_night = None if self.stop_requested() else self._duties.clock.next_after(datetime.now(UTC))
        state = replace(self._state, next_night=next_night, **changes)
        if state == self._told:
            return
        news = state != self._state or self._told is None
        self._state = state
        try:
            self._duties.publish_state(state)
        except OSError as error:
            if news:
                log.warning("state.unwritable", what=error.strerror)
        else:
            self._told = state
        if news:
            systemd.notify(f"STATUS={self._status()}")

    def _status(self) -> str:
        """The line that ``systemctl status`` shows."""
        state = self._state
        zone = self._duties.clock.timezone
        if state.doing != "waiting" or state.next_night is None:
            line = {"night": "a night is on"}.get(state.doing, state.doing)
        else:
            local = state.next_night.astimezone(zone)
            line = f"next night {local:%H:%M %Z} ({state.next_night:%H:%MZ})"
        try:
            line += f"; last: {self._duties.last_night() or 'none yet'}"
        except SelfImproverError as error:
            line += f"; last: unknown, {error.what}"
        line += f"; trouble: {state.trouble}" if state.trouble else ""
        line += f"; configuration refused: {state.refused}" if state.refused else ""
        return " ".join(line.split())[:1000]
