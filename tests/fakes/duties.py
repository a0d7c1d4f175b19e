"""Duties of a daemon with a ledger in a dictionary, and nights that do as they are told."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from selfimprover.domain import DaemonState, Due, Examined, LedgerNight, NightClock, NightReport, Usage
from selfimprover.errors import ConflictError, SelfImproverError, StoppedError

BERLIN = ZoneInfo("Europe/Berlin")


def a_report(key: str, at: datetime) -> NightReport:
    return NightReport(
        night=key,
        at=at,
        dry_run=False,
        timezone="UTC",
        projects=(),
        top_errors=(),
        findings=(),
        pull_requests=(),
        outcomes=(),
        usage=Usage(),
        errors=(),
    )


@dataclass
class FakeDuties:
    """An ``interfaces.Duties``."""

    clock: NightClock = field(default_factory=lambda: NightClock(time(0, 17), BERLIN, timedelta(hours=20)))
    config: str = "fake.toml"
    nights: dict[str, LedgerNight] = field(default_factory=dict)
    dues: dict[str, str] = field(default_factory=dict)
    """Local date → the key of the night that stands in for it."""
    states: list[DaemonState] = field(default_factory=list)
    held: list[datetime] = field(default_factory=list)
    """The ``at`` of each night that was begun."""
    now_on: int = 0
    most_at_once: int = 0
    night: Callable[[Callable[[], bool]], object] | None = None
    """What a night does: a coroutine function, told how to ask for a stop."""
    next_duties: "FakeDuties | SelfImproverError | None" = None
    examined: tuple[Examined, ...] = (Examined("config", ok=True, what="fine"),)
    unreadable: SelfImproverError | None = None
    recovers: bool = False
    """Whether to prepare mends an unreadable ledger."""
    locked: bool = True
    followed: int = 0
    following: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it, and what is followed has come to its end."""

    def is_the_instance(self) -> bool:
        return self.locked

    async def prepare(self) -> None:
        await asyncio.sleep(0)
        if self.recovers:
            self.unreadable = None

    async def examine(self) -> Sequence[Examined]:
        return self.examined

    def reloaded(self) -> "FakeDuties":
        if isinstance(self.next_duties, SelfImproverError):
            raise self.next_duties
        return self.next_duties or self

    def is_settled(self, due: Due) -> bool:
        if self.unreadable is not None:
            raise self.unreadable
        return due.day.isoformat() in self.dues

    def unfinished(self) -> Sequence[LedgerNight]:
        return [night for night in self.nights.values() if night.status == "running"]

    async def abandon(self, key: str) -> None:
        self.nights[key] = replace(self.nights[key], status="abandoned")

    async def hold(
        self, at: datetime, due: Due | None, stop_requested: Callable[[], bool], resume: str | None = None
    ) -> NightReport:
        key = self._begin(at, due) if resume is None else self._resume(resume)
        self.held.append(at)
        self.now_on += 1
        self.most_at_once = max(self.most_at_once, self.now_on)
        try:
            if self.night is not None:
                await self.night(stop_requested)  # type: ignore[misc]
            if stop_requested():
                self.nights[key] = replace(self.nights[key], tries=self.nights[key].tries - 1)
                raise StoppedError
        finally:
            self.now_on -= 1
        self.nights[key] = replace(self.nights[key], status="ended", ended=datetime.now(UTC))
        return a_report(key, at)

    async def follow(self) -> None:
        self.followed += 1
        await self.following.wait()

    def last_night(self) -> str | None:
        if self.unreadable is not None:
            raise self.unreadable
        ended = [night for night in self.nights.values() if night.ended is not None]
        return "0 findings, 0 pull requests" if ended else None

    def publish_state(self, state: DaemonState) -> None:
        self.states.append(state)

    def _resume(self, key: str) -> str:
        self.nights[key] = replace(self.nights[key], tries=self.nights[key].tries + 1)
        return key

    def _begin(self, at: datetime, due: Due | None) -> str:
        day = at.astimezone(self.clock.timezone).date().isoformat()
        same_day = [night for night in self.nights.values() if night.key[:10] == day]
        for night in same_day:
            if night.status == "running":
                self.nights[night.key] = replace(night, at=at, tries=night.tries + 1)
                return night.key
        key = day if not same_day else f"{day}-{len(same_day) + 1}"
        if due is not None and due.required and due.day.isoformat() in self.dues:
            raise ConflictError("it is held already", where=f"night of {due.day}")
        self.nights[key] = LedgerNight(key=key, at=at, status="running", tries=1)
        if due is not None:
            self.dues.setdefault(due.day.isoformat(), key)
        return key
