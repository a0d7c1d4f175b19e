"""Reads one project's telemetry: counts, top errors, what became of merged fixes, and what the analyzers find."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from selfimprover.domain import Finding, Problem, ProjectReport, State
from selfimprover.errors import ForgeError, SelfImproverError, StoppedError, TelemetryError
from selfimprover.interfaces import AnalysisContext
from selfimprover.night import wording
from selfimprover.night.parts import NightParts, ProjectParts
from selfimprover.night.summary import Tonight
from selfimprover.night.surveying import Survey

_ERROR_DAYS = 7

log = structlog.get_logger()


class Reader:
    """One night's look at the telemetry; what it comes upon is put together in ``tonight``.

    All projects are surveyed before any is analyzed, for what is one pattern is told by the errors of all of them.
    """

    def __init__(self, parts: NightParts, tonight: Tonight, survey: Survey) -> None:
        self._parts = parts
        self._tonight = tonight
        self._survey = survey

    async def survey(self, project: ProjectParts) -> bool:
        """Counts tasks and reads the failures of one project; ``False`` if its telemetry cannot be read."""
        self._parts.begin("read", project.name)
        calendar, at = self._parts.calendar, self._tonight.at
        try:
            *_, yesterday, today = await project.telemetry.task_counts(calendar.days(at, _ERROR_DAYS))
            await self._survey.read(project.telemetry, calendar.last(at, _ERROR_DAYS))
        except TelemetryError as error:
            self._lost(project, error)
            return False
        report = ProjectReport(name=project.name, today=today.by_status(), yesterday=yesterday.by_status())
        self._tonight.projects.append(report)
        return True

    async def analyze(self, project: ProjectParts) -> Sequence[Finding]:
        """Top errors, follow-up of merged fixes, and what the analyzers find in one project that was surveyed."""
        at = self._tonight.at
        context = AnalysisContext(project.name, at, self._parts.calendar, self._parts.fingerprinter, self._survey)
        try:
            for one in await self._survey.in_window(project.telemetry, self._parts.calendar.last(at, _ERROR_DAYS)):
                self._tonight.top_errors[one.pattern.fingerprint] += one.count
                self._tonight.seen.update(one.pattern.members)
            await self._follow_up(project, context)
            found, kinds = await self._analyze(project, context)
            notes = (*await project.telemetry.notes(), *self._survey.notes(project.name))
        except TelemetryError as error:
            self._tonight.projects[:] = [one for one in self._tonight.projects if one.name != project.name]
            self._lost(project, error)
            return []
        self._tonight.projects[:] = [
            replace(one, notes=notes) if one.name == project.name else one for one in self._tonight.projects
        ]
        self._tonight.analyzed |= {(project.name, kind) for kind in kinds}
        return found

    def _lost(self, project: ProjectParts, error: TelemetryError) -> None:
        self._tonight.problems.append(wording.problem(error, f"project {project.name}", self._parts.redact))
        self._tonight.projects.append(ProjectReport(name=project.name, error=self._parts.redact(str(error))))

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
