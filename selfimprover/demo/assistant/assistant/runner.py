"""Does a day's tasks in order and records each one.

    python -m assistant.runner --plan plan.json --database tasks.db --imap HOST:PORT --gateway URL --version COMMIT
"""

import argparse
import asyncio
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from selfimprover.telemetry.recorder import Recorder

from assistant.email_agent import EmailAgent, Mail
from assistant.gateway import GatewayClient
from assistant.imap_poller import ImapPoller

log = logging.getLogger("assistant")


@dataclass(frozen=True)
class PlannedTask:
    """One task of the plan: when it is due, what it is about, and how long it takes."""

    at: datetime
    kind: str
    input: dict[str, Any]
    seconds: int


@dataclass(frozen=True)
class Plan:
    """The tasks of a day, in order."""

    name: str
    tasks: list[PlannedTask]

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """Reads a plan from its JSON file."""
        plan = json.loads(path.read_text(encoding="utf-8"))
        tasks = [PlannedTask(**{**task, "at": datetime.fromisoformat(task["at"])}) for task in plan["tasks"]]
        return cls(plan["name"], tasks)

    def ids(self) -> Callable[[], str]:
        """Numbers the tasks of this plan, subtasks included."""
        numbers = count(1)
        return lambda: f"{self.name}-{next(numbers):03d}"


class PlanClock:
    """The time as the plan tells it, so that a day need not take a day."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Goes to the time at which the next task is due."""
        self._now = now

    def advance(self, seconds: int) -> None:
        """Lets a task take its time."""
        self._now += timedelta(seconds=seconds)


class Runner:
    """Does tasks one after another. A task that fails is recorded, and the day goes on."""

    def __init__(self, recorder: Recorder, clock: PlanClock, poller: ImapPoller, gateway: GatewayClient) -> None:
        self._recorder = recorder
        self._clock = clock
        self._poller = poller
        self._gateway = gateway
        self._agent = EmailAgent(gateway)
        self.inbox: list[int] = []
        self._work = {
            "inbox.sync": ("email", self._sync_inbox),
            "mail.handle": ("email", self._handle_mail),
            "calendar.remind": ("calendar", self._remind),
            "digest.daily": ("digest", self._digest),
            "digest.weekly": ("digest", self._digest),
        }

    async def run(self, tasks: list[PlannedTask]) -> None:
        """Does the tasks in the order given."""
        for task in tasks:
            try:
                await self._run_one(task)
            except Exception as error:
                log.warning("%s failed: %s: %s", task.kind, type(error).__name__, error)

    async def _run_one(self, task: PlannedTask) -> None:
        agent, work = self._work[task.kind]
        self._clock.set(task.at)
        async with self._recorder.task(task.kind, agent=agent, input=task.input):
            try:
                await work(task.input)
            finally:
                self._clock.advance(task.seconds)

    async def _sync_inbox(self, task: dict[str, Any]) -> None:
        try:
            async with self._recorder.task("imap.poll", agent="imap", input=task):
                try:
                    self.inbox = await self._poller.poll()
                finally:
                    self._clock.advance(1)
        except OSError as error:
            log.warning("keeping the last known inbox of %d mails: %s", len(self.inbox), error)

    async def _handle_mail(self, task: dict[str, Any]) -> None:
        mail = Mail(**task)
        summary = await self._agent.handle(mail, self._clock())
        log.info("%s: %s", mail.subject, summary)

    async def _remind(self, task: dict[str, Any]) -> None:
        log.info("%s begins in %d minutes", task["event"], task["minutes"])

    async def _digest(self, task: dict[str, Any]) -> None:
        text = "\n".join(self._agent.summaries) or "Nothing new."
        log.info("digest: %s", await self._gateway.summarise(text, reference=task["id"]))


async def run_plan(options: argparse.Namespace) -> None:
    """Runs the plan that the options name."""
    plan = Plan.load(options.plan)
    clock = PlanClock(plan.tasks[0].at)
    host, _, port = options.imap.rpartition(":")
    user = os.environ.get("ASSISTANT_IMAP_USER", "assistant")
    password = os.environ.get("ASSISTANT_IMAP_PASSWORD", "")
    poller = ImapPoller(host, int(port), user, password, timeout=options.imap_timeout)
    recorder = Recorder(options.database, version=options.version, clock=clock, new_id=plan.ids())
    try:
        await Runner(recorder, clock, poller, GatewayClient(options.gateway)).run(plan.tasks)
    finally:
        recorder.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="assistant.runner", description="Does a day's tasks and records each one.")
    parser.add_argument("--plan", type=Path, required=True, help="JSON file with the tasks of the day")
    parser.add_argument("--database", type=Path, required=True, help="SQLite file for the task records")
    parser.add_argument("--imap", required=True, metavar="HOST:PORT", help="the mail server")
    parser.add_argument("--imap-timeout", type=float, default=5.0, metavar="SECONDS", help="patience with its greeting")
    parser.add_argument("--gateway", required=True, metavar="URL", help="the language-model gateway")
    parser.add_argument("--version", required=True, metavar="COMMIT", help="what code this is")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    asyncio.run(run_plan(options))


if __name__ == "__main__":
    main()
