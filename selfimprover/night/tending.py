"""Looks after our open pull requests: what a person would otherwise have to do, and nothing once a person took over."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from selfimprover.domain import CaseFile, ChecksState, PullRequest, PullState, State
from selfimprover.night import wording
from selfimprover.night.fixing import Base
from selfimprover.night.parts import Mode, NightParts, ProjectParts

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
        stopped: bool,
    ) -> PullRequest:
        """Closes what became moot, marks as ready what is green, says what stopped; returns the pull request after it.

        ``stopped``: the error was looked for tonight and not seen.
        """
        if case.head_commit is not None and pull.head_commit != case.head_commit:
            return pull  # somebody pushed to the branch: it is theirs
        if await self._is_moot(case, project, base):
            return await self._close(case, pull, project)
        if pull.draft and pull.checks is ChecksState.PASSING and self.parts.publishing.mode is Mode.READY:
            await project.forge.ready(pull)
            pull = replace(pull, draft=False)
            await self.parts.memory.refresh_pull_request(pull)
        if stopped:
            since = f"{case.finding.last_seen.astimezone(self.parts.calendar.timezone):%Y-%m-%d}"
            await project.forge.tell(pull, "stopped", _STOPPED.format(since=since))
        return pull

    async def _is_moot(self, case: CaseFile, project: ProjectParts, base: Callable[[], Awaitable[Base]]) -> bool:
        """Whether the base has every change of the draft; it cannot while it is where the draft was proven."""
        if case.draft is None or case.verdict is None:
            return False
        if await project.forge.base_commit() == case.verdict.base_commit:
            return False
        tree = (await base()).tree
        return all(_text(tree / edit.path) == edit.after for edit in case.draft.edits)

    async def _close(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> PullRequest:
        self.parts.begin("publish", f"closing #{pull.number}")
        await project.forge.withdraw(pull, _MOOT)
        closed = replace(pull, state=PullState.CLOSED, closed_at=self.at)
        reason = f"pull request #{pull.number} was closed: the base has its change already"
        happened = f"PR #{pull.number} was closed by selfimprover: the base has its change already."
        step = wording.step(replace(case, pull_request=closed), State.CLOSED, reason, self.night, self.at, happened)
        await self.parts.memory.store_pull_request(step, closed)
        return closed


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return ""
