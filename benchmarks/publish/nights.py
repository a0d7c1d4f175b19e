"""What the pipeline itself costs per finding: whole nights without a language model and without tests.

Everything is what the service runs (configuration, telemetry in SQLite, analyzers, triage, memory, the forge `github`
against the tests' fake GitHub in a process of its own) but for two parts: a drafter that changes one line, and a
verifier that passes at once. Nights with none and with several findings take turns; a night with none is subtracted.
What is waited for on purpose is left out: a second between two writes, and one until GitHub knows of conflicts.

    python benchmarks/publish/nights.py [--findings 1 10 100] [--rounds 3] [--profile 100]
"""

import argparse
import asyncio
import cProfile
import os
import platform
import pstats
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from hosted import ROOT, Hosted, hosted
from sqlalchemy import Engine, event

sys.path.insert(0, str(ROOT))

from selfimprover.bootstrap import nights, open_app
from selfimprover.domain import Draft, Edit, Finding, NightReport, Risk, State, Strength, Verdict
from selfimprover.night import Night, ProjectParts

AT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
TASKS = 2_000
FILES = {f"package_{number % 20}/module_{number}.py": f"value = {number}\n" * 20 for number in range(1_000)}
PATHS = tuple(FILES)
PER_FINDING = ("ms", "CPU ms", "calls", "commits", "reads")
COLUMNS = ("findings", "night, ms", "CPU, ms", *(f"{what} per finding" for what in PER_FINDING))
LETTERS = "ghijklmnop"
"""No hex digits: a word of these is part of a pattern, and never masked."""


@dataclass(frozen=True)
class Cost:
    """One night."""

    seconds: float
    cpu: float
    calls: int
    commits: int
    reads: int


@dataclass
class Transactions:
    """What the memory's connections did."""

    commits: int = 0
    rollbacks: int = 0


class Drafter:
    """Adds a line to the file of a finding."""

    name = "recipe:line"

    async def draft(self, finding: Finding, tree: Path, feedback: object = None) -> Draft:  # noqa: ARG002
        """The draft; the attribute that the error names is the number of the file."""
        match = re.search(r"attribute '(\w+)'", finding.title)
        assert match is not None
        path = PATHS[int("".join(str(LETTERS.index(letter)) for letter in match[1]))]
        text = (tree / path).read_text()
        return Draft(
            drafter=self.name,
            title=f"Fix {path}",
            summary="another line",
            root_cause="The line is missing.",
            change="The line is there.",
            may_hide=(),
            risk=Risk.DEFENSIVE_CHECK,
            edits=(Edit(path, text, f"{text}fixed = True\n"),),
        )


class Verifier:
    """Passes everything."""

    def key(self) -> str:
        """Never another."""
        return "passes"

    async def verify(self, draft: Draft, tree: Path, base_commit: str) -> Verdict:  # noqa: ARG002
        """At once."""
        reason = "no test fails that passed before"
        return Verdict(
            base_commit=base_commit,
            passed=True,
            strength=Strength.BY_TEST,
            sandbox="none",
            checks=(),
            reason=reason,
        )


