"""Reads one project's telemetry: counts, top errors, what became of merged fixes, and what the analyzers find."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import structlog

from selfimprover.domain import Finding, Fingerprint, Problem, ProjectReport, State
from selfimprover.errors import ForgeError, SelfImproverError, StoppedError, TelemetryError
from selfimprover.interfaces import AnalysisContext
from selfimprover.night import wording
from selfimprover.night.parts import NightParts, ProjectParts
from selfimprover.night.summary import Tonight

_ERROR_DAYS = 7

log = structlog.get_logger()


class Reader:
    """One night's look at the telemetry; what it comes upon is put together in ``tonight``."""

    def __init__(self, parts: NightParts, tonight: Tonight) -> None:
        self._parts = parts
        self._tonight = tonight

    async def read(self, project: ProjectParts) -> Sequence[Finding]:
        """Counts, top errors, follow-up of merged fixes, and what the analyzers find in one project."""
        self._parts.begin("read", project.name)
        context = AnalysisContext(project.name, self._tonight.at, self._parts.calendar, self._parts.fingerprinter)
        try:
            report = await self._count(project, context)
            await self._follow_up(project, context)
            found, kinds = await self._analyze(project, context)
            notes = tuple(await project.telemetry.notes())
        except TelemetryError as error:
            self._tonight.problems.append(wording.problem(error, f"project {project.name}", self._parts.redact))
            self._tonight.projects.append(ProjectReport(name=project.name, error=self._parts.redact(str(error))))
            return []
        self._tonight.projects.append(replace(report, notes=notes))
        self._tonight.analyzed |= {(project.name, kind) for kind in kinds}
        return found

    async def _count(self, project: ProjectParts, context: AnalysisContext) -> ProjectReport:
        calendar = self._parts.calendar
        days = await project.telemetry.task_counts([calendar.today(context.at), calendar.yesterday(context.at)])
        patterns: Counter[Fingerprint] = Counter()
        async for batch in project.telemetry.failures(calendar.last(context.at, _ERROR_DAYS)):
            patterns.update(context.fingerprinter.fingerprint(record.error, record.traceback) for record in batch)
        self._tonight.top_errors.update(patterns)
        return ProjectReport(name=project.name, today=days[0].by_status(), yesterday=days[1].by_status())

    async def _follow_up(self, project: ProjectParts, context: AnalysisContext) -> None:
        merged = [
            case
            for case in await self._parts.memory.cases()
            if case.state is State.MERGED and case.project == project.name
        ]
        if merged and project.name in self._tonight.pulls:
            try:
                measured = await self._parts.tracker.measure(merged, project.telemetry, project.forge, context)
            except ForgeError as error:
                self._tonight.problems.append(wording.problem(error, f"project {project.name}", self._parts.redact))
            else:
                self._tonight.measured += measured

    async def _analyze(self, project: ProjectParts, context: AnalysisContext) -> tuple[Sequence[Finding], set[str]]:
        """What the analyzers find, and the kinds of finding that were looked for in full."""
        found: list[Finding] = []
        kinds: set[str] = set()
        for analyzer in self._parts.analyzers:
            self._parts.begin("analyze", f"{project.name}: {analyzer.name}")
            try:
                found += await analyzer.analyze(project.telemetry, context)
            except (SelfImproverError, StoppedError):
                raise
            except Exception as error:  # one analyzer, perhaps somebody else's, must not end the night
                log.exception("analyzer.failed", analyzer=analyzer.name, project=project.name)
                mend = f"take {analyzer.name} out of [analyzers] enabled, or have it corrected"
                self._tonight.problems.append(
                    Problem(f"analyzer {analyzer.name}", self._parts.redact(f"{type(error).__name__}: {error}"), mend)
                )
            else:
                kinds.add(analyzer.kind)
        return found, kinds
