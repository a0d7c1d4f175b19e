"""After a night its pull requests are looked at until their checks have ended, so that the morning's table is true."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from selfimprover.bootstrap.app import App
from selfimprover.domain import CaseFile, ChecksState, PullRequest, PullState, State
from selfimprover.errors import SelfImproverError
from selfimprover.interfaces import Forge
from selfimprover.night import READY, Mode, made_ready, may_be_ready

EVERY = 60.0
"""Seconds between two looks."""
LONGEST = 2 * 60 * 60.0
"""Seconds after which checks that have not ended are left to the next night."""
_TO_BEGIN = 10 * 60.0
"""Seconds in which checks must have begun: a repository may have none at all."""

log = structlog.get_logger()


async def follow(
    app: App,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Returns when nothing is left to wait for. A forge that cannot be asked is asked again later."""
    watched = await _unsettled(app)
    if not watched:
        return
    began = monotonic()
    redact = app.redactor(os.urandom(16))
    async with AsyncExitStack() as stack:
        forges = {
            project.name: await stack.enter_async_context(app.forge(project, redact)) for project in app.projects()
        }
        while watched and monotonic() - began < LONGEST:
            await sleep(EVERY)
            young = monotonic() - began < _TO_BEGIN
            looked = [(case, await _look(app, forges[case.project], case, pull)) for case, pull in watched]
            watched = [(case, pull) for case, pull in looked if _is_unsettled(pull, young=young)]


async def _unsettled(app: App) -> Sequence[tuple[CaseFile, PullRequest]]:
    """The open pull requests on GitHub whose checks have not ended, with their findings."""
    hosted = {project.name for project in app.projects() if project.repository.forge == "github"}
    if not hosted:
        return ()
    async with app.memory() as memory:
        cases = await memory.cases()
    return [
        (case, case.pull_request)
        for case in cases
        if case.state is State.OPEN and case.pull_request and case.project in hosted
        if _is_unsettled(case.pull_request, young=True)
    ]


def _is_unsettled(pull: PullRequest, *, young: bool) -> bool:
    waiting = {ChecksState.PENDING, ChecksState.NONE} if young else {ChecksState.PENDING}
    return pull.state is PullState.OPEN and pull.checks in waiting


async def _look(app: App, forge: Forge, case: CaseFile, pull: PullRequest) -> PullRequest:
    try:
        now = await forge.refreshed(pull)
        green = may_be_ready(case, now, Mode(app.settings.publish.mode))
        if green:
            await forge.ready(now)
            now = replace(now, draft=False)
        if now != pull:
            async with app.working(), app.memory() as memory:
                await memory.refresh_pull_request(now)
                if green:
                    at = datetime.now(UTC)
                    day = app.calendar.day_of(at).isoformat()
                    await memory.note_answer(made_ready(case, now, day, at), READY)
            log.info("pull_request.changed", number=now.number, state=now.state, checks=now.checks, draft=now.draft)
    except SelfImproverError as error:
        log.warning("pull_request.unknown", number=pull.number, what=error.what)
        return pull
    return now
