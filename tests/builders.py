"""Builds findings, cases and nights for tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from selfimprover.analyzers.failure_rate import FailureRate
from selfimprover.analyzers.repeated_errors import RepeatedErrors
from selfimprover.domain import Baseline, Calendar, CaseFile, Finding, NightReport, Window
from selfimprover.interfaces import AnalysisContext, Analyzer, Fingerprinter
from selfimprover.memory.engine import ensure_schema
from selfimprover.memory.store import SqlMemory
from selfimprover.night import Limits, Mode, Night, NightParts, ProjectParts, Publishing
from selfimprover.night.surveying import Survey
from selfimprover.outcomes.tracker import Tracker
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.patterns.grouping import group
from selfimprover.reporting import pull_request
from selfimprover.triage import Policy
from selfimprover.verification.confidence import confidence
from tests.fakes.drafting import FakeDrafter, FakeVerifier
from tests.fakes.forge import FakeForge
from tests.fakes.telemetry import FakeTelemetry, task

NIGHT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
BUG = "AttributeError: 'Agent' object has no attribute 'value'"
TIMEOUT = "TimeoutError: no answer from the mail server"
GATEWAY = "GatewayTimeout: 504 Gateway Timeout from http://10.0.0.1/v1"


def a_finding(error: str = BUG, **changes: object) -> Finding:
    """A repeated error, seen twice in ten tasks."""
    fingerprint = ErrorFingerprinter().fingerprint(error, None)
    window = Window(NIGHT - timedelta(days=7), NIGHT)
    values: dict[str, object] = {
        "id": fingerprint.value[:12],
        "kind": "repeated_error",
        "fingerprint": fingerprint,
        "title": error,
        "occurrences": 2,
        "first_seen": NIGHT - timedelta(days=1),
        "last_seen": NIGHT - timedelta(hours=1),
        "projects": ("assistant",),
        "baseline": Baseline(window=window, kinds=("mail",), tasks=10, failures=2, succeeded=8, daily=()),
        "samples": (task(1, NIGHT - timedelta(hours=1), error=error),),
        "failures_in_window": 2,
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]


def context_of(project: str, at: datetime) -> AnalysisContext:
    """What an analyzer is told in a night that nothing came before."""
    fingerprinter, calendar = ErrorFingerprinter(), Calendar(UTC)
    return AnalysisContext(project, at, calendar, fingerprinter, Survey(fingerprinter, group, calendar))


@dataclass
class World:
    """A project on fakes, over a real memory, and nights on it."""

    folder: Path
    telemetry: FakeTelemetry = field(default_factory=lambda: FakeTelemetry("assistant"))
    forge: FakeForge = field(default_factory=FakeForge)
    drafter: FakeDrafter = field(default_factory=FakeDrafter)
    verifier: FakeVerifier = field(default_factory=FakeVerifier)
    mode: Mode = Mode.READY
    limits: Limits = field(default_factory=Limits)
    analyzers: Sequence[Analyzer] = (RepeatedErrors({}), FailureRate({}))
    fingerprinter: Fingerprinter = field(default_factory=ErrorFingerprinter)
    others: dict[str, tuple[FakeTelemetry, FakeForge]] = field(default_factory=dict)
    """Further projects."""
    only: str | None = None
    """Hold nights over this project alone."""
    nights: int = 0
    at_once: int = 1

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'memory.db'}"

    def memory(self) -> SqlMemory:
        ensure_schema(self.url, self.folder / "backups")
        return SqlMemory(self.url)

    def fail(
        self,
        error: str,
        times: int,
        *,
        until: datetime = NIGHT,
        every: timedelta = timedelta(hours=2),
        project: str = "assistant",
    ) -> None:
        """Adds failures, each with four tasks that went well around it."""
        tasks = self.others[project][0].tasks if project in self.others else self.telemetry.tasks
        for number in range(times):
            at = until - every * (number + 1)
            tasks.append(task(len(tasks), at, error=error, project=project))
            tasks += [
                task(len(tasks) + later, at + timedelta(minutes=3 * later + 3), project=project) for later in range(4)
            ]

    async def case(self) -> CaseFile:
        """The only case that the memory has."""
        memory = self.memory()
        try:
            (case,) = await memory.cases()
        finally:
            await memory.close()
        return case

    async def night(self, at: datetime = NIGHT, *, dry_run: bool = False) -> NightReport:
        """One night on everything as it is now."""
        self.nights += 1
        scratch = self.folder / f"scratch-{self.nights}"
        scratch.mkdir()
        memory = self.memory()
        all_projects = {"assistant": (self.telemetry, self.forge), **self.others}
        projects = [
            ProjectParts(name=name, telemetry=telemetry, forge=forge, drafters=(self.drafter,), verifier=self.verifier)
            for name, (telemetry, forge) in all_projects.items()
            if self.only in {None, name}
        ]
        parts = NightParts(
            memory=memory,
            analyzers=self.analyzers,
            fingerprinter=self.fingerprinter,
            group=group,
            triage=Policy(),
            confidence=confidence,
            tracker=Tracker(),
            write_pull_request=pull_request.write,
            calendar=Calendar(ZoneInfo("UTC")),
            publishing=Publishing(mode=self.mode, author="selfimprover <selfimprover@localhost>"),
            limits=self.limits,
            redact=lambda text: text.replace("hunter2", "[…]"),
            leak=lambda text: "a password in line 1" if "hunter2" in text else None,
            progress=lambda _step, _detail="": None,
            scratch=scratch,
            at_once=self.at_once,
        )
        try:
            return await Night(parts, projects).run(at, dry_run=dry_run)
        finally:
            await memory.close()

    async def evidence(self) -> list[str]:
        memory = self.memory()
        try:
            return [line async for line in memory.export()]
        finally:
            await memory.close()
