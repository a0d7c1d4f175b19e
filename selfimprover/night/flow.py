"""The whole night, one method per arrow of the design's flow."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from selfimprover.domain import (
    CaseFile,
    Choice,
    Due,
    Finding,
    NightReport,
    Problem,
    PullRequest,
    PullState,
    State,
    Transition,
    Triage,
    Usage,
    iso,
)
from selfimprover.errors import (
    BudgetSpentError,
    ForgeError,
    MemoryLostError,
    ModelError,
    SelfImproverError,
    StoppedError,
)
from selfimprover.interfaces import Returned
from selfimprover.night import wording
from selfimprover.night.combine import combine
from selfimprover.night.fixing import Base, Fixer, Quota, export_base
from selfimprover.night.parts import Mode, NightParts, ProjectParts
from selfimprover.night.reading import Reader
from selfimprover.night.summary import Tonight, summed_up
from selfimprover.night.surveying import Survey
from selfimprover.night.syncing import Syncer
from selfimprover.night.tending import Tender
from selfimprover.night.together import together

_AT_REST = frozenset({State.DIAGNOSED, State.SKIPPED, State.GONE})
_MAY_GO = frozenset({State.FOUND, State.DRAFTED, State.VERIFIED, State.PARKED, *_AT_REST} - {State.GONE})
_WAITS = Triage(Choice.SKIP, "waits for the next night because of [limits] findings_per_night")

log = structlog.get_logger()


class Night:
    """One run over all projects, as of an instant."""

    def __init__(self, parts: NightParts, projects: Sequence[ProjectParts]) -> None:
        self._parts = parts
        self._projects = projects
        self._by_name = {project.name: project for project in projects}

    async def run(
        self, at: datetime, *, dry_run: bool = False, due: Due | None = None, resume: str | None = None
    ) -> NightReport:
        """The whole night as of ``at`` (aware). A dry run ends after the drafts and expects a memory to throw away.

        ``due`` names the night of the schedule that this run stands in for, ``resume`` the unfinished one that it is.
        Raises ``StoppedError`` between two steps if a stop was asked for; the night is then taken up again.
        """
        day = self._parts.calendar.day_of(at).isoformat()
        tonight = Tonight(await self._parts.memory.begin_night(day, at, due, resume), at, dry_run)
        with structlog.contextvars.bound_contextvars(night=tonight.key):
            if self._parts.meter:
                self._parts.meter.begin(tonight.key)
            log.info("night.started", at=iso(at), projects=len(self._projects), dry_run=dry_run)
            try:
                report = await self._hold(tonight)
            except (StoppedError, asyncio.CancelledError):
                await self._parts.memory.interrupt_night(tonight.key)
                raise
            log.info("night.ended", findings=len(report.findings), errors=len(report.errors))
        return report

    async def _hold(self, tonight: Tonight) -> NightReport:
        tonight.before = {case.finding.id: case.state for case in await self._parts.memory.cases()}
        await self._rename()
        syncer = Syncer(self._parts, tonight)
        for project in self._projects:
            await syncer.sync(project)
        found = await self._read(tonight)
        await self._judge(tonight)
        cases = await self._remember(found, syncer, tonight)
        self._triage(cases, tonight)
        await self._fix(tonight)
        await self._tend({case.finding.id for case in cases}, tonight)
        usage = await self._parts.meter.usage() if self._parts.meter else Usage()
        report = summed_up(tonight, str(self._parts.calendar.timezone), self._parts.problems, usage)
        await self._parts.memory.end_night(report)
        return report

    async def _read(self, tonight: Tonight) -> Sequence[Finding]:
        """All projects are read, then it is settled what is one pattern, then each is analyzed."""
        parts, memory = self._parts, self._parts.memory
        known = await memory.patterns(parts.fingerprinter.version)
        survey = Survey(parts.fingerprinter, parts.group, parts.calendar, known)
        reader = Reader(parts, tonight, survey)
        readable = [project for project in self._projects if await reader.survey(project)]
        found = [finding for project in readable for finding in await reader.analyze(project)]
        await memory.keep_patterns(await survey.fresh(), tonight.key)
        for finding_id, into in survey.moves.items():
            await self._join(finding_id, into, tonight)
        return found

    async def _join(self, finding_id: str, into: str, tonight: Tonight) -> None:
        """Lets a finding go into another that tonight's errors show to be the same."""
        case = await self._parts.memory.case(finding_id)
        if case is None:
            return
        reason = f"one with {into}: the errors that were seen by now show that they are the same"
        told = f"{reason[0].upper()}{reason[1:]}."
        step = (
            wording.noted(case, tonight.key, tonight.at, told)
            if case.state is State.GONE
            else self._step(case, State.GONE, reason, tonight)
        )
        await self._parts.memory.join(finding_id, into, reason, step)

    async def _rename(self) -> None:
        """Gives every case a fingerprint of tonight's algorithm, so that a new version finds its old findings."""
        fingerprinter = self._parts.fingerprinter
        for case in await self._parts.memory.without_alias(fingerprinter.version):
            for sample in case.finding.samples:
                renamed = fingerprinter.fingerprint(sample.error, sample.traceback)
                await self._parts.memory.add_alias(
                    case.finding.id, renamed, f"algorithm version {fingerprinter.version}"
                )

    async def _judge(self, tonight: Tonight) -> None:
        """Judges all merged fixes together."""
        outcomes = self._parts.tracker.judge(tonight.measured)
        for measured, outcome in zip(tonight.measured, outcomes, strict=True):
            case, before = measured.case, measured.case.outcome
            news = before is None or before.state is not outcome.state
            entry = wording.judged(case, outcome, tonight.key, tonight.at) if news else None
            await self._parts.memory.store_outcome(outcome, tonight.key, entry)
            tonight.outcomes.append(outcome)
            tonight.settled += [case.finding.id] * news

    async def _remember(self, found: Sequence[Finding], syncer: Syncer, tonight: Tonight) -> Sequence[CaseFile]:
        """Gives findings their identity, stores them, and lets go of those that stopped by themselves."""
        memory = self._parts.memory
        named = [replace(finding, id=await self._identify(finding, tonight)) for finding in found]
        homes = {finding.id: await self._home(finding, tonight) for finding in named}
        cases: list[CaseFile] = []
        for finding in combine(named, homes):
            entry = wording.found(finding, tonight.key, tonight.at)
            home = homes[finding.id] or finding.projects[0]
            case = await memory.remember(finding, home, entry, tonight.key, tonight.at)
            if finding.id not in tonight.before:
                case = await syncer.recognise(case, self._by_name)
            if case.state is State.GONE:
                case = await memory.move(self._step(case, State.FOUND, "seen again", tonight, "Seen again."))
            cases.append(case)
        seen = {case.finding.id for case in cases}
        for case in await memory.cases():
            if case.finding.id in seen:
                continue
            if case.state is State.PUSHED:
                cases.append(case)  # its branch is public: the pull request must follow, whatever happened since
            elif case.state in _MAY_GO and self._was_looked_for(case, tonight) and not tonight.saw(case):
                reason = "not seen any more in the time that is looked at: it stopped by itself"
                await memory.move(self._step(case, State.GONE, reason, tonight))
        return cases

    async def _identify(self, finding: Finding, tonight: Tonight) -> str:
        """The finding id: of the memory, else of a pull request that carries the fingerprint, else a new one."""
        values = {finding.fingerprint.value, *finding.members}
        known = await self._parts.memory.resolve(values)
        if known is not None:
            return known
        for pulls in tonight.pulls.values():
            for pull in pulls.values():
                if not values.isdisjoint(pull.fingerprints):
                    return pull.finding_id
        return finding.fingerprint.value[:12]

    async def _home(self, finding: Finding, tonight: Tonight) -> str | None:
        """The project whose repository a finding is fixed in, if that was settled before."""
        case = await self._parts.memory.case(finding.id)
        if case is not None:
            return case.project
        pulls = ((name, pull) for name, known in tonight.pulls.items() for pull in known.values())
        return next((name for name, pull in pulls if pull.finding_id == finding.id), None)

    def _was_looked_for(self, case: CaseFile, tonight: Tonight) -> bool:
        return all((project, case.finding.kind) in tonight.analyzed for project in case.finding.projects)

    def _triage(self, cases: Sequence[CaseFile], tonight: Tonight) -> None:
        returned: dict[str, Returned] = {one.case.finding.id: one.returned for one in tonight.measured}
        tonight.decisions = [(case, self._parts.triage.decide(case, returned.get(case.finding.id))) for case in cases]

    async def _fix(self, tonight: Tonight) -> None:
        """Draft and verify several at once; then publish one after the other, most frequent first."""
        fixer = await self._fixer(tonight)
        work: list[int] = []
        order = sorted(range(len(tonight.decisions)), key=lambda index: _public_first(tonight.decisions[index][0]))
        for index in order:
            case, triage = tonight.decisions[index]
            await self._parts.memory.note_triage(case.finding.id, triage)
            if triage.choice is not Choice.FIX:
                case = await self._guarded(case, partial(self._rest, case, triage, tonight), tonight)
            elif await self._is_work(case, fixer, tonight):
                if len(work) < self._parts.limits.findings:
                    work.append(index)
                else:
                    triage = _WAITS
            tonight.decisions[index] = (case, triage)
        before = {index: tonight.decisions[index][0] for index in work}
        await together([partial(self._prove, index, fixer, tonight) for index in work], self._parts.at_once)
        for index in work:
            await self._publish(index, fixer, tonight)
        for index, (case, triage) in enumerate(tonight.decisions):
            tonight.decisions[index] = (case, self._told(before.get(index, case), case, triage, fixer, tonight))

    async def _fixer(self, tonight: Tonight) -> Fixer:
        """With what the limits leave for tonight."""
        open_now = len({pull.url for pull in tonight.all_pulls() if pull.state is PullState.OPEN})
        for case in await self._parts.memory.cases():
            open_now += case.state is State.OPEN and case.project not in tonight.pulls
        limits = self._parts.limits
        promised = await self._parts.memory.pushed_in(tonight.key)
        quota = Quota(limits.new_pull_requests - len(promised), limits.open_pull_requests - open_now, promised)
        listed = frozenset(pull.branch for pull in tonight.all_pulls())
        return Fixer(
            parts=self._parts, night=tonight.key, at=tonight.at, dry_run=tonight.dry_run, quota=quota, listed=listed
        )

    async def _is_work(self, case: CaseFile, fixer: Fixer, tonight: Tonight) -> bool:
        """Whether something is to be done for a finding that is to be fixed, and can be."""
        project = self._by_name.get(case.project)
        if project is None or project.name not in tonight.pulls or project.name in tonight.unusable:
            return False
        try:
            base = await self._base(project, tonight)
        except ForgeError as error:
            tonight.problems.append(self._problem(error, f"project {project.name}"))
            return False
        return fixer.is_work(case, base, project)

    async def _prove(self, index: int, fixer: Fixer, tonight: Tonight) -> None:
        case, triage = tonight.decisions[index]
        project = self._by_name[case.project]

        async def prove() -> CaseFile:
            begun = case
            if case.state in _AT_REST:
                begun = await self._parts.memory.move(self._step(case, State.FOUND, triage.reason, tonight))
            return await fixer.prove(begun, tonight.bases[project.name], project)

        tonight.decisions[index] = (await self._guarded(case, prove, tonight), triage)

    async def _publish(self, index: int, fixer: Fixer, tonight: Tonight) -> None:
        case, triage = tonight.decisions[index]
        if case.finding.id not in tonight.failed:
            publish = partial(fixer.publish, case, self._by_name[case.project])
            tonight.decisions[index] = (await self._guarded(case, publish, tonight), triage)

    async def _tend(self, seen: set[str], tonight: Tonight) -> None:
        """Looks after the pull requests that were open when the night began."""
        if tonight.dry_run or self._parts.publishing.mode is Mode.OBSERVE:
            return
        tender = Tender(parts=self._parts, night=tonight.key, at=tonight.at)
        for case in await self._parts.memory.cases():
            pulls = tonight.pulls.get(case.project, {})
            pull = pulls.get(case.pull_request.number) if case.pull_request else None
            if case.state is not State.OPEN or pull is None or pull.state is not PullState.OPEN:
                continue
            if case.project in tonight.unusable:
                continue
            tended = await self._tend_guarded(tender, case, pull, tonight, never_seen=case.finding.id not in seen)
            if tended != pull:
                pulls[pull.number] = tended
                tonight.changed_pulls.add((case.project, pull.number))
                await self._refresh_decision(case.finding.id, tonight)

    async def _tend_guarded(
        self, tender: Tender, case: CaseFile, pull: PullRequest, tonight: Tonight, *, never_seen: bool
    ) -> PullRequest:
        """One pull request, whatever goes wrong with it."""
        project, where = self._by_name[case.project], f"pull request #{pull.number}"
        stopped = never_seen and self._was_looked_for(case, tonight) and not tonight.saw(case)
        base, commit = partial(self._base, project, tonight), tonight.base_commits[project.name]
        try:
            return await tender.tend(case, pull, project, base, base_commit=commit, stopped=stopped)
        except (StoppedError, MemoryLostError):
            raise
        except SelfImproverError as error:
            tonight.problems.append(self._problem(error, where))
        except Exception as error:  # one finding must not end the night
            log.exception("pull_request.failed", number=pull.number)
            mend = "run `selfimprover night --debug` to see where; the pull request stays as it is"
            tonight.problems.append(Problem(where, self._describe(error), mend))
        return pull

    async def _refresh_decision(self, finding_id: str, tonight: Tonight) -> None:
        """Lets the report tell what a finding has come to after it was decided on."""
        for index, (case, triage) in enumerate(tonight.decisions):
            if case.finding.id == finding_id:
                now = await self._parts.memory.case(finding_id) or case
                moved = (now.state, now.reason) != (case.state, case.reason)
                tonight.decisions[index] = (now, replace(triage, reason=now.reason) if moved else triage)

    async def _guarded(self, case: CaseFile, doing: Callable[[], Awaitable[CaseFile]], tonight: Tonight) -> CaseFile:
        """One finding, whatever goes wrong with it: the night goes on with the next."""
        with structlog.contextvars.bound_contextvars(finding=case.finding.id):
            try:
                result = await doing()
            except (StoppedError, MemoryLostError):
                raise
            except ModelError as error:
                log.warning("finding.waits", what=str(error))
                tonight.waiting[case.finding.id] = f"waits for the next night: {self._parts.redact(error.what)}"
                if not isinstance(error, BudgetSpentError):
                    self._note_once(self._problem(error, "model"), tonight)
            except SelfImproverError as error:
                log.warning("finding.failed", what=str(error))
                tonight.problems.append(self._problem(error, f"finding {case.finding.id}"))
            except Exception as error:  # one finding must not end the night
                log.exception("finding.failed")
                mend = "run `selfimprover night --debug` to see where; the finding stays as it is"
                tonight.problems.append(Problem(f"finding {case.finding.id}", self._describe(error), mend))
            else:
                if result.state is not case.state:
                    log.info("finding.moved", before=case.state, after=result.state, reason=result.reason)
                return result
        tonight.failed.add(case.finding.id)
        return await self._parts.memory.case(case.finding.id) or case

    async def _rest(self, case: CaseFile, triage: Triage, tonight: Tonight) -> CaseFile:
        """Writes down a decision not to fix, where the finding has no state of its own that says more."""
        if case.state is not State.FOUND:
            return case
        after = State.DIAGNOSED if triage.choice is Choice.DIAGNOSE else State.SKIPPED
        verb = "Diagnosed, not patched" if after is State.DIAGNOSED else "Skipped"
        return await self._parts.memory.move(
            self._step(case, after, triage.reason, tonight, f"{verb}: {triage.reason}.")
        )

    async def _base(self, project: ProjectParts, tonight: Tonight) -> Base:
        if project.name not in tonight.bases:
            try:
                tonight.bases[project.name] = await export_base(project, self._parts.scratch)
            except ForgeError:
                tonight.unusable.add(project.name)  # one error, not one per finding: it gets no fix tonight
                raise
        return tonight.bases[project.name]

    def _told(self, before: CaseFile, after: CaseFile, triage: Triage, fixer: Fixer, tonight: Tonight) -> Triage:
        """What the report says of the decision: what came of it, where something did."""
        if triage.choice is not Choice.FIX or triage is _WAITS:
            return triage
        if waits := tonight.waiting.get(after.finding.id):
            return replace(triage, reason=waits)
        if after.state in {State.VERIFIED, State.PUSHED} and not fixer.dry_run:
            return replace(triage, reason=fixer.held_back(after) or after.reason)
        if after.state in {State.PARKED, State.DRAFTED} or after.state is not before.state:
            return replace(triage, reason=after.reason)
        return triage

    def _step(
        self, case: CaseFile, after: State, reason: str, tonight: Tonight, happened: str | None = None
    ) -> Transition:
        told = happened or f"{reason[0].upper()}{reason[1:]}."
        return wording.step(case, after, reason, tonight.key, tonight.at, told)

    def _note_once(self, problem: Problem, tonight: Tonight) -> None:
        if problem not in tonight.problems:
            tonight.problems.append(problem)

    def _problem(self, error: SelfImproverError, where: str) -> Problem:
        return wording.problem(error, where, self._parts.redact)

    def _describe(self, error: Exception) -> str:
        return self._parts.redact(f"{type(error).__name__}: {error}")


def _public_first(case: CaseFile) -> bool:
    """What was pushed already takes its place among the limits before anything new does."""
    return case.state is not State.PUSHED
