"""Plays the whole loop: the assistant works and fails, a night finds and fixes, a person merges, a night looks back."""

import asyncio
import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.markup import escape

from selfimprover.bootstrap import App, nights, open_app
from selfimprover.bootstrap.model import is_configured
from selfimprover.demo.days import Day, days_before_the_fix, monday, run_day, with_holidays
from selfimprover.demo.stage import Stage, exposed_folders, test_command
from selfimprover.domain import NightReport, PullRequest, PullState
from selfimprover.errors import UsageError
from selfimprover.interfaces import Progress
from selfimprover.reporting.terminal import print_night
from selfimprover.settings import Llm
from selfimprover.verification.choosing import choose
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.sandbox import Kind

FIRST_NIGHT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
SECOND_NIGHT = datetime(2026, 2, 17, 0, 17, tzinfo=UTC)
MERGED_AT = datetime(2026, 2, 16, 8, 5, tzinfo=UTC)


class Play:
    """The loop on a stage; what it does is printed as it happens."""

    def __init__(self, stage: Stage, console: Console, progress: Progress, llm: Llm) -> None:
        self._stage = stage
        self._llm = llm
        self._console = console
        self._progress = progress
        self._began = monotonic()

    async def run(self, *, kept: bool) -> tuple[NightReport, NightReport]:
        """Both nights' reports. ``kept``: the folder stays, so that it can be pointed to."""
        sandbox, told = await _sandbox()
        by_model = is_configured(self._llm)
        self._stage.set(sandbox, pull_requests=3 if by_model else 2)
        app = open_app(self._stage.config).with_model(self._llm)
        self._tell("The example assistant works, against a mail server and a gateway that misbehave")
        thursday, sunday, small_hours = days_before_the_fix()
        await self._work([thursday, with_holidays(sunday) if by_model else sunday, small_hours])
        self._tell("Night of Feb 16, 00:17: find what repeats, draft, prove, open pull requests")
        self._console.print(f"   The assistant's tests run by `{test_command()}`, {told}.", highlight=False)
        if by_model:
            self._console.print(f"   Where no recipe applies, {escape(str(self._llm.model))} drafts.", highlight=False)
        first = await self._night(app, FIRST_NIGHT)
        self._tell("What the memory keeps of it: evidence, each entry with the digest of the one before")
        await self._evidence(app, since=0)
        entries = len(await _lines(app))
        self._tell("A reviewer reads the pull requests and merges them (played by this demo)")
        self._merge(first.pull_requests)
        self._tell("The assistant's next day, with the fixes; outside, everything goes wrong as before")
        await self._work([with_holidays(monday()) if by_model else monday()])
        self._tell("Night of Feb 17, 00:17: did the fixes help?")
        second = await self._night(app, SECOND_NIGHT)
        await self._evidence(app, since=entries)
        self._where_next(kept=kept)
        return first, second

    async def _work(self, days: Sequence[Day]) -> None:
        version = self._stage.version()
        for day in days:
            self._progress("run", f"{day.name} with version {version[:12]}")
            await run_day(self._stage.repository, day, self._stage.database, version)
            self._console.print(f"   {day.name}: {len(day.tasks)} tasks begun, their subtasks not counted")

    async def _night(self, app: App, at: datetime) -> NightReport:
        with app.instance():
            report = await nights.hold(app, at, progress=self._progress, tell=False)
        self._console.print()
        print_night(self._console, report)
        return report

    async def _evidence(self, app: App, *, since: int) -> None:
        for line in (await _lines(app))[since:]:
            self._console.print_json(json.dumps(json.loads(line)), indent=None)

    def _merge(self, pulls: Sequence[PullRequest]) -> None:
        for position, pull in enumerate(pull for pull in pulls if pull.state is PullState.OPEN):
            self._stage.merge(pull.branch, pull.number, pull.title, MERGED_AT + timedelta(minutes=position))
            self._console.print(f"   merged #{pull.number}: {escape(pull.title)}")

    def _where_next(self, *, kept: bool) -> None:
        took = f"{monotonic() - self._began:.0f} s"
        program = _program()
        if not kept:
            self._tell(f"That was the loop, in {took}. To keep everything and look at it")
            self._console.print(f"   {escape(program)} demo --keep demo-output", soft_wrap=True)
            return
        config = shlex.quote(str(self._stage.config))
        repository = shlex.quote(str(self._stage.repository))
        self._tell(f"That was the loop, in {took}. Where to look next")
        for command in (
            f"{program} report --config {config}",
            f"{program} findings list --config {config}",
            f"{program} prs --config {config}",
            f"{program} memory export --config {config}",
            f"git -C {repository} log --graph --oneline --stat",
        ):
            self._console.print(f"   {escape(command)}", soft_wrap=True)

    def _tell(self, line: str) -> None:
        self._console.print(f"\n[bold cyan]▸ {escape(line)}[/bold cyan]")


def _program() -> str:
    """How this program can be called again from here."""
    called = Path(sys.argv[0])
    if called.name != "selfimprover":
        return f"{sys.executable} -m selfimprover"
    return "selfimprover" if shutil.which("selfimprover") else str(called)


async def _sandbox() -> tuple[str, str]:
    """What the configuration is to say of a sandbox, and in words what that means here.

    Only the example's own tests may run without one unasked: they are part of this program.
    """
    chosen = await choose(Kind.AUTO)
    try:
        await asyncio.to_thread(exposed, exposed_folders())
    except UsageError as error:
        return "none", f"bare, because they are ours and a sandbox will not show them this Python: {error.what}"
    if chosen.sandbox is None:
        return "none", f"bare, because they are ours and there is no sandbox here: {chosen.problem}"
    held = len(chosen.probed)
    return "auto", f"in a sandbox ({chosen.sandbox.name}): {held} of {held} attempts to get out of it were refused"


async def _lines(app: App) -> list[str]:
    async with app.memory() as memory:
        return [line async for line in memory.export()]


async def play(
    folder: Path, console: Console, progress: Progress, *, kept: bool, llm: Llm | None = None
) -> tuple[NightReport, NightReport]:
    """The demo in ``folder``, which must be new or empty. ``llm``: the model that drafts as well.

    Without one there is none, whatever the environment says: the demo needs no network.
    """
    return await Play(Stage(folder), console, progress, llm or Llm(enabled=False)).run(kept=kept)
