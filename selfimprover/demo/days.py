"""The days of the demo: what the example assistant has to do, what goes wrong outside, and how a day is run.

Times are UTC. The plans say nothing about errors: those come from the assistant's code and from the servers.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import selfimprover
from selfimprover.demo.servers import MisbehavingServers
from selfimprover.errors import SelfImproverError

ASSISTANT = Path(__file__).with_name("assistant")
"""The example assistant as package data; copy it without ``__pycache__``."""

SILENT_CONNECTIONS = frozenset({7, 16, 30, 41})
"""Which connections of a day the mail server leaves without an answer, counted from 1: the same on every day."""

_IMAP_TIMEOUT = 0.4
_DAY_TIMEOUT = 60.0
_LOG_LINES = 8


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task: when it is due, what it is about, and how many seconds it takes."""

    at: datetime
    kind: str
    input: Mapping[str, object]
    seconds: int


@dataclass(frozen=True, slots=True)
class Day:
    """The tasks of one run of the assistant, and the requests that the gateway treats badly during it."""

    name: str
    """The ids of its task rows begin with it."""
    tasks: tuple[PlannedTask, ...]
    failing: frozenset[str] = frozenset()
    """References that the gateway answers with 504."""
    stalling: frozenset[str] = frozenset()
    """References that the gateway never answers: the assistant is stopped while it waits for the first of them."""


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """A day in equal slots: each syncs the inbox and handles a mail, every second one reminds of an appointment."""

    start: datetime
    slots: int
    minutes: int
    failing: frozenset[int] = frozenset()
    """Slots whose mail the gateway answers with 504."""
    answers: frozenset[int] = frozenset()
    """Slots whose mail answers the one of the slot before."""
    lost: frozenset[int] = frozenset()
    """Slots whose mail is an answer without the header that says to what."""


# Sender, subject, text.
_MAILS = (
    ("billing@example.org", "Invoice for January", "The invoice for January is attached. It is due on the 28th."),
    ("support@example.net", "Your ticket", "The replacement part has arrived. Please name a day for the visit."),
    ("events@example.com", "Room for Thursday", "The large room is taken on Thursday. The small one is free all day."),
    ("travel@example.org", "Train times", "The early train is cancelled. The next one leaves at 9:12."),
    ("library@example.net", "Due back soon", "Two books are due back next week. They can be renewed online."),
    ("office@example.com", "Keys", "The new keys are ready at the front desk. Please bring the old ones."),
    ("garden@example.org", "Plot for spring", "The plots are given out in March. Yours stays the same."),
)
_EVENTS = ("Stand-up", "Review", "Lunch", "Call with the office", "Dentist")


def days_before_the_fix() -> tuple[Day, ...]:
    """Feb 12 2026, Feb 15 2026, and Feb 16 2026 up to 00:17, in this order."""
    return thursday(), sunday(), small_hours()


def with_holidays(day: Day) -> Day:
    """The day with reminders of two whole-day events, which no recipe teaches the assistant to read."""
    first, last = day.tasks[0].at, day.tasks[-1].at
    instants = (first + (last - first) / 3, first + (last - first) * 2 / 3)
    tasks = (PlannedTask(at, "calendar.remind", {"event": "Public holiday"}, 1) for at in instants)
    return replace(day, tasks=tuple(sorted((*day.tasks, *tasks), key=lambda task: task.at)))


def thursday() -> Day:
    """Feb 12 2026: 12 task rows, one of them failed by the gateway."""
    return _day("2026-02-12", _Rhythm(_instant(12, 8, 0), slots=3, minutes=240, failing=frozenset({1})))


def sunday() -> Day:
    """Feb 15 2026: 169 task rows, with two answers whose header is lost and seven mails too slow for the gateway."""
    rhythm = _Rhythm(
        _instant(15, 0, 0),
        slots=48,
        minutes=30,
        failing=frozenset({5, 13, 19, 26, 31, 38, 44}),
        answers=frozenset({4, 10, 16, 22, 28, 34, 46}),
        lost=frozenset({17, 41}),
    )
    return _day("2026-02-15", rhythm)


def small_hours() -> Day:
    """Feb 16 2026 up to 00:17: 8 task rows; the weekly digest is still running when the assistant is stopped."""
    start = _instant(16, 0, 0)
    tasks = (
        PlannedTask(start + timedelta(minutes=1), "inbox.sync", {"mailbox": "INBOX"}, 3),
        _mail_task(start + timedelta(minutes=3), _mail("0216-n", 0)),
        _reminder(start + timedelta(minutes=5), 0),
        _mail_task(start + timedelta(minutes=8), _mail("0216-n", 1)),
        _mail_task(start + timedelta(minutes=11), _mail("0216-n", 2)),
        _digest(start + timedelta(minutes=13), "digest.daily"),
        _digest(start + timedelta(minutes=16), "digest.weekly"),
    )
    return Day("2026-02-16-n", tasks, frozenset({_mail_id("0216-n", 1)}), frozenset({"digest.weekly-0216-0016"}))


