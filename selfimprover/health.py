"""How the daemon is: what ``status`` tells, so that a dead daemon and a quiet night look different.

It is also what a container's health check runs every few minutes, so nothing heavy is imported here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from selfimprover.bootstrap import App
from selfimprover.domain import DaemonState, LedgerNight, iso
from selfimprover.memory.folder import DAEMON
from selfimprover.reporting.words import counted

LONGEST_SILENCE = timedelta(hours=26)
"""How long ago the last night may have ended: a day, the longest day of the year, and an hour to hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a look at the state folder showed."""

    running: bool
    state: DaemonState | None
    """What the daemon says of itself; ``None`` if none runs."""
    last: LedgerNight | None
    """The night that ended last."""
    next_night: datetime
    """When the next night is due, whether or not a daemon is there to hold it."""
    timezone: tzinfo
    problems: tuple[str, ...]
    """Why all is not well, one sentence each; empty if it is."""


def look(app: App, now: datetime) -> Health:
    """Looks at lock, ledger and clock; raises ``UsageError`` if the memory cannot be read."""
    holder = app.folder.holder()
    running = holder is not None and holder.role == DAEMON
    state = app.folder.read_state() if holder is not None and running else None
    if state is not None and holder is not None and state.pid != holder.pid:
        state = None  # what another one said, before this one could say anything
    last = app.ledger.last_ended()
    return Health(
        running=running,
        state=state,
        last=last,
        next_night=app.clock.next_after(now),
        timezone=app.clock.timezone,
        problems=tuple(_problems(running=running, last=last, now=now)),
    )


def document(health: Health) -> dict[str, Any]:
    """The JSON document of ``status``."""
    state, last = health.state, health.last
    return {
        "running": health.running,
        "healthy": not health.problems,
        "problems": list(health.problems),
        "pid": state.pid if state else None,
        "version": state.version if state else None,
        "config": state.config if state else None,
        "since": iso(state.since) if state else None,
        "doing": state.doing if state else None,
        "trouble": state.trouble if state else None,
        "config_refused": state.refused if state else None,
        "last_night": None
        if last is None
        else {
            "night": last.key,
            "at": iso(last.at),
            "ended": iso(last.ended) if last.ended else None,
            "findings": last.findings,
            "pull_requests": last.pull_requests,
            "errors": last.errors,
        },
        "next_night": {
            "utc": iso(health.next_night),
            "local": health.next_night.astimezone(health.timezone).isoformat(),
        },
        "check": [
            {"part": one.part, "ok": one.ok, "what": one.what, "mend": one.mend}
            for one in (state.examined if state else ())
        ],
    }


def lines(health: Health) -> list[str]:
    """The same for a person."""
    state = health.state
    due = _when(health.next_night, health.timezone) + ("" if health.running else " if it is started")
    told = [f"daemon   {_daemon(health)}", f"last     {_last(health)}", f"next     {due}"]
    if state is not None:
        failed = [one for one in state.examined if not one.ok]
        told.append(f"check    {len(state.examined) - len(failed)} of {len(state.examined)} parts in order")
        told += [f"         FAIL {one.part}: {one.what}" + (f" → {one.mend}" if one.mend else "") for one in failed]
        told += [f"config   refused, the one before is in force: {state.refused}"] if state.refused else []
        told += [f"trouble  {state.trouble}"] if state.trouble else []
    return [" ".join(line.splitlines()) for line in (*told, *(f"problem  {one}" for one in health.problems))]


def _problems(*, running: bool, last: LedgerNight | None, now: datetime) -> list[str]:
    problems = [] if running else ["no daemon is running"]
    if last is None or last.ended is None:
        problems.append("no night has ended yet")
    elif last.ended > now + LONGEST_SILENCE:
        problems.append("the last night ended in the future: the clock was wrong then, or is now")
    elif now - last.ended > LONGEST_SILENCE:
        problems.append(f"no night has ended for {(now - last.ended) // timedelta(hours=1)} hours")
    return problems


def _daemon(health: Health) -> str:
    state = health.state
    if not health.running:
        return "not running"
    if state is None:
        return "running"
    return f"running: {state.doing}, process {state.pid} since {_when(state.since, health.timezone)}"


def _last(health: Health) -> str:
    last = health.last
    if last is None or last.ended is None:
        return "none yet"
    counts = ((last.findings, "finding"), (last.pull_requests, "new pull request"), (last.errors, "error"))
    told = ", ".join(counted(count, noun) for count, noun in counts)
    return f"{last.key}, ended {_when(last.ended, health.timezone)}: {told}"


def _when(at: datetime, timezone: tzinfo) -> str:
    local, utc = at.astimezone(timezone), at.astimezone(UTC)
    return f"{local:%Y-%m-%d %H:%M %Z}" + ("" if local.utcoffset() == timedelta(0) else f" ({utc:%H:%M}Z)")
