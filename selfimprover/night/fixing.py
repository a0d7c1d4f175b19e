"""One finding on its way from *found* to an open pull request; every step may be the last one before a crash."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from selfimprover.domain import (
    CaseFile,
    ChecksState,
    Commit,
    Draft,
    Proposal,
    PullRequest,
    PullState,
    State,
    Transition,
)
from selfimprover.errors import ConflictError, RefusedError
from selfimprover.night import wording
from selfimprover.night.parts import Mode, NightParts, ProjectParts

STATES = {PullState.OPEN: State.OPEN, PullState.MERGED: State.MERGED, PullState.CLOSED: State.CLOSED}
"""The state of a finding whose pull request is in this one."""
_RESUMABLE = frozenset({State.DRAFTED, State.VERIFIED})


@dataclass(slots=True)
class Quota:
    """How many pull requests may still be opened."""

    new: int
    open: int


@dataclass(frozen=True, slots=True)
class Base:
    """A project's base commit tonight, and its files."""

    commit: str
    tree: Path


async def export_base(project: ProjectParts, scratch: Path) -> Base:
    """The project's base commit with its files in a new folder beneath ``scratch``."""
    commit = await project.forge.base_commit()
    tree = Path(mkdtemp(prefix=f"{project.name}-", dir=scratch))
    await project.forge.export(commit, tree)
    return Base(commit, tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixer:
    """Drafts, verifies and publishes; ``night`` and ``at`` go into every journal entry."""

    parts: NightParts
    night: str
    at: datetime
    dry_run: bool
    quota: Quota

    def exhausted(self, case: CaseFile, base: Base, project: ProjectParts) -> bool:
        """Whether the finding was tried often enough with what an attempt depends on."""
        same = case.attempt_key == self._key(base, project)
        return case.state is State.PARKED and same and case.attempts >= self.parts.limits.attempts

    async def advance(self, case: CaseFile, base: Base, project: ProjectParts) -> CaseFile:
        """Takes the finding as far as tonight allows and returns it as the memory then has it."""
        if case.state is not State.PUSHED:
            if case.state not in _RESUMABLE or case.attempt_key != self._key(base, project):
                case = await self._draft(case, base, project)
            if case.state is State.DRAFTED and not self.dry_run:
                case = await self._verify(case, base, project)
        return case if self.dry_run else await self._publish(case, project)

    async def _publish(self, case: CaseFile, project: ProjectParts) -> CaseFile:
        """Opens the pull request of a verified finding, if mode and limits allow it."""
        if case.state is State.VERIFIED and self.held_back() is None:
            case = await self._push(case, project)
        if case.state is State.PUSHED:
            case = await self._open(case, project)
        return case

    def held_back(self) -> str | None:
        """Why a verified fix is not published now; ``None`` if it may be."""
        if self.parts.publishing.mode is Mode.OBSERVE:
            return "proven and held back by observe mode: `selfimprover findings publish ID` opens it"
        if self.quota.open <= 0:
            return "proven; waits because as many pull requests are open as [limits] open_pull_requests allows"
        if self.quota.new <= 0:
            return "proven; waits for the next night because of [limits] new_pull_requests_per_night"
        return None

    async def _draft(self, case: CaseFile, base: Base, project: ProjectParts) -> CaseFile:
        self.parts.begin("draft", case.finding.title)
        refusals: list[str] = []
        for drafter in project.drafters:
            try:
                draft = await drafter.draft(case.finding, base.tree)
            except RefusedError as refusal:
                refusals.append(f"{drafter.name}: {refusal.what}")
                continue
            step = self._step(case, State.DRAFTED, f"drafted by {draft.drafter}")
            return await self.parts.memory.store_draft(step, draft, self._key(base, project))
        reason = "no drafter fits: " + "; ".join(refusals) if refusals else "there is no drafter"
        known = case.state is State.PARKED and case.reason == reason
        step = self._step(case, State.PARKED, reason, None if known else f"Not fixed: {reason}.")
        return await self.parts.memory.park(step, self._key(base, project))

    async def _verify(self, case: CaseFile, base: Base, project: ProjectParts) -> CaseFile:
        draft = case.draft
        assert draft is not None
        self.parts.begin("verify", draft.title)
        verdict = await project.verifier.verify(draft, base.tree, base.commit)
        confidence = self.parts.confidence(draft, verdict)
        case = replace(case, verdict=verdict, confidence=confidence)
        if not verdict.passed:
            step = self._step(case, State.PARKED, verdict.reason, f"A draft was not proven: {verdict.reason}.")
            return await self.parts.memory.store_verdict(step, verdict, confidence)
        reason = self.held_back() or verdict.reason
        happened = f"A fix is proven ({draft.summary}): {verdict.reason}."
        step = self._step(case, State.VERIFIED, reason, happened)
        return await self.parts.memory.store_verdict(step, verdict, confidence)

    async def _push(self, case: CaseFile, project: ProjectParts) -> CaseFile:
        assert case.draft is not None
        assert case.verdict is not None
        assert case.drafted_at is not None
        self.parts.begin("publish", case.draft.title)
        commit = Commit(
            branch=case.branch,
            base_commit=case.verdict.base_commit,
            edits=case.draft.edits,
            message=_message(case.draft, case),
            author=self.parts.publishing.author,
            date=case.drafted_at,
        )
        try:
            head = await project.forge.push(commit)
        except ConflictError as conflict:
            return await self.parts.memory.move(
                self._step(case, State.PARKED, str(conflict), f"Not pushed: {conflict}.")
            )
        step = self._step(case, State.PUSHED, f"pushed to {case.branch}")
        return await self.parts.memory.store_push(step, head, case.finding.baseline)

    async def _open(self, case: CaseFile, project: ProjectParts) -> CaseFile:
        assert case.draft is not None
        assert case.head_commit is not None
        publishing = self.parts.publishing
        title, body = self.parts.write_pull_request(case)
        proposal = Proposal(
            finding_id=case.finding.id,
            fingerprints=case.fingerprints,
            branch=case.branch,
            head_commit=case.head_commit,
            title=title,
            body=body,
            draft=publishing.mode is not Mode.READY,
            checks=ChecksState.PASSING if case.verdict and case.verdict.passed else ChecksState.NONE,
            opened_at=self.at,
            labels=publishing.labels,
            assignee=publishing.assignee,
            reviewers=publishing.reviewers,
        )
        try:
            pull_request = await project.forge.open(proposal)
        except ConflictError as conflict:
            step = self._step(case, State.PARKED, str(conflict), f"No pull request was opened: {conflict}.")
            return await self.parts.memory.move(step)
        self.quota.new -= 1
        self.quota.open -= 1
        return await self._opened(replace(case, pull_request=pull_request), case.draft, pull_request)

    async def _opened(self, case: CaseFile, draft: Draft, pull_request: PullRequest) -> CaseFile:
        """After a crash the pull request may have been there for a while, and somebody may have ended it since."""
        state = STATES[pull_request.state]
        if state is State.OPEN:
            reason = f"pull request #{pull_request.number} opened"
            happened = f"PR #{pull_request.number} opened with {draft.summary}."
        else:
            reason = f"pull request #{pull_request.number} was {state} before it was noted here"
            happened = f"PR #{pull_request.number} was {state}."
        return await self.parts.memory.store_pull_request(self._step(case, state, reason, happened), pull_request)

    def _step(self, case: CaseFile, after: State, reason: str, happened: str | None = None) -> Transition:
        return wording.step(case, after, reason, self.night, self.at, happened)

    def _key(self, base: Base, project: ProjectParts) -> str:
        """Names what an attempt depends on, so that a change of it deserves a new one."""
        parts = [base.commit, project.verifier.key(), *(drafter.name for drafter in project.drafters)]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _message(draft: Draft, case: CaseFile) -> str:
    """Nothing of it comes from telemetry: a forge reads commit messages for commands and mentions."""
    return f"{draft.title}\n\n{draft.change}\n\nFinding: {case.finding.id}\n"
