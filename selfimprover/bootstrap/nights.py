"""Builds a night from the settings, and what surrounds it: the backup before, the news after."""

import asyncio
import gc
import hmac
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from selfimprover import redaction, triage
from selfimprover.analyzers import registry
from selfimprover.bootstrap import model
from selfimprover.bootstrap.app import App
from selfimprover.bootstrap.proving import Proving
from selfimprover.bootstrap.scratch import scratch
from selfimprover.domain import Due, NightReport, Problem
from selfimprover.drafting.drafter import recipe_drafters
from selfimprover.errors import SelfImproverError
from selfimprover.interfaces import Drafter, Fingerprinter, Forge, LeakDetector, Progress, Verifier
from selfimprover.memory.store import SqlMemory
from selfimprover.night import Limits, Mode, Night, NightParts, ProjectParts, Publishing
from selfimprover.notifier import HttpNotifier
from selfimprover.outcomes.tracker import Tracker
from selfimprover.patterns.fingerprints import CachedFingerprinter, ErrorFingerprinter
from selfimprover.patterns.grouping import group
from selfimprover.reporting import news, pull_request
from selfimprover.settings import Project
from selfimprover.telemetry.once import CountedOnce
from selfimprover.verification.confidence import confidence

_TEXTS_KEPT = timedelta(days=90)
"""How long what the model was sent and said is kept of a finding that is at an end."""


def silent(step: str, detail: str = "") -> None:
    """Progress that nobody watches."""


def never() -> bool:
    """No stop is asked for."""
    return False


@asynccontextmanager
async def night(
    app: App,
    *,
    project: str | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
    mode: Mode | None = None,
    stop_requested: Callable[[], bool] = never,
) -> AsyncIterator[tuple[Night, NightParts, tuple[ProjectParts, ...]]]:
    """A night over all projects, or one. A dry run works on a copy of the memory and reads everything else."""
    with scratch() as folder:
        if dry_run:
            app = app.on_a_copy(folder)
        redact = app.redactor(os.urandom(32) if dry_run else app.folder.redaction_key())
        (folder / "trees").mkdir()
        async with AsyncExitStack() as stack:
            memory = await stack.enter_async_context(app.memory())
            fingerprinter = CachedFingerprinter(ErrorFingerprinter())
            proving = Proving(app, redact, fingerprinter, dry_run=dry_run)
            use: model.ModelUse | None = None
            if model.is_configured(app.settings.llm) and not dry_run:
                asked = await stack.enter_async_context(model.client(app.settings.llm, redact))
                use = model.ModelUse(app.settings.llm, memory, asked, _leak(redact))
            projects: list[ProjectParts] = []
            problems: list[SelfImproverError] = []
            for one in app.projects(project):
                try:
                    forge = await stack.enter_async_context(app.forge(one, redact, read_only=dry_run))
                    drafters = (*recipe_drafters(), *_by_model(app, one, redact, use))
                    projects.append(_project(app, one, redact, forge, await proving.verifier(one), drafters))
                except SelfImproverError as error:  # one project that is wrong must not end the night of the others
                    problems.append(error)
            if not projects:
                raise problems[0]
            parts = _parts(app, memory, fingerprinter, redact, progress, folder / "trees", mode, stop_requested)
            parts = replace(
                parts, meter=use, problems=[Problem(error.where, error.what, error.mend) for error in problems]
            )
            with _undisturbed():
                yield Night(parts, projects), parts, tuple(projects)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keeps what the libraries made out of every collection of garbage, which else stops everything for 0.1 s."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def hold(
    app: App,
    at: datetime,
    *,
    due: Due | None = None,
    resume: str | None = None,
    project: str | None = None,
    progress: Progress = silent,
    stop_requested: Callable[[], bool] = never,
    tell: bool = True,
) -> NightReport:
    """A whole night as of ``at`` by the one instance of the state: a backup, the night, and who is to be told."""
    async with app.working():
        await asyncio.to_thread(app.back_up)
        async with night(app, project=project, progress=progress, stop_requested=stop_requested) as (built, _, _):
            report = await built.run(at, due=due, resume=resume)
        async with app.memory() as memory:
            await memory.empty_calls(datetime.now(UTC) - _TEXTS_KEPT)
    if tell:
        await _tell(app, report)
    return report


async def _tell(app: App, report: NightReport) -> None:
    notify = app.settings.notify
    if notify.heartbeat_url or notify.webhook:
        notifier = HttpNotifier(heartbeat_url=notify.heartbeat_url, webhook=notify.webhook)
        await notifier.night_ended(news.of(report))


def _project(
    app: App,
    project: Project,
    redact: redaction.Redactor,
    forge: Forge,
    verifier: Verifier,
    drafters: tuple[Drafter, ...],
) -> ProjectParts:
    return ProjectParts(
        name=project.name,
        telemetry=CountedOnce(app.telemetry(project, redact)),
        forge=forge,
        drafters=drafters,
        verifier=verifier,
        publish_unverified=project.verify.publish_unverified,
    )


def _by_model(
    app: App, project: Project, redact: redaction.Redactor, use: model.ModelUse | None
) -> tuple[Drafter, ...]:
    """The drafter that asks the model, where there is one: after the recipes, which cost nothing."""
    if use is None:
        return ()
    from selfimprover.drafting.llm.drafter import ModelDrafter

    assert app.settings.llm.model is not None
    key = app.folder.redaction_key()
    return (
        ModelDrafter(
            model=app.settings.llm.model,
            chat_for=use.chat,
            mark_for=lambda finding: hmac.new(key, f"mark {finding}".encode(), "sha256").hexdigest()[:16],
            redact=redact.code,
            leak=_leak(redact),
            instructions=project.fix.instructions,
            allow=project.fix.paths,
            deny=project.fix.deny,
        ),
    )


def _leak(redact: redaction.Redactor) -> LeakDetector:
    def found(text: str) -> str | None:
        hit = redact.leak(text)
        return None if hit is None else f"{hit.kind} in line {hit.line}"

    return found


def _parts(
    app: App,
    memory: SqlMemory,
    fingerprinter: Fingerprinter,
    redact: redaction.Redactor,
    progress: Progress,
    scratch: Path,
    mode: Mode | None,
    stop_requested: Callable[[], bool],
) -> NightParts:
    publish, limits, chosen = app.settings.publish, app.settings.limits, app.settings.analyzers
    return NightParts(
        memory=memory,
        analyzers=registry.load(chosen.enabled, chosen.options()),
        fingerprinter=fingerprinter,
        group=group,
        triage=triage.Policy(),
        confidence=confidence,
        tracker=Tracker(),
        write_pull_request=partial(pull_request.write, timezone=app.calendar.timezone),
        calendar=app.calendar,
        publishing=Publishing(
            mode=mode or Mode(publish.mode),
            author=publish.author,
            labels=publish.labels,
            assignee=publish.assignee,
            reviewers=publish.reviewers,
        ),
        limits=Limits(
            findings=limits.findings_per_night,
            new_pull_requests=limits.new_pull_requests_per_night,
            open_pull_requests=limits.open_pull_requests,
            attempts=limits.attempts_per_finding,
        ),
        redact=redact,
        leak=_leak(redact),
        progress=progress,
        scratch=scratch,
        at_once=os.cpu_count() or 1,
        stop_requested=stop_requested,
    )