def monday() -> Day:
    """Feb 16 2026 from 08:30 on: 128 task rows, with all that went wrong the day before going wrong outside again."""
    rhythm = _Rhythm(
        _instant(16, 8, 30),
        slots=36,
        minutes=25,
        failing=frozenset({6, 14, 21, 33}),
        answers=frozenset({4, 10, 16, 28, 34}),
        lost=frozenset({3, 12, 25}),
    )
    day = _day("2026-02-16", rhythm)
    weekly = _digest(_instant(16, 8, 54), "digest.weekly")
    return Day(day.name, tuple(sorted((*day.tasks, weekly), key=lambda task: task.at)), day.failing)


async def run_day(assistant: Path, day: Day, database: Path, version: str) -> None:
    """Runs the assistant in the folder ``assistant`` through a day; its tasks are added to ``database``.

    Plan and log are kept beside the database. Raises ``SelfImproverError`` with the end of the log if the assistant
    does not get through the day.
    """
    plan = database.with_name(f"{day.name}.plan.json")
    log = database.with_name(f"{day.name}.log")
    plan.write_text(json.dumps({"name": day.name, "tasks": list(map(asdict, day.tasks))}, default=_iso, indent=1))
    async with MisbehavingServers(silent=SILENT_CONNECTIONS, failing=day.failing, stalling=day.stalling) as servers:
        options = (
            *("--plan", str(plan), "--database", str(database), "--version", version),
            *("--imap", servers.imap_address, "--imap-timeout", str(_IMAP_TIMEOUT)),
            *("--gateway", servers.gateway_url),
        )
        process = await _start(assistant, options, log)
        try:
            async with asyncio.timeout(_DAY_TIMEOUT):
                went_well = await (_stop_when_stalled if day.stalling else _finish)(process, servers)
        except TimeoutError:
            went_well = False
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if not went_well:
        raise SelfImproverError(
            f"the example assistant did not get through {day.name} as planned: {_tail(log)}", where=str(assistant)
        )


async def _start(assistant: Path, options: Sequence[str], log: Path) -> asyncio.subprocess.Process:
    with log.open("wb") as stream:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "assistant.runner", *options),
            cwd=assistant,
            env=_environment(assistant),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )


async def _finish(process: asyncio.subprocess.Process, _: MisbehavingServers) -> bool:
    """Waits for the end of the plan."""
    return await process.wait() == 0


async def _stop_when_stalled(process: asyncio.subprocess.Process, servers: MisbehavingServers) -> bool:
    """Stops the assistant while it waits for the gateway; ``False`` if it ended before it came to that."""
    stalled = asyncio.create_task(servers.gateway.stalled.wait())
    ended = asyncio.create_task(process.wait())
    await asyncio.wait({stalled, ended}, return_when=asyncio.FIRST_COMPLETED)
    stalled.cancel()
    if ended.done():
        return False
    process.terminate()
    await ended
    return True


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])


def _environment(assistant: Path) -> dict[str, str]:
    """No more than the assistant needs: its code may have been patched, so it gets to see no secret of ours."""
    path = os.pathsep.join((str(assistant), str(Path(selfimprover.__file__).resolve().parents[1])))
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def _day(name: str, rhythm: _Rhythm) -> Day:
    """A day of this rhythm, with the daily digest in its last slot."""
    key = name.removeprefix("2026-").replace("-", "")
    last = rhythm.start + timedelta(minutes=rhythm.minutes * (rhythm.slots - 1))
    tasks = (*_slots(key, rhythm), _digest(last + timedelta(minutes=23), "digest.daily"))
    return Day(name, tasks, frozenset(_mail_id(key, slot) for slot in rhythm.failing))


def _slots(key: str, rhythm: _Rhythm) -> Iterator[PlannedTask]:
    for slot in range(rhythm.slots):
        start = rhythm.start + timedelta(minutes=rhythm.minutes * slot)
        mail = _mail(key, slot, answers=slot in rhythm.answers, lost=slot in rhythm.lost)
        yield PlannedTask(start, "inbox.sync", {"mailbox": "INBOX"}, 2 + slot % 3)
        yield _mail_task(start + timedelta(minutes=7 + slot * 5 % 11), mail)
        if slot % 2 == 0:
            yield _reminder(start + timedelta(minutes=21), slot // 2)


def _mail(key: str, number: int, *, answers: bool = False, lost: bool = False) -> Mapping[str, object]:
    """A mail of the day ``key``; an answer repeats the subject of the mail before."""
    sender, subject, text = _MAILS[(number - (answers or lost)) % len(_MAILS)]
    return {
        "id": _mail_id(key, number),
        "sender": sender,
        "subject": f"Re: {subject}" if answers or lost else subject,
        "text": text,
        "in_reply_to": _mail_id(key, number - 1) if answers else None,
    }


def _mail_id(key: str, number: int) -> str:
    return f"mail-{key}-{number:02d}"


def _mail_task(at: datetime, mail: Mapping[str, object]) -> PlannedTask:
    return PlannedTask(at, "mail.handle", mail, 4 + at.minute % 9)


def _reminder(at: datetime, number: int) -> PlannedTask:
    return PlannedTask(at, "calendar.remind", {"event": _EVENTS[number % len(_EVENTS)], "minutes": 15}, 1)


def _digest(at: datetime, kind: str) -> PlannedTask:
    return PlannedTask(at, kind, {"id": f"{kind}-{at:%m%d-%H%M}"}, 20)


def _instant(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


def _iso(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()
