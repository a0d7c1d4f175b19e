"""Makes the fix of an open pull request again: its branch conflicts with the base, or a check of it fails."""

from dataclasses import dataclass, replace
from datetime import datetime

from selfimprover.domain import (
    CaseFile,
    ChecksState,
    Confidence,
    Draft,
    Feedback,
    PullRequest,
    State,
    Transition,
    Trigger,
    Verdict,
    iso,
)
from selfimprover.errors import ConflictError, RefusedError
from selfimprover.night import wording
from selfimprover.night.fixing import Base, attempt_key, commit_of, first_draft, recorded
from selfimprover.night.parts import NightParts, ProjectParts
from selfimprover.night.seen import is_as_seen
from selfimprover.night.syncing import ANOTHER_DRAFT

_WHY = {
    Trigger.CONFLICT: "it did not fit its base any more",
    Trigger.CHECKS: "a check of it failed",
    Trigger.REVIEW: "somebody asked for changes",
}
_MADE_AGAIN = "This fix was made and proven again on {base}, because {why}. What is proposed now:\n\n{body}"
_LEFT_ALONE = "left"
_LEFT = "This branch does not fit its base any more, and no new fix could be proven there. It is left to you."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviser:
    """Answers each cause once: a conflict once on each base commit, a failing check once in all."""

    parts: NightParts
    night: str
    at: datetime

    async def revise(
        self, case: CaseFile, pull: PullRequest, project: ProjectParts, base: Base, trigger: Trigger
    ) -> PullRequest:
        """The pull request after it; as it was if no other fix could be proven, which is remembered."""
        self.parts.begin("draft", f"#{pull.number} again")
        complaints = await self._complaints(pull, project, trigger)
        if trigger is Trigger.CHECKS and not complaints:
            return pull  # what was cancelled, or cannot be seen, says nothing of the fix
        try:
            feedback = Feedback(trigger, complaints, case.draft)
            known = replace(case, past=await self.parts.memory.past(case.finding.id))
            draft = await first_draft(known, base, project, self.parts.leak, feedback)
            verdict, confidence = await self._proven(draft, case, base, project)
        except RefusedError as refusal:
            return await self._leave(case, pull, project, trigger, answer_to(trigger, base, pull), refusal.what)
        reason = f"pull request #{pull.number} is made again because {_WHY[trigger]}"
        step = self._step(case, reason)
        answer = answer_to(trigger, base, pull)
        case = await self.parts.memory.store_revision(
            step, draft, verdict, confidence, attempt_key(base, project), answer
        )
        return await self.finish(case, pull, project)

    async def _complaints(self, pull: PullRequest, project: ProjectParts, trigger: Trigger) -> str:
        """What a drafter should know of what people or checks say; what they say is redacted already."""
        if trigger is Trigger.CHECKS:
            return await project.forge.complaints(pull)
        if trigger is Trigger.REVIEW:
            return "\n\n".join(f"{review.author}: {review.text}" for review in pull.reviews if review.text)
        return ""

    async def finish(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> PullRequest:
        """Puts the newest draft in the place of the commit that it ``revises``; doing it again changes nothing."""
        assert case.verdict is not None
        assert case.draft is not None
        if not await is_as_seen(pull, project):
            return pull
        answer, trigger = _newest_answer(case)
        commit = replace(commit_of(case, self.parts.publishing.author), replaces=case.revises)
        try:
            head = await project.forge.push(commit)
        except ConflictError as conflict:
            if await is_as_seen(pull, project):  # nobody did anything: it is the draft that does not fit
                return await self._leave_old(case, pull, project, trigger, conflict)
            reason = f"somebody pushed to the branch of pull request #{pull.number}, which is left to them"
            await self.parts.memory.store_head(self._step(case, reason), None)
            return pull
        except RefusedError as refusal:
            return await self._leave_old(case, pull, project, trigger, refusal)
        _, body = self.parts.write_pull_request(case)
        text = _MADE_AGAIN.format(base=case.verdict.base_commit[:12], why=_WHY[trigger], body=body)
        if not self.parts.leak(text):
            await project.forge.tell(pull, answer, text)
        why = f"because {_WHY[trigger]}"
        happened = f"PR #{pull.number} was made again with {case.draft.summary}, {why}."
        step = self._step(case, f"pull request #{pull.number} was made again {why}", happened)
        await self.parts.memory.store_head(step, head)
        now = replace(pull, head_commit=head, mergeable=None, checks=ChecksState.NONE, failing=())
        await self.parts.memory.refresh_pull_request(now)
        return now

    async def _leave_old(
        self,
        case: CaseFile,
        pull: PullRequest,
        project: ProjectParts,
        trigger: Trigger,
        why: ConflictError | RefusedError,
    ) -> PullRequest:
        """The branch keeps the commit that it has."""
        await self.parts.memory.store_head(self._step(case, f"it could not be exchanged: {why}"), case.revises)
        return await self._leave(case, pull, project, trigger, ANOTHER_DRAFT, str(why))

    async def _proven(
        self, draft: Draft, case: CaseFile, base: Base, project: ProjectParts
    ) -> tuple[Verdict, Confidence]:
        """Raises ``RefusedError`` for a draft that is no better than the one there is."""
        same_base = case.verdict is not None and case.verdict.base_commit == base.commit
        if case.draft is not None and draft.changes == case.draft.changes and same_base:
            raise RefusedError(f"{draft.drafter} makes the same change again")
        self.parts.begin("verify", draft.title)
        verdict = await project.verifier.verify(draft, base.tree, base.commit, recorded(case))
        if not verdict.passed:
            raise RefusedError(f"another fix was not proven: {verdict.reason}")
        return verdict, self.parts.confidence(draft, verdict)

    async def _leave(
        self, case: CaseFile, pull: PullRequest, project: ProjectParts, trigger: Trigger, answer: str, why: str
    ) -> PullRequest:
        if trigger is Trigger.CONFLICT and not case.has_answered(_LEFT_ALONE):
            await project.forge.tell(pull, "conflict", _LEFT)
            case = await self.parts.memory.note_answer(self._step(case, case.reason), _LEFT_ALONE)
        reason = self.parts.redact(f"pull request #{pull.number} is left as it is: {why}")
        happened = f"PR #{pull.number} is left as it is, though {_WHY[trigger]}: {why}."
        step = self._step(case, reason, None if case.reason == reason else happened)
        await self.parts.memory.note_answer(step, answer)
        return pull

    def _step(self, case: CaseFile, reason: str, happened: str | None = None) -> Transition:
        redact = self.parts.redact
        told = None if happened is None else redact(happened)
        return wording.step(case, State.OPEN, redact(reason), self.night, self.at, told)


def answer_to(trigger: Trigger, base: Base, pull: PullRequest) -> str:
    """The key under which an answer is remembered; begins with the trigger.

    A conflict is answered once on each base commit, a request for changes once each, a failing check once in all.
    """
    match trigger:
        case Trigger.CONFLICT:
            return f"{trigger} {base.commit}"
        case Trigger.REVIEW:
            asked = max(review.at for review in pull.reviews if review.verdict == "changes requested")
            return f"{trigger} {iso(asked)}"
        case _:
            return f"{trigger} once"


def _newest_answer(case: CaseFile) -> tuple[str, Trigger]:
    """The answer that the newest draft is, with what it answers."""
    kinds = {trigger.value: trigger for trigger in Trigger}
    answer = next(one for one in reversed(case.answered) if one.partition(" ")[0] in kinds)
    return answer, kinds[answer.partition(" ")[0]]
