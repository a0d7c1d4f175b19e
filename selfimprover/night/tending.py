"""Looks after our open pull requests: what a person would otherwise have to do, and nothing once a person took over."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from selfimprover.domain import CaseFile, ChecksState, PullRequest, PullState, State, Transition, Trigger
from selfimprover.night import wording
from selfimprover.night.fixing import READY, Base
from selfimprover.night.parts import Mode, NightParts, ProjectParts
from selfimprover.night.revising import Reviser, answer_to
from selfimprover.night.seen import is_as_seen
from selfimprover.night.syncing import ANOTHER_DRAFT

MOOT = "moot"
"""The answer to a base that has the change already."""
_TOLD = "stopped"
_MOST_REVIEWS = 2
"""Requests for changes that are answered with another fix; after that it is for people to talk."""

_MOOT = "The base branch has this change already, so there is nothing left to merge. Closed by selfimprover."
_STOPPED = (
    "The error has not been seen since {since}: it may have stopped by itself. The fix may be worth having all the"
    " same; whoever closes this pull request ends the matter."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """One night's look at each of them."""

    parts: NightParts
    night: str
    at: datetime

    async def tend(
        self,
        case: CaseFile,
        pull: PullRequest,
        project: ProjectParts,
        base: Callable[[], Awaitable[Base]],
        *,
        base_commit: str,
        stopped: bool,
    ) -> PullRequest:
        """Closes what is moot, makes again what conflicts or fails, marks what is green as ready, says what stopped.

        Returns the pull request after it. ``base_commit`` is where the base was when the night began; ``stopped``: the
        error was looked for tonight and not seen.
        """
        if hands_off(case, pull):
            return pull
        reviser = Reviser(parts=self.parts, night=self.night, at=self.at)
        if case.revises is not None:
            return await reviser.finish(case, pull, project)
        if await self._is_moot(case, base, base_commit):
            return await self._close(case, pull, project)
        for trigger in triggers(case, pull):
            if answer_to(trigger, await base(), pull) not in case.answered:
                return await reviser.revise(case, pull, project, await base(), trigger)
        if may_be_ready(case, pull, self.parts.publishing.mode):
            return await self._ready(case, pull, project)
        if stopped and not case.has_answered(_TOLD):
            await self._tell_stopped(case, pull, project)
        return pull

    async def _tell_stopped(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> None:
        if await is_as_seen(pull, project):
            since = f"{case.finding.last_seen.astimezone(self.parts.calendar.timezone):%Y-%m-%d}"
            await project.forge.tell(pull, _TOLD, _STOPPED.format(since=since))
            step = wording.step(case, State.OPEN, f"pull request #{pull.number} is open", self.night, self.at, None)
            await self.parts.memory.note_answer(step, _TOLD)

    async def _ready(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> PullRequest:
        if not await is_as_seen(pull, project):
            return pull
        await project.forge.ready(pull)
        ready = replace(pull, draft=False)
        await self.parts.memory.refresh_pull_request(ready)
        await self.parts.memory.note_answer(made_ready(case, pull, self.night, self.at), READY)
        return ready

    async def _is_moot(self, case: CaseFile, base: Callable[[], Awaitable[Base]], base_commit: str) -> bool:
        """Whether the base has every change of the draft; it cannot while it is where the draft was proven."""
        if case.draft is None or case.verdict is None or case.has_answered(ANOTHER_DRAFT):
            return False
        if base_commit == case.verdict.base_commit:
            return False
        tree = (await base()).tree
        return all(_text(tree / edit.path) == edit.after for edit in case.draft.changes)

    async def _close(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> PullRequest:
        self.parts.begin("publish", f"closing #{pull.number}")
        if not await is_as_seen(pull, project):
            return pull
        told = wording.step(case, State.OPEN, "the base has its change already", self.night, self.at, None)
        case = await self.parts.memory.note_answer(told, MOOT)
        await project.forge.withdraw(pull, _MOOT)
        closed = replace(pull, state=PullState.CLOSED, closed_at=self.at)
        reason = f"pull request #{pull.number} was closed: the base has its change already"
        happened = f"PR #{pull.number} was closed by selfimprover: the base has its change already."
        step = wording.step(replace(case, pull_request=closed), State.CLOSED, reason, self.night, self.at, happened)
        await self.parts.memory.store_pull_request(step, closed)
        return closed


def hands_off(case: CaseFile, pull: PullRequest) -> bool:
    """Whether a person has the branch: somebody pushed to it, or reopened the pull request."""
    exchanged = case.revises is not None  # by a night that was killed: whoever finishes it looks at the branch
    return case.head_commit is None or pull.retargeted or (case.head_commit != pull.head_commit and not exchanged)


def may_be_ready(case: CaseFile, pull: PullRequest, mode: Mode) -> bool:
    """Whether a draft is to be marked as ready for review, once: a person may take it back."""
    proven = case.verdict is not None and case.verdict.passed
    green = pull.draft and pull.checks is ChecksState.PASSING
    free = not hands_off(case, pull) and case.revises is None and READY not in case.answered
    return mode is Mode.READY and green and proven and free


def made_ready(case: CaseFile, pull: PullRequest, night: str, at: datetime) -> Transition:
    """The step to remember with the answer ``READY``."""
    return wording.step(case, State.OPEN, f"pull request #{pull.number} is ready for review", night, at, None)


def triggers(case: CaseFile, pull: PullRequest) -> Iterator[Trigger]:
    """What calls for another fix. What somebody approved, or queued for its merge, is not exchanged behind them."""
    if pull.approved or pull.queued:
        return
    if pull.mergeable is False:
        yield Trigger.CONFLICT
    if pull.checks is ChecksState.FAILING:
        yield Trigger.CHECKS
    rounds = sum(answer.startswith(Trigger.REVIEW) for answer in case.answered)
    if "changes requested" in pull.standing.values() and rounds < _MOST_REVIEWS:
        yield Trigger.REVIEW


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return ""
