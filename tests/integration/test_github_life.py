"""Whatever happens to a night, to GitHub, to the memory and to the clock: one pull request a finding, and people rule.

Real nights on a real memory, over HTTP to the fake GitHub. The normal run is the same every time. To look further:

    LIFE_FIRST=1000 LIFE_SEEDS=200 LIFE_STEPS=20 pytest tests/integration/test_github_life.py -k comes_to_rest

A failure prints its steps, which can be pasted into a test: ``state = Machine()``, the steps, ``state.teardown()``; the
number in the name of the test repeats it.
"""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from selfimprover.domain import CaseFile, Commit, Proposal, PullRequest, PullState, State
from selfimprover.forges.github import pulls
from selfimprover.forges.github.forge import GitHubForge
from selfimprover.night import Mode
from tests.fakes.github import Call, FakeGitHub, Pull
from tests.fakes.github.answers import ApiError
from tests.life import BROKEN, CANARY, LIMITS, MENDED, OURS, WORDS, Kill, Lag, Life, Plan, Trouble, word_of

DAY, HOUR, MINUTE, SECOND = timedelta(1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
STEPS = int(os.environ.get("LIFE_STEPS", "10"))
FIRST = int(os.environ.get("LIFE_FIRST", "3"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("LIFE_SEEDS", "3")))

_BRANCH = re.compile(r"selfimprover/fix-([0-9a-f]{12})(?:-g(\d+))?(?:-.*)?")
_NUMBER = re.compile(r"/repos/octo/app/(?:pulls|issues)/(\d+)(?:/.*)?")
_ALLOWED = (
    re.compile(r"POST /repos/octo/app/git/(?:trees|commits|refs)"),
    re.compile(r"POST /repos/octo/app/pulls"),
    re.compile(r"PATCH /repos/octo/app/pulls/\d+"),
    re.compile(r"POST /repos/octo/app/issues/\d+/(?:comments|labels|assignees)"),
    re.compile(r"POST /graphql"),
)

WRITES = ("POST */pulls", "POST */git/refs", "PATCH */pulls/*", "POST */comments", "POST */git/*", "POST *", "P* *")
READS = ("GET *", "GET */pulls", "GET */git/ref/*", "GET */compare/*", "GET */pulls/*", "POST */graphql")
POINTS = ("before POST */git/refs", "after POST */git/refs", "before POST */pulls", "after POST */pulls", "memory")
LIMITED = ("limit 403 5", "limit 403 120", "limit 403 -", "limit 429 5", "limit 429 120")

troubles = st.builds(
    Trouble,
    kind=st.sampled_from(("lost", "dropped", "cut", "502 done", "500 nothing", "503 nothing", *LIMITED)),
    call=st.sampled_from((*WRITES, *READS)),
    nth=st.integers(1, 4),
    times=st.sampled_from((1, 2, 5, 99)),
)
kills = st.builds(Kill, st.sampled_from(POINTS), st.integers(1, 2)) | st.builds(Kill, st.just("*"), st.integers(1, 60))
seconds = st.sampled_from((0, 2, 20, 90))
nights = st.builds(
    Plan,
    after=st.sampled_from((MINUTE, HOUR, DAY)),
    mode=st.sampled_from((Mode.READY, Mode.READY, Mode.DRAFT, Mode.OBSERVE)),
    kill=st.none() | kills,
    lag=st.just(Lag()) | st.builds(Lag, seconds, seconds),
    troubles=st.lists(troubles, max_size=3).map(tuple),
)
later = st.none() | nights | nights | nights
"""What happens is followed by a night, or by something else before the next one."""


class Machine(RuleBasedStateMachine):
    """What may happen, and what must hold then."""

    engine: type[GitHubForge] = GitHubForge

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.hub = FakeGitHub().start()
        self.life = Life(Path(self.folder.name), self.hub, self.engine)
        self.failed = False
        self.failing: dict[str, int] = {}
        """How often each word fails before each night."""
        self.known: set[str] = set()
        """The findings that the memory had when it was last looked at."""
        self.theirs: dict[str, str] = {}
        """Branches that a person pushed to, and what they left there."""
        self.deleted: set[str] = set()
        """Branches that a person deleted."""
        self.left_alone: set[int] = set()
        """Pull requests that a person took over or ended."""
        self.reopened: Counter[int] = Counter()
        """How often a person reopened a pull request."""
        self.base = self.life.repository.branch("main")
        self.read = 0
        """How much of the log was looked at."""
        self.lives = 0
        """How often the memory was lost or restored."""
        self.opened: Counter[tuple[int, str | None]] = Counter()
        """Pull requests opened in each night."""

    def teardown(self) -> None:
        try:
            if self.life.nights and not self.failed:
                self.comes_to_rest()
                self.holds()
        finally:
            self.hub.close()
            self.folder.cleanup()

    @contextmanager
    def proving(self) -> Iterator[None]:
        """What fails within is the failure that is shown, whatever comes later."""
        self.failed = True
        yield
        self.failed = False

    # --- the assistant and the nights

    @initialize(words=st.lists(st.sampled_from(WORDS), min_size=1, unique=True))
    def begins(self, words: list[str]) -> None:
        self.failing = dict.fromkeys(words, 2)

    @rule(plan=nights)
    def night(self, plan: Plan) -> None:
        self.hold(plan)

    @rule(word=st.sampled_from(WORDS), times=st.integers(0, 4), then=later)
    def fails(self, word: str, times: int, then: Plan | None) -> None:
        """From now on so many times before each night; it may begin, or stop by itself."""
        self.failing[word] = times
        self.hold(then)

    def hold(self, plan: Plan | None) -> None:
        """One night, and what must hold for what it did."""
        if plan is None:
            return
        with self.proving():
            self.life.wait(plan.after)
            for word, times in self.failing.items():
                self.life.fail(word, times)
            open_before, known = len(self.life.open_pulls()), set(self.life.pulls())
            expected = self.life.seen()

            report = self.life.night(plan)

            self.github_is_as_it_must_be()
            self.limits_are_kept(open_before, len(self.life.pulls().keys() - known))
            self.requests_are_proper(may_write=plan.mode is not Mode.OBSERVE)
            if report is not None:
                assert expected <= self.life.cases().keys(), "a finding was not remembered"

    def limits_are_kept(self, open_before: int, opened: int) -> None:
        """A night opens before it closes, so that its every write was within what it came to in the end.

        One that was killed goes on under its own key, and its limit goes on with it.
        """
        self.opened[self.lives, self.life.key] += opened
        assert self.opened[self.lives, self.life.key] <= LIMITS.new_pull_requests, "too many new ones in a night"
        assert not opened or open_before + opened <= LIMITS.open_pull_requests, "too many open at once"

    def hands_off(self, number: int | None, what: str) -> None:
        assert number not in self.left_alone, f"{what} after a person took #{number} over"

    def requests_are_proper(self, *, may_write: bool) -> None:
        calls = list(self.hub.log)[self.read :]
        self.read += len(calls)
        writes = [call for call in calls if call.is_write]
        assert may_write or not writes, "observed, and wrote"
        assert all(after.at - before.at >= SECOND for before, after in pairwise(writes)), "writes without a pause"
        for call in calls:
            self.look_at(call)

    def look_at(self, call: Call) -> None:
        """One request of the engine."""
        assert self.life.token.encode() not in call.raw + call.path.encode()
        assert CANARY.encode() not in call.raw + call.path.encode()
        if not call.is_write:
            return
        what = f"{call.method} {call.path}"
        assert any(pattern.fullmatch(what) for pattern in _ALLOWED), what
        if call.path.endswith("/git/refs"):
            assert call.body["ref"].startswith(OURS), what
        if call.method == "PATCH" and "/pulls/" in call.path:
            assert call.body == {"state": "closed"}, call.body
        self.hands_off(self.number_of(call), what)

    def number_of(self, call: Call) -> int | None:
        """The pull request that a write is about."""
        if call.path.endswith("/graphql"):
            return self.number_in(call.body["variables"])
        match = _NUMBER.fullmatch(call.path)
        return int(match[1]) if match else None

    def number_in(self, variables: Mapping[str, Any]) -> int | None:
        """The pull request that a mutation is about: made ready, or its branch set to another commit."""
        if "id" in variables:
            return next(one.number for one in self.life.pulls().values() if one.node_id == variables["id"])
        (change,) = variables["input"]["refUpdates"]
        assert change["name"].startswith(OURS), change
        assert change["beforeOid"], "set without a look at what is there"
        pulls = (one.number for one in self.life.pulls().values() if f"refs/heads/{one.head}" == change["name"])
        return next(pulls, None)

    # --- people

    def branch(self, which: int) -> str:
        """The branch that a person comes to, later than any list lags."""
        self.life.wait(HOUR)
        branches = self.life.branches()
        return branches[which % len(branches)]

    def leave_alone(self, branch: str) -> None:
        """A person took it over."""
        self.left_alone |= {pull.number for pull in self.life.pulls().values() if pull.head == branch}

    @precondition(lambda self: self.life.branches())
    @rule(which=st.integers(0, 3), method=st.sampled_from(("merge", "squash")), then=later)
    def person_merges(self, which: int, method: str, then: Plan | None) -> None:
        pull = self.life.open_pull(self.branch(which))
        if pull:
            with suppress(ApiError):  # it conflicts
                self.base = self.life.repository.merge(pull.number, method)
                self.left_alone.add(pull.number)
        self.hold(then)

    @precondition(lambda self: self.life.branches())
    @rule(which=st.integers(0, 3), then=later)
    def person_closes(self, which: int, then: Plan | None) -> None:
        pull = self.life.open_pull(self.branch(which))
        if pull:
            self.life.repository.close(pull.number)
            self.left_alone.add(pull.number)
        self.hold(then)

    @precondition(lambda self: any(not pull.merged and pull.state == "closed" for pull in self.life.pulls().values()))
    @rule(which=st.integers(0, 3), then=later)
    def person_reopens(self, which: int, then: Plan | None) -> None:
        self.life.wait(HOUR)
        closed = [pull for pull in self.life.pulls().values() if not pull.merged and pull.state == "closed"]
        pull = closed[which % len(closed)]
        with suppress(ApiError):  # its branch is gone, or has another one
            self.life.repository.reopen(pull.number)
            self.reopened[pull.number] += 1
            self.left_alone.add(pull.number)
        self.hold(then)

    @precondition(lambda self: self.life.branches())
    @rule(which=st.integers(0, 3), then=later)
    def person_pushes(self, which: int, then: Plan | None) -> None:
        branch = self.branch(which)
        text = {"notes.md": f"Commit {len(self.hub.log)}\n"}
        self.theirs[branch] = self.life.repository.commit(branch, text, "by hand")
        self.leave_alone(branch)
        self.hold(then)

    @precondition(lambda self: self.life.branches())
    @rule(which=st.integers(0, 3), then=later)
    def person_deletes_branch(self, which: int, then: Plan | None) -> None:
        branch = self.branch(which)
        self.life.repository.delete_branch(branch)
        self.theirs.pop(branch, None)
        self.deleted.add(branch)
        self.leave_alone(branch)
        self.hold(then)

    @precondition(lambda self: self.life.rejected())
    @rule(which=st.integers(0, 3), then=later)
    def person_allows_another_try(self, which: int, then: Plan | None) -> None:
        self.life.wait(HOUR)
        rejected = self.life.rejected()
        self.life.allow_another_try(rejected[which % len(rejected)])
        self.hold(then)

    @precondition(lambda self: self.life.open_pulls())
    @rule(which=st.integers(0, 5), conclusion=st.sampled_from(("success", "failure")), then=later)
    def checks_end(self, which: int, conclusion: str, then: Plan | None) -> None:
        self.life.wait(HOUR)
        found = self.life.open_pulls()
        pull = found[which % len(found)]
        self.life.repository.add_check_run(pull.head_sha, conclusion=conclusion, summary=CANARY)
        self.life.repository.review(pull.number, "CHANGES_REQUESTED", f"Not with {CANARY}", by="bob")
        self.hold(then)

    @rule(
        word=st.sampled_from(WORDS), text=st.sampled_from((MENDED, f"# new\n{BROKEN}", f"{BROKEN}# end\n")), then=later
    )
    def base_moves(self, word: str, text: str, then: Plan | None) -> None:
        self.life.wait(HOUR)
        self.base = self.life.repository.commit("main", {f"agent/{word}.py": text}, "work on the base")
        self.hold(then)

    # --- the memory and the clock

    def begin_another_life(self) -> None:
        """Nothing on GitHub tells of a pull request that somebody reopened it."""
        self.known, self.lives = set(), self.lives + 1
        self.left_alone -= set(self.reopened)

    @precondition(lambda self: self.life.memory_file.exists())
    @rule(then=later)
    def memory_is_lost(self, then: Plan | None) -> None:
        self.life.lose_memory()
        self.begin_another_life()
        self.hold(then)

    @precondition(lambda self: self.life.memory_file.exists())
    @rule(then=later)
    def memory_is_backed_up(self, then: Plan | None) -> None:
        self.life.wait(MINUTE)
        self.life.backups.make(self.life.now)
        self.hold(then)

    @precondition(lambda self: self.life.backups.all())
    @rule(which=st.integers(0, 5), then=later)
    def memory_is_restored(self, which: int, then: Plan | None) -> None:
        self.life.wait(MINUTE)
        backups = self.life.backups.all()
        self.life.backups.restore(backups[which % len(backups)], self.life.now, "a test says so")
        self.begin_another_life()
        self.hold(then)

    @rule(by=st.sampled_from((HOUR, DAY, 8 * DAY, -HOUR, -2 * DAY)), then=later)
    def clock_jumps(self, by: timedelta, then: Plan | None) -> None:
        self.life.ahead += by
        self.hold(then)

    # --- what must hold

    @invariant()
    def holds(self) -> None:
        with self.proving():
            self.github_is_as_it_must_be()
            assert CANARY.encode() not in self.life.remembered()
            assert self.life.token.encode() not in self.life.remembered()
            remembered = set(self.life.cases())
            assert self.known <= remembered, "a finding was lost"
            self.known = remembered

    def github_is_as_it_must_be(self) -> None:
        pulls_of = Counter(_key(pull) for pull in self.life.pulls().values())
        assert all(count == 1 for count in pulls_of.values()), f"two pull requests: {pulls_of}"
        for pull in self.life.pulls().values():
            reopened = [event for event in pull.events if event.event == "reopened"]
            assert len(reopened) == self.reopened[pull.number], f"#{pull.number} was reopened"
        refs = self.life.repository.refs
        assert [name for name in refs if not name.startswith(OURS)] == ["refs/heads/main"]
        assert refs["refs/heads/main"] == self.base, "the base was written"
        for branch, sha in self.theirs.items():
            assert self.life.repository.branch(branch) == sha, f"{branch} was written after a person pushed to it"

    def comes_to_rest(self) -> None:
        """After undisturbed nights no question is open."""
        with self.proving():
            for _ in range(2):
                self.hold(Plan())
            self.failed = True
            report = self.life.reports[-1]
            assert report.errors == ()
            seen = self.life.seen()
            for case in self.life.cases().values():
                self.is_at_rest(case, seen=case.finding.id in seen)

    def is_at_rest(self, case: CaseFile, *, seen: bool) -> None:
        waits = case.state is State.VERIFIED and self.may_wait()
        stuck = {State.FOUND, State.DRAFTED, State.VERIFIED, State.PUSHED}
        assert case.state not in stuck or waits, f"{case.finding.id} is stuck in {case.state}: {case.reason}"
        mine = [pull for pull in self.life.pulls().values() if _key(pull) == (case.finding.id, case.generation)]
        if seen and mine:
            assert case.state.value == _state(mine[0]), f"{case.state}, and #{mine[0].number} is {_state(mine[0])}"
        assert case.state is not State.OPEN or mine
        assert case.state is not State.PARKED or not seen or self.may_be_parked(case), case.reason

    def may_be_parked(self, case: CaseFile) -> bool:
        """Whether there is nothing to mend, or a person has the branch or keeps deleting it."""
        broken = BROKEN.encode() in self.life.repository.files("main")[f"agent/{word_of(case.finding)}.py"]
        return not broken or case.branch in self.theirs or case.branch in self.deleted

    def may_wait(self) -> bool:
        """Whether a limit is a reason to hold a proven fix back."""
        new = self.opened[self.lives, self.life.key] >= LIMITS.new_pull_requests
        return new or len(self.life.open_pulls()) >= LIMITS.open_pull_requests


def _key(pull: Pull) -> tuple[str, int]:
    """Finding id and generation, whatever an engine hangs on to its branch."""
    match = _BRANCH.fullmatch(pull.head)
    assert match is not None, pull.head
    return match[1], int(match[2] or 1)


def _state(pull: Pull) -> str:
    return "merged" if pull.merged else pull.state


# --- engines that are wrong on purpose ------------------------------------------------------------------------


class Suffixing(GitHubForge):
    """Gives every try a branch of its own, and opens without a look at what is there."""

    async def push(self, commit: Commit) -> str:
        return await self._publisher.make(commit)

    async def open(self, proposal: Proposal) -> PullRequest:
        here, branch = f"/repos/{self._repository}", f"{proposal.branch}-{uuid4().hex[:8]}"
        await self._client.write(
            "POST", f"{here}/git/refs", {"ref": f"refs/heads/{branch}", "sha": proposal.head_commit}
        )
        body = {"title": proposal.title, "head": branch, "base": self._base, "body": proposal.body}
        opened = (await self._client.write("POST", f"{here}/pulls", body)).data
        return pulls.pull_request(_without_suffix(opened))

    async def pull_requests(self, seen_at: datetime, known: Collection[int] = ()) -> Sequence[PullRequest]:
        found = await self._client.get_all(f"/repos/{self._repository}/pulls", state="all")
        return await self._watcher.all([_without_suffix(one) for one in reversed(found)], known)


def _without_suffix(pull: Mapping[str, Any]) -> Mapping[str, Any]:
    head = pull["head"]
    return {**pull, "head": {**head, "ref": head["ref"][: len("selfimprover/fix-0123456789ab")]}}


class Reopening(GitHubForge):
    """Insists: what it sees closed it opens again."""

    async def pull_requests(self, seen_at: datetime, known: Collection[int] = ()) -> Sequence[PullRequest]:
        found = await super().pull_requests(seen_at, known)
        for pull in found:
            if pull.state is PullState.CLOSED:
                path = f"/repos/{self._repository}/pulls/{pull.number}"
                await self._client.write("PATCH", path, {"state": "open"})
        return found


class Forcing(GitHubForge):
    """Takes every branch under its name for its own, and puts it right before it opens."""

    async def push(self, commit: Commit) -> str:
        made = await self._publisher.make(commit)
        await self._put(commit.branch, made)
        return made

    async def open(self, proposal: Proposal) -> PullRequest:
        await self._put(proposal.branch, proposal.head_commit)
        return await super().open(proposal)

    async def _put(self, branch: str, made: str) -> None:
        present = await self._publisher.head(branch)
        if present is None:
            path = f"/repos/{self._repository}/git/refs"
            await self._client.write("POST", path, {"ref": f"refs/heads/{branch}", "sha": made})
        elif present != made:
            await self._publisher.replace(branch, present, made)


# --- the runs -------------------------------------------------------------------------------------------------

CAMPAIGN = settings(
    max_examples=9,  # from the tenth on Hypothesis mostly varies what it has seen: a new seed finds more
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def campaign(machine: type[Machine], number: int, phases: Sequence[Phase] = tuple(Phase)) -> None:
    run_state_machine_as_test(seed(number)(machine), settings=settings(CAMPAIGN, phases=phases))


@pytest.mark.parametrize("number", SEEDS)
def test_whatever_happens_a_finding_comes_to_rest_in_one_pull_request(number: int) -> None:
    campaign(Machine, number)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Suffixing, "two pull requests"),
        (Reopening, "'state': 'open'|observed, and wrote"),
        (Forcing, "was written after a person"),
    ],
)
def test_the_same_steps_find_what_is_wrong_with_a_wrong_engine(wrong: type[GitHubForge], words: str) -> None:
    class Wrong(Machine):
        engine = wrong

    def all_campaigns() -> None:
        for number in SEEDS:
            campaign(Wrong, number, [Phase.generate])

    with pytest.raises(AssertionError, match=words):
        all_campaigns()


def test_writes_are_a_second_apart_by_the_clock_of_github(tmp_path: Path) -> None:
    gaps = {}
    for interval in (1.0, 0.0):
        with FakeGitHub() as hub:
            life = Life(tmp_path / str(interval), hub, write_interval=interval)
            for word in WORDS:
                life.fail(word, 3)
            life.night(Plan())
            gaps[interval] = hub.log.write_gaps()

    assert len(gaps[1.0]) >= 4 * LIMITS.new_pull_requests
    assert min(gaps[1.0]) == 1.0
    assert max(gaps[0.0]) == 0.0
