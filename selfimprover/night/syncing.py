"""Asks the forges what became of our pull requests, and brings the memory up to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from selfimprover.domain import CaseFile, PullRequest, PullState, State, Transition
from selfimprover.errors import ConflictError, ForgeError
from selfimprover.night import wording
from selfimprover.night.fixing import STATES
from selfimprover.night.parts import NightParts, ProjectParts
from selfimprover.night.summary import Tonight

ANOTHER_DRAFT = "another-draft"
"""The answer that remembers that a branch has a fix of ours that this memory does not know."""
_PUSHED = "somebody pushed to the branch of pull request #{number}, which is left to them"
_RETARGETED = "somebody pointed pull request #{number} at another base; it is left to them"


@dataclass(frozen=True, slots=True)
class Syncer:
    """One night's look at the forges, before anything else is done."""

    parts: NightParts
    tonight: Tonight

    async def sync(self, project: ProjectParts) -> None:
        """Brings the findings at home in a project up to what its forge says.

        A project whose forge cannot be used gets an error in the report, and no fix tonight.
        """
        self.parts.begin("sync", project.name)
        cases = [case for case in await self.parts.memory.cases() if case.project == project.name]
        open_ones = [
            case.pull_request.number for case in cases if case.state is State.OPEN and case.pull_request is not None
        ]
        try:
            base = await project.forge.base_commit()  # if it cannot be used: one error, not one per finding
            pulls = await project.forge.pull_requests(self.tonight.at, open_ones)
            for case in cases:
                await self._brought_up(case, pulls, project)
        except ForgeError as error:
            self.tonight.problems.append(wording.problem(error, f"project {project.name}", self.parts.redact))
            return
        self.tonight.base_commits[project.name] = base
        self.tonight.pulls[project.name] = {pull.number: pull for pull in pulls}

    async def recognise(self, case: CaseFile, projects: Mapping[str, ProjectParts]) -> CaseFile:
        """Takes up the pull request of a finding that was remembered only now, if it has one: the memory was lost."""
        pulls = self.tonight.pulls.get(case.project, {})
        if case.project not in projects or not pulls:
            return case
        try:
            return await self._follow(case, list(pulls.values()), projects[case.project])
        except (ConflictError, ForgeError) as error:
            self.tonight.problems.append(wording.problem(error, f"project {case.project}", self.parts.redact))
            self.tonight.unusable.add(case.project)
            return case

    async def _brought_up(self, case: CaseFile, pulls: Sequence[PullRequest], project: ProjectParts) -> None:
        try:
            await self._follow(case, pulls, project)
        except ConflictError as error:
            where = f"finding {case.finding.id}"
            self.tonight.problems.append(wording.problem(error, where, self.parts.redact))

    async def _follow(self, case: CaseFile, pulls: Sequence[PullRequest], project: ProjectParts) -> CaseFile:
        known = case.pull_request
        if known is not None and case.state is State.OPEN and all(pull.number != known.number for pull in pulls):
            return await self._lose(case, known)
        mine = [pull for pull in pulls if pull.finding_id == case.finding.id]
        newest = max(mine, key=lambda pull: pull.generation, default=None)
        if newest is None or newest.generation < case.generation:
            return case
        if newest.generation == case.generation and known is not None:
            return await self._note(case, newest, project)
        if case.state in {State.DISMISSED, State.MERGED}:
            return case  # that is settled, whatever somebody does under such a name
        if case.state is State.PUSHED and newest.generation == case.generation:
            return case  # it is opened in its turn, which finds what is there
        return await self._adopt(case, newest, project)

    async def _lose(self, case: CaseFile, pull: PullRequest) -> CaseFile:
        gone = replace(pull, state=PullState.CLOSED, closed_at=self.tonight.at)
        reason = f"pull request #{pull.number} is not on the forge any more"
        self.tonight.changed_pulls.add((case.project, pull.number))
        step = self._step(replace(case, pull_request=gone), State.CLOSED, reason)
        return await self.parts.memory.store_pull_request(step, gone)

    async def _note(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> CaseFile:
        """Stores what the forge says of a known pull request, and moves its finding if a person decided on it."""
        before, now = case.state, STATES[pull.state]
        if now is not State.OPEN and not pull.reviews and case.pull_request is not None:
            pull = replace(pull, reviews=case.pull_request.reviews)  # of what ended long ago nobody asks the forge
        unchanged = case.pull_request == pull
        if before is State.OPEN and now is not State.OPEN:
            verb = "merged" if now is State.MERGED else "closed without a merge"
            step = self._step(replace(case, pull_request=pull), now, f"pull request #{pull.number} was {verb}")
            case = await self.parts.memory.store_pull_request(step, pull)
        elif before is State.CLOSED and now is not State.CLOSED:
            verb = "merged" if now is State.MERGED else "reopened"
            step = self._step(replace(case, pull_request=pull), now, f"pull request #{pull.number} was {verb}")
            case = await self.parts.memory.adopt(step, pull, None)
        elif before is State.OPEN and case.head_commit is not None and pull.retargeted:
            case = await self._hand_over(case, pull, _RETARGETED)
        elif before is State.OPEN and case.head_commit not in {None, pull.head_commit}:
            case = await self._note_push(case, pull, project)
        elif unchanged:
            return case
        else:
            await self.parts.memory.refresh_pull_request(pull)
        self.tonight.changed_pulls.add((case.project, pull.number))
        return case

    async def _hand_over(self, case: CaseFile, pull: PullRequest, why: str) -> CaseFile:
        await self.parts.memory.refresh_pull_request(pull)
        step = self._step(replace(case, pull_request=pull), State.OPEN, why.format(number=pull.number))
        return await self.parts.memory.store_head(step, None)

    async def _note_push(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> CaseFile:
        """The branch is not where we left it: it is somebody's now, unless a night that was killed pushed to it."""
        if not await self._is_ours(pull, project):
            return await self._hand_over(case, pull, _PUSHED)
        await self.parts.memory.refresh_pull_request(pull)
        if case.revises is not None:
            return case  # the night that was killed is finished later, which looks at the branch itself
        step = self._step(case, State.OPEN, f"pull request #{pull.number} has a fix that was forgotten", told=False)
        case = await self.parts.memory.store_head(step, pull.head_commit)
        return await self.parts.memory.note_answer(step, ANOTHER_DRAFT)

    async def _adopt(self, case: CaseFile, pull: PullRequest, project: ProjectParts) -> CaseFile:
        """Takes up a pull request of ours that the memory does not know: it was lost or restored."""
        state = STATES[pull.state]
        mine = state is State.OPEN and not pull.retargeted and await self._is_ours(pull, project)
        self.tonight.changed_pulls.add((case.project, pull.number))
        self.tonight.before[case.finding.id] = state
        reason = f"pull request #{pull.number} was found again on the forge"
        step = self._step(replace(case, pull_request=pull), state, reason)
        case = await self.parts.memory.adopt(step, pull, pull.head_commit if mine else None)
        if not mine:
            return case
        step = self._step(case, state, reason, told=False)
        return await self.parts.memory.note_answer(step, ANOTHER_DRAFT)

    async def _is_ours(self, pull: PullRequest, project: ProjectParts) -> bool:
        return await project.forge.is_ours(pull.head_commit, self.parts.publishing.author)

    def _step(self, case: CaseFile, after: State, reason: str, *, told: bool = True) -> Transition:
        happened = f"{reason[0].upper()}{reason[1:]}." if told else None
        return wording.step(case, after, reason, self.tonight.key, self.tonight.at, happened)