def prepare(folder: Path, hub: Hosted, findings: int) -> Path:
    """A configuration, its telemetry (two failures a finding, over the week) and its repository on GitHub."""
    name = f"octo/app-{folder.name}"
    hub.make(name, FILES)
    with sqlite3.connect(folder / "tasks.db") as database:
        database.execute("CREATE TABLE tasks (id, status, error, created_at, traceback)")
        for number in range(TASKS + 2 * findings):
            error = _error(number // 2) if number < 2 * findings else None
            trace = f'Traceback (most recent call last):\n  File "/srv/agent.py", line 1, in run\n{error}'
            at = (AT - timedelta(seconds=(number * 7919) % 600_000 + 60)).isoformat()
            row = (number, "failed" if error else "done", error, at, trace if error else None)
            database.execute("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)", row)
    database.close()
    config = folder / "config.toml"
    config.touch(0o600)
    config.write_text(
        f'[state]\ndir = "state"\n[schedule]\ntimezone = "UTC"\n[publish]\nmode = "ready"\n'
        f"[limits]\nfindings_per_night = {findings}\nnew_pull_requests_per_night = {findings}\n"
        f"open_pull_requests = {findings}\n"
        f'[github]\napi_url = "{hub.url}"\ntoken = "{hub.token}"\nseconds_between_writes = 0\n'
        '[[projects]]\nname = "app"\ntelemetry = { path = "tasks.db" }\n'
        f'repository = {{ forge = "github", name = "{name}" }}\n'
        'verify = { test = "true", sandbox = "none" }\n'
    )
    return config


def _error(number: int) -> str:
    word = "".join(LETTERS[int(digit)] for digit in f"{number:03}")
    return f"AttributeError: 'Agent' object has no attribute '{word}'"


async def hold(config: Path, at: datetime) -> NightReport:
    """A night as the service holds it, with the two parts replaced."""
    app = open_app(config)
    with app.instance():
        async with app.working():
            await asyncio.to_thread(app.back_up)
            async with nights.night(app) as (_, parts, projects):
                return await Night(parts, [_trivial(project) for project in projects]).run(at)


def _trivial(project: ProjectParts) -> ProjectParts:
    return replace(project, drafters=(Drafter(),), verifier=Verifier())


@contextmanager
def counted() -> Iterator[Transactions]:
    """Counts the transactions of every connection that is opened meanwhile."""
    seen = Transactions()

    def committed(_connection: object) -> None:
        seen.commits += 1

    def rolled_back(_connection: object) -> None:
        seen.rollbacks += 1

    event.listen(Engine, "commit", committed)
    event.listen(Engine, "rollback", rolled_back)
    try:
        yield seen
    finally:
        event.remove(Engine, "commit", committed)
        event.remove(Engine, "rollback", rolled_back)


def measure(config: Path, hub: Hosted, findings: int, at: datetime) -> Cost:
    """One night; every finding must have come to an open pull request."""
    hub.forget_calls()
    with counted() as seen:
        cpu, began = time.process_time(), time.perf_counter()
        report = asyncio.run(hold(config, at))
        seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    assert not report.errors, report.errors
    opened = [finding for finding in report.findings if finding.state is State.OPEN]
    assert len(opened) == findings, f"{len(opened)} of {findings}"
    return Cost(seconds, spent, hub.calls(), seen.commits, seen.rollbacks)


def both_nights(hub: Hosted, findings: int) -> tuple[Cost, Cost]:
    """The night that opens the pull requests, and the next one, which finds them all open."""
    with tempfile.TemporaryDirectory() as name:
        config = prepare(Path(name), hub, findings)
        first = measure(config, hub, findings, AT)
        return first, measure(config, hub, findings, AT + timedelta(minutes=30))


def table(costs: dict[int, list[Cost]]) -> str:
    """The median night of each number of findings, and what each finding added to a night with none."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    none = _median(costs[0])
    for findings, measured in sorted(costs.items()):
        cost = _median(measured)
        cells = [f"{findings}", f"{1000 * cost.seconds:.0f}", f"{1000 * cost.cpu:.0f}"]
        if findings:
            more = [
                1000 * (cost.seconds - none.seconds),
                1000 * (cost.cpu - none.cpu),
                cost.calls - none.calls,
                cost.commits - none.commits,
                cost.reads - none.reads,
            ]
            cells += [f"{value / findings:.1f}" for value in more]
        else:
            cells += ["", "", f"({none.calls} calls)", f"({none.commits} commits)", f"({none.reads} reads)"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _median(costs: Sequence[Cost]) -> Cost:
    names = ("seconds", "cpu", "calls", "commits", "reads")
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in names))


def compare(findings: Sequence[int], rounds: int) -> str:
    """Both tables; the first night of a process is not counted."""
    opening: dict[int, list[Cost]] = {}
    later: dict[int, list[Cost]] = {}
    with hosted() as hub:
        both_nights(hub, 1)
        for _ in range(rounds):
            for number in (0, *findings):
                first, second = both_nights(hub, number)
                opening.setdefault(number, []).append(first)
                later.setdefault(number, []).append(second)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return f"{machine}\n\nThe night that opens them:\n\n{table(opening)}\n\nThe next night:\n\n{table(later)}"


def profile(findings: int) -> None:
    """Where the time of an opening night goes, and of the next one."""
    with hosted() as hub, tempfile.TemporaryDirectory() as name:
        both_nights(hub, 1)
        config = prepare(Path(name), hub, findings)
        for at in (AT, AT + timedelta(minutes=30)):
            profiler = cProfile.Profile()
            profiler.enable()
            asyncio.run(hold(config, at))
            profiler.disable()
            pstats.Stats(profiler).sort_stats("cumulative").print_stats(r"selfimprover|sqlalchemy/ext/asyncio", 45)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--findings", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", type=int, metavar="FINDINGS", help="show where the time goes, and measure nothing")
    chosen = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # nobody reads the logs of thousands of calls
    if chosen.profile:
        profile(chosen.profile)
    else:
        print(compare(chosen.findings, chosen.rounds))
