"""Plays one case: a real night on it, and then the hidden tests on what the night proposed."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from benchmarks.repair.casefile import NO_PATCH, Case
from benchmarks.repair.judging import Results, Status, judged, no_pull_request, sought
from benchmarks.repair.stage import BASE, lay_over, set_up
from selfimprover.bootstrap import App, nights, open_app
from selfimprover.bootstrap.proving import Proving
from selfimprover.domain import CallOutcome, CaseFile, ModelCall, NightReport, State
from selfimprover.errors import SelfImproverError, UsageError
from selfimprover.git import export_tree, git
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.settings import Llm
from selfimprover.verification.choosing import Chosen
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.runner import Runner
from selfimprover.verification.sandbox import Limits

_MOST_TOLD = 2000


@dataclass(frozen=True, kw_only=True)
class Use:
    """What the model was used for."""

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """``None`` where no prices are configured."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one case."""

    name: str
    expected: str
    status: Status
    right: bool
    """Whether that is what was wanted: a fix that resolves it, or no pull request where none was."""
    state: str = ""
    """How the night left the finding."""
    reason: str = ""
    """Why the status is what it is; of a parked case, what the night says."""
    drafter: str = ""
    rounds: int = 0
    """Drafts that were put to the proof."""
    seconds: float = 0.0
    """Of the night; the hidden tests are not counted."""
    use: Use = Use()
    errors: tuple[str, ...] = field(default=())
    """What went wrong for a part of the night, such as a model that could not be reached."""


def play(case: Case, llm: Llm, sandbox: str, folder: Path) -> Result:
    """The whole of it, in the fresh ``folder``. Raises ``SelfImproverError`` for a case that cannot be run."""
    for name in [name for name in os.environ if name.startswith("SELFIMPROVER_")]:
        del os.environ[name]  # they are for a person's own nights
    app = open_app(set_up(case, folder, sandbox)).with_model(llm)
    app.log(debug=False, quiet=True)
    return asyncio.run(_play(case, app, folder))


async def _play(case: Case, app: App, folder: Path) -> Result:
    began = time.monotonic()
    with app.instance():
        report = await nights.hold(app, case.at, tell=False)
    seconds = time.monotonic() - began
    async with app.memory() as memory:
        found = _meant(case, await memory.cases())
        calls = [call for one in report.findings for call in await memory.calls_of(one.id)]
    errors = tuple(f"{one.where}: {one.what}"[:_MOST_TOLD] for one in report.errors)
    status, right, reason = await _judge(case, app, found, report, folder)
    return Result(
        name=case.name,
        expected=case.expected,
        status=status,
        right=right,
        state=found.state if found else "",
        reason=reason[:_MOST_TOLD],
        drafter=found.draft.drafter if found and found.draft else "",
        rounds=found.attempts if found and found.draft else 0,
        seconds=round(seconds, 1),
        use=_use(calls),
        errors=errors,
    )


def _meant(case: Case, found: Sequence[CaseFile]) -> CaseFile | None:
    """The finding that the case is about."""
    repeated = [one for one in found if one.finding.kind == "repeated_error"]
    named = [one for one in repeated if case.error in {None, one.finding.error_type}]
    return max(named, key=lambda one: one.finding.occurrences, default=None)


async def _judge(
    case: Case, app: App, found: CaseFile | None, report: NightReport, folder: Path
) -> tuple[Status, bool, str]:
    if found is None:
        unread = "; ".join(one.error for one in report.projects if one.error)
        return Status.PARKED, False, unread or f"the night found no repeated {case.error or 'error'}"
    if found.state is not State.OPEN:
        return *no_pull_request(case.expected, found.state), _last_word(found, report)
    if case.expected == NO_PATCH:
        return Status.WRONG, False, "a pull request where nothing should have been changed"
    hidden = Hidden(case, app, folder / "judging")
    base = await hidden.results("base", BASE)
    reference = await hidden.results("reference", BASE, case.solution) if case.solution.is_dir() else None
    wanted = sought(base, reference, case.mends)
    if not wanted.mend - base.passed:
        raise UsageError("its hidden tests ask for nothing that the base does not do", where=str(case.folder))
    patched = await hidden.results("patched", found.branch)
    proven = found.verdict is not None and found.verdict.passed
    status, why = judged(case.expected, proven=proven, wanted=wanted, patched=patched)
    return status, status is Status.RESOLVED, why


def _last_word(found: CaseFile, report: NightReport) -> str:
    """What the night's report says of the finding; of what it left as it was, the memory has no word of tonight."""
    return next((one.reason for one in report.findings if one.id == found.finding.id), found.reason)


class Hidden:
    """Runs the hidden tests as the night ran the visible ones: the same sandbox, limits and environment."""

    def __init__(self, case: Case, app: App, folder: Path) -> None:
        self._case = case
        self._app = app
        self._folder = folder
        (self._project,) = app.projects()
        self._chosen: Chosen | None = None

    async def results(self, name: str, branch: str, over: Path | None = None) -> Results:
        """On the files of ``branch``, with those beneath ``over`` laid over them, and the hidden ones over both."""
        tree = self._folder / name
        tree.mkdir(parents=True)
        repository = self._project.repository.path
        assert repository is not None
        commit = (await git(repository, "rev-parse", "--verify", f"refs/heads/{branch}")).decode().strip()
        await export_tree(repository, commit, tree)
        for files in filter(None, (over, self._case.hidden)):
            await asyncio.to_thread(lay_over, files, tree)
        if self._chosen is None:
            self._chosen = await self._app.isolation(self._project)
        runner, prepared = await self._runner(tree, self._chosen)
        return Results.of(await runner.run(tree, (), self._case.hidden_test, prepared))

    async def _runner(self, tree: Path, chosen: Chosen) -> tuple[Runner, Path | None]:
        verify, app = self._project.verify, self._app
        if chosen.sandbox is None:
            raise SelfImproverError(f"no sandbox to judge in: {chosen.problem}", mend=chosen.mend)
        readable = exposed(verify.expose) if verify.sandbox != "none" else verify.expose
        limits = Limits(timeout=verify.timeout.total_seconds(), memory=verify.memory)
        prepared: Path | None = None
        if verify.setup:
            proving = Proving(app, app.redactor(app.folder.redaction_key()), ErrorFingerprinter(), dry_run=False)
            made = await proving.dependencies(self._project, chosen.sandbox, limits, readable).prepare(tree)
            if made.problem:
                raise SelfImproverError(made.problem, where=str(self._case.folder))
            prepared = made.folder
        runner = Runner(
            sandbox=chosen.sandbox,
            limits=limits,
            expose=verify.expose,
            readable=readable,
            slots=asyncio.Semaphore(1),
        )
        return runner, prepared


def _use(calls: Sequence[ModelCall]) -> Use:
    paid = [call for call in calls if call.outcome is not CallOutcome.FAILED]
    costs = [call.cost for call in paid if call.cost is not None]
    return Use(
        calls=len(paid),
        prompt_tokens=sum(call.usage.prompt for call in paid),
        cached_tokens=sum(call.usage.cached for call in paid),
        completion_tokens=sum(call.usage.completion for call in paid),
        cost_usd=float(sum(costs, Decimal(0))) if costs else None,
    )
