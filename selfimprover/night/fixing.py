"""One finding on its way from *found* to an open pull request; every step may be the last one before a crash."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from selfimprover.domain import (
    CaseFile,
    ChecksState,
    CheckStatus,
    Commit,
    Draft,
    Feedback,
    Proposal,
    PullRequest,
    PullState,
    State,
    TaskRecord,
    Transition,
    Trigger,
)
from selfimprover.edits import added_lines
from selfimprover.errors import ConflictError, NotCodeError, RefusedError
from selfimprover.interfaces import LeakDetector
from selfimprover.night import wording
from selfimprover.night.parts import Mode, NightParts, ProjectParts

STATES = {PullState.OPEN: State.OPEN, PullState.MERGED: State.MERGED, PullState.CLOSED: State.CLOSED}
"""The state of a finding whose pull request is in this one."""
_RESUMABLE = frozenset({State.DRAFTED, State.VERIFIED})


READY = "ready"
"""The answer that remembers a pull request as ready for review: once a person makes a draft of it, it stays one."""
REFUSED = "the forge refuses it: "
"""How the reason begins for which a proven fix is parked and tried again each night: somebody may mend a rule."""
UNVERIFIED = "unverified"
"""The label of a pull request that nothing could be run for."""


@dataclass(slots=True)
class Quota:
    """How many pull requests may still be opened; a branch that is pushed has its place among them."""

    new: int
    open: int
    promised: frozenset[str] = frozenset()
    """Findings whose branch was pushed earlier in the same night: they are counted as new already."""

    def take(self, finding_id: str) -> None:
        """Counts the pull request of a finding."""
        self.open -= 1
        self.new -= finding_id not in self.promised


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
    listed: frozenset[str] = frozenset()
    """Branches that are known to have a pull request."""

    def exhausted(self, case: CaseFile, base: Base, project: ProjectParts) -> bool:
        """Whether the finding was tried often enough with what an attempt depends on."""
        same = case.attempt_key == attempt_key(base, project)
        often = case.attempts >= self.parts.limits.attempts
        return case.state is State.PARKED and same and often and not was_refused(case)

    def is_work(self, case: CaseFile, base: Base, project: ProjectParts) -> bool:
        """Whether there is anything to do tonight: not if it was tried often enough, or waits for its publication."""
        held = case.state is State.VERIFIED and self.held_back(case) is not None
        return not held and not self.exhausted(case, base, project)

    async def prove(self, case: CaseFile, base: Base, project: ProjectParts) -> CaseFile:
        """Drafts and verifies, as far as that is not done yet, and returns the finding as the memory then has it."""
        if case.state is State.PUSHED:
            return case
        before, resumable = case, case.state in _RESUMABLE or was_refused(case)
        if not resumable or case.attempt_key != attempt_key(base, project):
            case = await self._draft(case, base, project)
        if case.state is State.DRAFTED and not self.dry_run:
            case = await self._verify(case, base, project, before)
            while self._deserves_another(case):
                case = await self._draft(case, base, project, _unproven(case))
                if case.state is State.DRAFTED:
                    case = await self._verify(case, base, project, before)
        return case

    def _deserves_another(self, case: CaseFile) -> bool:
        """Whether a draft of a model was not proven, and it may be told what was seen: a recipe has one answer only."""
        asked = case.draft is not None and not case.draft.drafter.startswith("recipe:")
        refuted = case.state is State.PARKED and case.verdict is not None and not case.verdict.passed
        return asked and refuted and case.attempts < self.parts.limits.attempts

    async def publish(self, case: CaseFile, project: ProjectParts) -> CaseFile:
        """Opens the pull request of a finding, if proof, mode and limits allow it."""
        if self.dry_run:
            return case
        if case.state is State.PUSHED:
            return await self._follow_push(case, project)
        if not may_be_published(case, project) or self.held_back(case):
            return case
        said = case.reason
        case = await self._push(case, project, said)
        if case.state is not State.PUSHED:
            return case
        self.quota.take(case.finding.id)
        return await self._open(case, project, said)

    async def _follow_push(self, case: CaseFile, project: ProjectParts) -> CaseFile:
        """Opens what was pushed before, by a run that did not come so far."""
        if case.branch in self.listed:  # it was opened, and counts among the open ones already
            return case if self.parts.publishing.mode is Mode.OBSERVE else await self._open(case, project)
        if self.held_back(case):
            return case
        self.quota.take(case.finding.id)
        return await self._open(case, project)

    def held_back(self, case: CaseFile) -> str | None:
        """Why a fix is not published now; ``None`` if it may be."""
        proven = "proven" if case.verdict is None or case.verdict.passed else "drafted"
        if self.parts.publishing.mode is Mode.OBSERVE:
            return f"{proven} and held back by observe mode: `selfimprover findings publish ID` opens it"
        if self.quota.open <= 0:
            return f"{proven}; waits because as many pull requests are open as [limits] open_pull_requests allows"
        if self.quota.new <= 0 and case.finding.id not in self.quota.promised:
            return f"{proven}; waits for the next night because of [limits] new_pull_requests_per_night"
        return None

    async def _draft(
        self, case: CaseFile, base: Base, project: ProjectParts, feedback: Feedback | None = None
    ) -> CaseFile:
        self.parts.begin("draft", case.finding.title)
        known = replace(case, past=await self.parts.memory.past(case.finding.id))
        try:
            draft = await first_draft(known, base, project, self.parts.leak, feedback)
        except NotCodeError as found:
            return await self._diagnose(case, base, project, found)
        except RefusedError as refusal:
            return await self._park(case, base, project, refusal.what)
        step = self._step(case, State.DRAFTED, f"drafted by {draft.drafter}")
        return await self.parts.memory.store_draft(step, draft, attempt_key(base, project))

    async def _diagnose(self, case: CaseFile, base: Base, project: ProjectParts, found: NotCodeError) -> CaseFile:
        reason = f"not a code problem: {found.what}"
        step = self._step(case, State.DIAGNOSED, reason, f"Diagnosed, not patched: {reason}.")
        return await self.parts.memory.park(step, attempt_key(base, project))

    async def _park(self, case: CaseFile, base: Base, project: ProjectParts, reason: str) -> CaseFile:
        known = case.state is State.PARKED and case.reason == reason
        step = self._step(case, State.PARKED, reason, None if known else f"Not fixed: {reason}.")
        return await self.parts.memory.park(step, attempt_key(base, project))

    async def _verify(self, case: CaseFile, base: Base, project: ProjectParts, before: CaseFile) -> CaseFile:
        """``before`` is the finding as this night found it: what it said already is no news."""
        draft = case.draft
        assert draft is not None
        self.parts.begin("verify", draft.title)
        verdict = await project.verifier.verify(draft, base.tree, base.commit, recorded(case))
        confidence = self.parts.confidence(draft, verdict)
        case = replace(case, verdict=verdict, confidence=confidence)
        if verdict.unproven:
            known = before.verdict is not None and before.verdict.reason == verdict.reason
            if known and before.draft == case.draft and before.state is State.DRAFTED:
                return case
            happened = None if known else f"A draft could not be proven: {verdict.reason}."
            step = self._step(case, State.DRAFTED, verdict.reason, happened)
            return await self.parts.memory.store_verdict(step, verdict, confidence)
        if not verdict.passed:
            step = self._step(case, State.PARKED, verdict.reason, f"A draft was not proven: {verdict.reason}.")
            return await self.parts.memory.store_verdict(step, verdict, confidence)
        observed = self.parts.publishing.mode is Mode.OBSERVE
        reason = self.held_back(case) if observed else verdict.reason
        assert reason is not None
        again = before.verdict is not None and before.verdict.passed
        known = again and before.draft is not None and before.draft.summary == draft.summary
        happened = None if known else f"A fix is proven ({draft.summary}): {verdict.reason}."
        step = self._step(case, State.VERIFIED, reason, happened)
        return await self.parts.memory.store_verdict(step, verdict, confidence)

    async def _push(self, case: CaseFile, project: ProjectParts, said: str) -> CaseFile:
        assert case.draft is not None
        self.parts.begin("publish", case.draft.title)
        title, body = self.parts.write_pull_request(case)
        if found := self.parts.leak(f"{title}\n{body}"):
            reason = f"the text of its pull request holds what looks like a secret ({found}), so it is not published"
            return await self.parts.memory.move(self._step(case, State.PARKED, reason, f"Not published: {reason}."))
        try:
            head = await project.forge.push(commit_of(case, self.parts.publishing.author))
        except ConflictError as conflict:
            return await self.parts.memory.move(
                self._step(case, State.PARKED, str(conflict), f"Not pushed: {conflict}.")
            )
        except RefusedError as refusal:
            return await self._park_refused(case, refusal, said)
        step = self._step(case, State.PUSHED, f"pushed to {case.branch}")
        return await self.parts.memory.store_push(step, head, case.finding.baseline)

    async def _open(self, case: CaseFile, project: ProjectParts, said: str = "") -> CaseFile:
        assert case.draft is not None
        assert case.head_commit is not None
        publishing = self.parts.publishing
        proven = case.verdict is not None and case.verdict.passed
        title, body = self.parts.write_pull_request(case)
        proposal = Proposal(
            finding_id=case.finding.id,
            fingerprints=case.fingerprints,
            branch=case.branch,
            head_commit=case.head_commit,
            title=title,
            body=body,
            draft=publishing.mode is not Mode.READY or not proven,
            checks=ChecksState.PASSING if proven else ChecksState.NONE,
            opened_at=self.at,
            labels=publishing.labels if proven else (*publishing.labels, UNVERIFIED),
            assignee=publishing.assignee,
            reviewers=publishing.reviewers,
        )
        try:
            pull_request = await project.forge.open(proposal)
        except ConflictError as conflict:
            step = self._step(case, State.PARKED, str(conflict), f"No pull request was opened: {conflict}.")
            return await self.parts.memory.move(step)
        except RefusedError as refusal:
            return await self._park_refused(case, refusal, said)
        return await self._opened(replace(case, pull_request=pull_request), case.draft, pull_request)

    async def _park_refused(self, case: CaseFile, refusal: RefusedError, said: str) -> CaseFile:
        """``said`` is the reason that was known before: the same one is no news."""
        reason = self.parts.redact(f"{REFUSED}{refusal}")
        happened = None if said == reason else f"Not published: {refusal}."
        if case.state is State.PARKED and happened is None:
            return case
        return await self.parts.memory.move(self._step(case, State.PARKED, reason, happened))

    async def _opened(self, case: CaseFile, draft: Draft, pull_request: PullRequest) -> CaseFile:
        """After a crash the pull request may have been there for a while, and somebody may have ended it since."""
        state = STATES[pull_request.state]
        if state is State.OPEN:
            reason = f"pull request #{pull_request.number} opened"
            happened = f"PR #{pull_request.number} opened with {draft.summary}."
        else:
            reason = f"pull request #{pull_request.number} was {state} before it was noted here"
            happened = f"PR #{pull_request.number} was {state}."
        opened = await self.parts.memory.store_pull_request(self._step(case, state, reason, happened), pull_request)
        if state is State.OPEN and not pull_request.draft:
            return await self.parts.memory.note_answer(self._step(opened, State.OPEN, reason), READY)
        return opened

    def _step(self, case: CaseFile, after: State, reason: str, happened: str | None = None) -> Transition:
        redact = self.parts.redact
        told = None if happened is None else redact(happened)
        return wording.step(case, after, redact(reason), self.night, self.at, told)


def _unproven(case: CaseFile) -> Feedback:
    """What verification saw of the newest draft."""
    assert case.verdict is not None
    failed = [f"{check.name}: {check.detail}" for check in case.verdict.checks if check.status is CheckStatus.FAILED]
    told = [case.verdict.reason, *failed, case.verdict.output]
    return Feedback(Trigger.PROOF, "\n".join(part for part in told if part), case.draft)


def was_refused(case: CaseFile) -> bool:
    """Whether a proven fix waits for a rule of the forge to change."""
    proven = case.verdict is not None and case.verdict.passed
    return case.state is State.PARKED and proven and case.reason.startswith(REFUSED)


def may_be_published(case: CaseFile, project: ProjectParts) -> bool:
    """Whether a fix is proven, or could not be and the project wants it all the same."""
    if case.state is State.VERIFIED or was_refused(case):
        return True
    unproven = case.verdict is not None and case.verdict.unproven
    return case.state is State.DRAFTED and unproven and project.publish_unverified


def recorded(case: CaseFile) -> tuple[TaskRecord, ...]:
    """The finding's failed tasks in the project that gets the fix: another's cannot be run with its code."""
    return tuple(sample for sample in case.finding.samples if sample.project == case.project)


async def first_draft(
    case: CaseFile, base: Base, project: ProjectParts, leak: LeakDetector, feedback: Feedback | None = None
) -> Draft:
    """The draft of the first drafter that has one.

    Raises ``RefusedError`` with what each of them says, the last first: the recipes come before the language model, and
    mostly have less to say.
    """
    refusals: list[str] = []
    unproven = feedback.draft.drafter if feedback and feedback.trigger is Trigger.PROOF and feedback.draft else None
    for drafter in project.drafters:
        if unproven not in {None, drafter.name}:
            continue  # what was not proven goes back to whoever made it
        try:
            draft = await drafter.draft(case, base.tree, feedback)
            if found := leak(added_lines(draft.changes)):
                raise RefusedError(f"its change holds what looks like a secret ({found}), so it goes nowhere")
            return draft
        except NotCodeError:
            raise
        except RefusedError as refusal:
            refusals.append(f"{drafter.name}: {refusal.what}")
    raise RefusedError("no drafter fits: " + "; ".join(reversed(refusals)) if refusals else "there is no drafter")


def attempt_key(base: Base, project: ProjectParts) -> str:
    """Names what an attempt depends on, so that a change of it deserves a new one."""
    parts = [base.commit, project.verifier.key(), *(drafter.name for drafter in project.drafters)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def commit_of(case: CaseFile, author: str) -> Commit:
    """The commit of a finding's newest draft, which is the same whenever it is made.

    Nothing of its message comes from telemetry: a forge reads commit messages for commands and mentions.
    """
    draft, verdict, date = case.draft, case.verdict, case.drafted_at
    assert draft is not None
    assert verdict is not None
    assert date is not None
    message = f"{draft.title}\n\n{draft.change}\n\nFinding: {case.finding.id}\n"
    return Commit(
        branch=case.branch,
        base_commit=verdict.base_commit,
        edits=draft.changes,
        message=message,
        author=author,
        date=date,
    )
