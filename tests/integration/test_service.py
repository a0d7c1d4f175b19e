"""The daemon's loop on a fake of its duties: which nights it holds, whatever clock, signals and failures do to it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest
import time_machine
from apscheduler.jobstores.memory import MemoryJobStore

from selfimprover.daemon import KEPT_BACK, Service, service, systemd
from selfimprover.domain import Due, Examined, LedgerNight, NightClock
from selfimprover.errors import SelfImproverError, UsageError
from tests.fakes.duties import BERLIN, FakeDuties

BEAT = 0.02
BEFORE = datetime(2026, 2, 15, 22, 0, tzinfo=UTC)
"""23:00 in Berlin, 77 minutes before the night of Feb 16."""


def settled(duties: FakeDuties, *days: str) -> FakeDuties:
    for day in days:
        duties.nights[day] = LedgerNight(key=day, at=BEFORE, status="ended", tries=1, ended=BEFORE)
        duties.dues[day] = day
    return duties


@pytest.fixture
def duties() -> FakeDuties:
    """Everything up to the evening of Feb 15 is done."""
    return settled(FakeDuties(), "2026-02-15")


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    for _ in range(int(seconds / 0.005)):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


def _has_held(duties: FakeDuties, count: int) -> bool:
    return len(duties.held) == count


async def beats(count: int = 5) -> None:
    """Long enough for the daemon to do what it should not."""
    await asyncio.sleep(BEAT * count)


@asynccontextmanager
async def running(duties: FakeDuties, grace: float = 0.3) -> AsyncIterator[Service]:
    daemon = Service(duties, "test", heartbeat=BEAT, grace=grace)
    task = asyncio.create_task(daemon.run())
    await until(lambda: (bool(duties.states) and duties.states[-1].doing != "starting") or task.done())
    try:
        yield daemon
    finally:
        daemon.request_stop()
        await asyncio.wait_for(task, 5)


def nights(duties: FakeDuties) -> list[str]:
    return list(duties.nights)


# --- the clock


async def test_the_night_begins_when_its_hour_has_come(duties: FakeDuties) -> None:
    with time_machine.travel(BEFORE) as clock:
        async with running(duties):
            await beats()
            assert duties.held == []
            clock.shift(timedelta(minutes=78))
            await until(lambda: len(duties.held) == 1)
            await beats()

    assert nights(duties) == ["2026-02-15", "2026-02-16"]


async def test_a_machine_that_slept_over_it_holds_it_once_awake(duties: FakeDuties) -> None:
    with time_machine.travel(BEFORE) as clock:
        async with running(duties):
            clock.shift(timedelta(hours=9))
            await until(lambda: len(duties.held) == 1)
            await beats()

    assert (len(duties.held), duties.dues["2026-02-16"]) == (1, "2026-02-16")


async def test_three_nights_down_are_one_night_at_the_start_and_none_at_the_next() -> None:
    duties = settled(FakeDuties(), "2026-02-12")
    for _ in range(2):
        with time_machine.travel(BEFORE + timedelta(hours=9)):
            async with running(duties):
                await until(lambda: len(duties.held) == 1)
                await beats()

    assert nights(duties) == ["2026-02-12", "2026-02-16"]


async def test_a_night_that_is_too_late_waits_for_the_next(duties: FakeDuties) -> None:
    with time_machine.travel(BEFORE + timedelta(hours=21, minutes=30)) as clock:
        async with running(duties):
            await beats()
            assert duties.held == []
            clock.shift(timedelta(hours=4))
            await until(lambda: len(duties.held) == 1)

    assert nights(duties) == ["2026-02-15", "2026-02-17"]


async def test_a_clock_that_is_set_back_repeats_no_night(duties: FakeDuties) -> None:
    with time_machine.travel(BEFORE) as clock:
        async with running(duties):
            for shift in (78, -78, 78, -24 * 60, 24 * 60):
                clock.shift(timedelta(minutes=shift))
                await until(lambda: len(duties.held) == 1)
                await beats()

    assert nights(duties) == ["2026-02-15", "2026-02-16"]


async def test_a_month_in_leaps_of_hours_has_a_night_for_every_day(duties: FakeDuties) -> None:
    with time_machine.travel(datetime(2026, 3, 14, 22, tzinfo=UTC)) as clock:  # clocks change on the 29th
        settled(duties, "2026-03-14")
        async with running(duties) as daemon:
            for hour in range(30 * 8):
                clock.shift(timedelta(hours=3))
                daemon._wake.set()
                hours = (hour + 1) * 3  # since 22:00Z; nights are at 23:17Z, from the 29th on at 22:17Z
                await until(partial(_has_held, duties, hours // 24 + (hours % 24 >= 2)))

    assert sorted(duties.dues)[2:] == [f"2026-03-{day}" for day in range(15, 32)] + [
        f"2026-04-{day:02}" for day in range(1, 14)
    ]
    assert duties.most_at_once == 1


async def test_a_clock_that_leaps_by_decades_is_one_night(duties: FakeDuties) -> None:
    with time_machine.travel(datetime(1970, 1, 2, tzinfo=UTC)) as clock:
        settled(duties, "1970-01-02")
        async with running(duties):
            clock.move_to(BEFORE + timedelta(hours=3))
            await until(lambda: len(duties.held) == 1)
            await beats()

    assert duties.dues["2026-02-16"] == "2026-02-16"


async def test_signs_of_life_are_given_while_it_looks_at_its_parts(
    duties: FakeDuties, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    looking = asyncio.Event()

    async def slowly() -> list[Examined]:
        await looking.wait()
        return []

    monkeypatch.setattr(service, "GUARD_EVERY", 0.02)
    monkeypatch.setattr(systemd, "notify", lambda *lines: told.extend(lines))
    duties.examine = slowly  # type: ignore[method-assign]
    with time_machine.travel(BEFORE):
        async with running(duties):
            await until(lambda: "READY=1" in told)
            alive = told.count("WATCHDOG=1")
            await until(lambda: told.count("WATCHDOG=1") > alive + 2)
            looking.set()


async def test_a_crash_in_the_middle_is_taken_up_again_and_not_repeated(duties: FakeDuties) -> None:
    at = BEFORE + timedelta(minutes=77)
    duties.nights["2026-02-16"] = LedgerNight(key="2026-02-16", at=at, status="running", tries=1)
    duties.dues["2026-02-16"] = "2026-02-16"

    with time_machine.travel(at + timedelta(minutes=5)):
        async with running(duties):
            await until(lambda: len(duties.held) == 1)
            await beats()

    assert duties.held == [at]
    assert (duties.nights["2026-02-16"].status, duties.nights["2026-02-16"].tries) == ("ended", 2)


@pytest.mark.parametrize(("tries", "hours"), [(4, 1), (1, 30)])
async def test_a_night_that_failed_often_or_is_long_past_is_given_up(
    duties: FakeDuties, tries: int, hours: int
) -> None:
    at = BEFORE - timedelta(hours=hours)
    duties.nights["2026-02-14"] = LedgerNight(key="2026-02-14", at=at, status="running", tries=tries)

    with time_machine.travel(BEFORE):
        async with running(duties):
            await until(lambda: duties.nights["2026-02-14"].status == "abandoned")
            await beats()

    assert duties.held == []


async def test_an_error_in_the_job_store_does_not_end_the_nights(
    duties: FakeDuties, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, broken = MemoryJobStore.update_job, iter([True])

    def update(self: MemoryJobStore, job: object) -> None:
        if next(broken, False):
            raise OSError("the store is gone")
        real(self, job)

    monkeypatch.setattr(MemoryJobStore, "update_job", update)
    monkeypatch.setattr(service, "GUARD_EVERY", 0.05)
    with time_machine.travel(BEFORE) as clock:
        async with running(duties):
            await until(lambda: next(broken, False) is False)
            clock.shift(timedelta(minutes=78))
            await until(lambda: len(duties.held) == 1)


# --- signals


async def test_a_request_is_a_night_now(duties: FakeDuties) -> None:
    with time_machine.travel(BEFORE):
        async with running(duties) as daemon:
            daemon.request_night()
            await until(lambda: len(duties.held) == 1)
            await beats()

    assert nights(duties) == ["2026-02-15", "2026-02-15-2"]


async def test_requests_during_a_night_are_one_more_afterwards(duties: FakeDuties) -> None:
    going = asyncio.Event()
    duties.night = lambda _stop: going.wait()
    with time_machine.travel(BEFORE):
        async with running(duties) as daemon:
            daemon.request_night()
            await until(lambda: duties.now_on == 1)
            for _ in range(6):
                daemon.request_night()
                await asyncio.sleep(0)
            going.set()
            await until(lambda: len(duties.held) == 2)
            await beats()

    assert (len(duties.held), duties.most_at_once) == (2, 1)


async def test_a_request_stands_in_for_the_night_that_is_due() -> None:
    duties = FakeDuties()
    with time_machine.travel(BEFORE + timedelta(minutes=90)):
        signal.pthread_sigmask(signal.SIG_BLOCK, KEPT_BACK)
        signal.raise_signal(signal.SIGUSR1)
        async with running(duties):
            await until(lambda: len(duties.held) == 1)
            await beats()

    assert duties.dues == {"2026-02-16": "2026-02-16"}
    assert len(duties.held) == 1


async def test_a_stop_lets_the_step_that_is_on_come_to_its_end(duties: FakeDuties) -> None:
    finished: list[str] = []

    async def night(_stop: object) -> None:
        await asyncio.sleep(0.3)
        finished.append("step")

    duties.night = night
    with time_machine.travel(BEFORE):
        async with running(duties, grace=5) as daemon:
            daemon.request_night()
            await until(lambda: duties.now_on == 1)

    assert finished == ["step"]
    assert duties.nights["2026-02-15-2"].status == "running"
    assert duties.states[-1].doing == "stopping"


@pytest.mark.parametrize(("grace", "stops"), [(0.05, 1), (60, 2)])
async def test_a_step_that_takes_too_long_is_cut_short_and_a_second_signal_waits_for_nothing(
    duties: FakeDuties, grace: float, stops: int
) -> None:
    cut: list[str] = []

    async def night(_stop: object) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cut.append("short")
            raise

    duties.night = night
    with time_machine.travel(BEFORE):
        async with running(duties, grace=grace) as daemon:
            daemon.request_night()
            await until(lambda: duties.now_on == 1)
            for _ in range(stops - 1):
                daemon.request_stop()

    assert cut == ["short"]


async def test_a_stop_while_it_begins_is_an_end(duties: FakeDuties) -> None:
    async def slowly() -> None:
        await asyncio.sleep(60)

    duties.prepare = slowly  # type: ignore[method-assign]
    daemon = Service(duties, "test", heartbeat=BEAT)
    task = asyncio.create_task(daemon.run())
    await beats(1)
    daemon.request_stop()

    await asyncio.wait_for(task, 2)

    assert duties.held == []


async def test_a_reload_changes_the_hour_of_the_next_night(duties: FakeDuties) -> None:
    later = settled(FakeDuties(clock=NightClock(time(1, 30), BERLIN, timedelta(hours=20))), "2026-02-15")
    later.examined = (Examined("telemetry of a", ok=False, what="gone"),)
    duties.next_duties = later
    with time_machine.travel(BEFORE) as clock:
        async with running(duties) as daemon:
            daemon.request_reload()
            await until(lambda: bool(later.states))
            clock.shift(timedelta(minutes=78))
            await beats()
            assert (duties.held, later.held) == ([], [])
            clock.shift(timedelta(minutes=75))
            await until(lambda: len(later.held) == 1)

    assert later.states[-1].examined == later.examined


async def test_a_wrong_configuration_leaves_the_old_one_in_force_and_is_said(duties: FakeDuties) -> None:
    duties.next_duties = UsageError("'modee' is not known", where="config x.toml")
    with time_machine.travel(BEFORE) as clock:
        async with running(duties) as daemon:
            daemon.request_reload()
            await until(lambda: duties.states[-1].refused is not None)
            clock.shift(timedelta(minutes=78))
            await until(lambda: len(duties.held) == 1)
            duties.next_duties = None
            daemon.request_reload()
            await until(lambda: duties.states[-1].refused is None)

    assert "'modee' is not known" in str([state.refused for state in duties.states])


async def test_a_reload_during_a_night_waits_for_its_end(duties: FakeDuties) -> None:
    going, after = asyncio.Event(), FakeDuties(config="other.toml")
    duties.night = lambda _stop: going.wait()
    duties.next_duties = after
    with time_machine.travel(BEFORE):
        settled(after, "2026-02-15")
        async with running(duties) as daemon:
            daemon.request_night()
            await until(lambda: duties.now_on == 1)
            daemon.request_reload()
            await beats()
            assert after.states == []
            going.set()
            await until(lambda: bool(after.states))

    assert duties.nights["2026-02-15-2"].status == "ended"


# --- failures


def failing(times: int, error: Exception) -> Callable[[object], Awaitable[None]]:
    left = iter([error] * times)

    async def night(_stop: object) -> None:
        for one in left:
            raise one

    return night


@pytest.mark.parametrize("error", [SelfImproverError("the disk is full"), ZeroDivisionError("unforeseen")])
async def test_a_night_that_fails_is_told_and_taken_up_again_after_a_rest(
    duties: FakeDuties, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_AFTER", (0.3, 60.0))
    duties.night = failing(1, error)
    with time_machine.travel(BEFORE + timedelta(minutes=78)):
        async with running(duties):
            await until(lambda: duties.states[-1].trouble is not None)
            assert str(error) in str(duties.states[-1].trouble)
            await beats()
            assert len(duties.held) == 1
            await until(lambda: duties.nights["2026-02-16"].status == "ended")
            await until(lambda: duties.states[-1].trouble is None)

    assert len(duties.held) == 2


async def test_a_person_need_not_wait_for_the_rest_to_be_over(duties: FakeDuties) -> None:
    duties.night = failing(1, SelfImproverError("the disk is full"))
    with time_machine.travel(BEFORE + timedelta(minutes=78)):
        async with running(duties) as daemon:
            await until(lambda: duties.states[-1].trouble is not None)
            daemon.request_night()
            await until(lambda: duties.nights["2026-02-16"].status == "ended")


async def test_a_ledger_that_cannot_be_read_is_looked_at_again_later(
    duties: FakeDuties, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_AFTER", (0.1,))
    duties.unreadable = SelfImproverError("locked")
    with time_machine.travel(BEFORE + timedelta(minutes=78)):
        async with running(duties):
            await beats()
            assert duties.held == []
            duties.unreadable = None
            await until(lambda: len(duties.held) == 1)


async def test_a_night_that_another_daemon_holds_is_left_to_it(duties: FakeDuties) -> None:
    with time_machine.travel(BEFORE + timedelta(minutes=78)):
        settled(duties, "2026-02-16")
        seen = iter([False])
        duties.is_settled = lambda due: next(seen, True)  # type: ignore[method-assign]
        async with running(duties):
            await until(lambda: duties.states[-1].night_over is not None)
            await beats()

    assert (duties.held, duties.states[-1].trouble) == ([], None)


async def test_signals_that_waited_are_heard(duties: FakeDuties) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, KEPT_BACK)
    signal.raise_signal(signal.SIGUSR1)
    with time_machine.travel(BEFORE):
        async with running(duties):
            await until(lambda: len(duties.held) == 1)


def test_a_due_night_is_the_same_whoever_computes_it() -> None:
    clock = FakeDuties().clock
    assert clock.due(BEFORE + timedelta(hours=5)) == Due(BEFORE.date() + timedelta(days=1), clock.next_after(BEFORE))


async def test_what_follows_a_night_ends_with_the_next_one_and_with_the_daemon(duties: FakeDuties) -> None:
    with time_machine.travel(BEFORE):
        async with running(duties) as daemon:
            daemon.request_night()
            await until(lambda: duties.followed == 1)
            first = daemon._following
            daemon.request_night()
            await until(lambda: duties.followed == 2)
            second = daemon._following

    assert first is not None
    assert second is not None
    assert first.cancelled()
    assert second.cancelled()


async def test_a_failure_of_what_follows_a_night_does_not_end_the_nights(duties: FakeDuties) -> None:
    async def fails() -> None:
        duties.followed += 1
        raise ZeroDivisionError

    duties.follow = fails  # type: ignore[method-assign]
    with time_machine.travel(BEFORE):
        async with running(duties) as daemon:
            for count in (1, 2):
                daemon.request_night()
                await until(partial(_has_followed, duties, count))


def _has_followed(duties: FakeDuties, count: int) -> bool:
    return duties.followed == count and duties.now_on == 0
