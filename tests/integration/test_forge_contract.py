"""What every forge does, shown on the local one with real git and on the fake that the night's tests stand on."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfimprover.domain import ChecksState, Commit, Edit, Proposal, PullState
from selfimprover.errors import ConflictError, ForgeError
from selfimprover.forges.github.archives import Archives
from selfimprover.forges.github.auth import TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.forge import GitHubForge
from selfimprover.forges.local import LocalForge
from selfimprover.interfaces import Forge
from tests.fakes.forge import FakeForge
from tests.fakes.github import FakeGitHub

AUTHOR = "selfimprover <selfimprover@localhost>"
BRANCH = "selfimprover/fix-0123456789ab"
AT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
NEXT = AT + timedelta(days=1)
EDIT = Edit("agent/mail.py", "value = 1\n", "value = 2\n")


class Bench(ABC):
    """A forge with one file, and a person who works on it."""

    forge: Forge
    checks = ChecksState.PASSING
    """What a new pull request's checks are: of our own proof, where the forge has none."""

    @abstractmethod
    def merge(self) -> str: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def ruin(self) -> None: ...

    @abstractmethod
    def told(self, number: int) -> str:
        """Everything that was written into the pull request."""


class FakeBench(Bench):
    def __init__(self, _folder: Path) -> None:
        self.fake = FakeForge()
        self.forge = self.fake

    def merge(self) -> str:
        return self.fake.merge(1, AT + timedelta(hours=8))

    def close(self) -> None:
        self.fake.close(1, AT + timedelta(hours=8))

    def ruin(self) -> None:
        self.fake.broken = True

    def told(self, number: int) -> str:
        return "\n".join(text for (told, _), text in self.fake.told.items() if told == number)


class LocalBench(Bench):
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        (self.folder / "agent").mkdir(parents=True)
        (self.folder / "agent" / "mail.py").write_text("value = 1\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "begin", when=AT - timedelta(days=9))
        self.forge = LocalForge(self.folder, base="main", author=AUTHOR)

    def git(self, *arguments: str, when: datetime = AT + timedelta(hours=8)) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        env = {"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": when.isoformat(), "GIT_AUTHOR_DATE": when.isoformat()}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *who, *arguments], check=True, capture_output=True, env=env
        )
        return done.stdout.decode().strip()

    def merge(self) -> str:
        self.git("merge", "-q", "--no-ff", "-m", "merge", BRANCH)
        return self.git("rev-parse", "HEAD")

    def close(self) -> None:
        self.git("branch", "-q", "-D", BRANCH)

    def ruin(self) -> None:
        self.folder.rename(self.folder.with_name("elsewhere"))

    def told(self, number: int) -> str:
        return self.git("show", f"refs/selfimprover/pulls/{number}:body.md")


class GitHubBench(Bench):
    """The forge on GitHub, over HTTP, against the fake that behaves like it."""

    checks = ChecksState.NONE

    def __init__(self, hub: FakeGitHub, client: GitHub, folder: Path) -> None:
        self.hub = hub
        self.repository = hub.repository("octo/app", {"agent/mail.py": "value = 1\n"})
        self.forge = GitHubForge(
            client, "octo/app", base="main", archives=Archives(folder / "trees"), redact=str, sleep=no_sleep
        )

    def merge(self) -> str:
        self.hub.clock.move(timedelta(hours=8))
        return self.repository.merge(1)

    def close(self) -> None:
        self.repository.close(1)

    def ruin(self) -> None:
        self.hub.faults.answer("GET", "/repos/*", 404, {"message": "Not Found"})

    def told(self, number: int) -> str:
        return "\n".join(one.body for one in self.repository.pull(number).comments)


async def no_sleep(_seconds: float) -> None:
    """The fake does not need it."""


@pytest.fixture(params=["fake", "local", "github"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "github":
        with FakeGitHub(now=lambda: AT) as hub:
            async with GitHub(hub.url, TokenAuth(hub.token()), write_interval=0, sleep=no_sleep) as client:
                yield GitHubBench(hub, client, tmp_path)
        return
    yield FakeBench(tmp_path) if request.param == "fake" else LocalBench(tmp_path)


async def fix(forge: Forge, *edits: Edit) -> Commit:
    return Commit(
        branch=BRANCH,
        base_commit=await forge.base_commit(),
        edits=edits or (EDIT,),
        message="Fix the value\n",
        author=AUTHOR,
        date=AT,
    )


def proposal(head: str) -> Proposal:
    return Proposal(
        finding_id="0123456789ab",
        fingerprints=("0123456789abcdef",),
        branch=BRANCH,
        head_commit=head,
        title="Fix the value",
        body="Because.\n\n<!-- selfimprover finding=0123456789ab fingerprints=0123456789abcdef -->\n",
        draft=True,
        checks=ChecksState.PASSING,
        opened_at=AT,
    )


async def test_the_tree_is_exported_as_it_is(bench: Bench, tmp_path: Path) -> None:
    into = tmp_path / "tree"
    into.mkdir()

    await bench.forge.export(await bench.forge.base_commit(), into)

    assert (into / "agent" / "mail.py").read_text() == "value = 1\n"


async def test_pushing_again_changes_nothing(bench: Bench) -> None:
    assert await bench.forge.push(await fix(bench.forge)) == await bench.forge.push(await fix(bench.forge))


async def test_opening_again_gives_the_same_pull_request(bench: Bench) -> None:
    head = await bench.forge.push(await fix(bench.forge))

    first = await bench.forge.open(proposal(head))

    assert await bench.forge.open(proposal(head)) == first
    (listed,) = await bench.forge.pull_requests(NEXT)
    assert (listed.number, listed.branch, listed.head_commit) == (first.number, BRANCH, head)
    assert (first.number, first.state, first.draft) == (1, PullState.OPEN, True)
    assert listed.checks is bench.checks
    assert (first.finding_id, first.fingerprints) == ("0123456789ab", ("0123456789abcdef",))


async def test_a_merge_is_seen_with_its_commit_and_time(bench: Bench) -> None:
    before = await bench.forge.base_commit()
    await bench.forge.open(proposal(await bench.forge.push(await fix(bench.forge))))
    merged = bench.merge()

    (pull,) = await bench.forge.pull_requests(NEXT)

    assert (pull.state, pull.merge_commit, pull.merged_at) == (PullState.MERGED, merged, AT + timedelta(hours=8))
    assert await bench.forge.contains(merged, merged) is True
    assert await bench.forge.contains(before, merged) is False
    assert await bench.forge.contains("no version of ours", merged) is None


async def test_a_rejection_is_seen_and_stays(bench: Bench) -> None:
    await bench.forge.open(proposal(await bench.forge.push(await fix(bench.forge))))
    bench.close()

    (pull,) = await bench.forge.pull_requests(NEXT)

    assert pull.state is PullState.CLOSED
    assert [one.state for one in await bench.forge.pull_requests(NEXT)] == [PullState.CLOSED]


async def test_a_branch_with_a_pull_request_is_never_overwritten(bench: Bench) -> None:
    await bench.forge.open(proposal(await bench.forge.push(await fix(bench.forge))))

    with pytest.raises(ConflictError):
        await bench.forge.push(await fix(bench.forge, Edit("agent/mail.py", "value = 1\n", "value = 3\n")))


async def test_a_forge_that_cannot_be_used_says_so(bench: Bench) -> None:
    bench.ruin()

    with pytest.raises(ForgeError):
        await bench.forge.base_commit()


async def test_a_draft_is_marked_ready_once(bench: Bench) -> None:
    pull = await bench.forge.open(proposal(await bench.forge.push(await fix(bench.forge))))

    for _ in range(2):
        await bench.forge.ready(pull)

    (after,) = await bench.forge.pull_requests(NEXT)
    assert (pull.draft, after.draft, after.state) == (True, False, PullState.OPEN)


async def test_what_was_told_is_not_told_again(bench: Bench) -> None:
    pull = await bench.forge.open(proposal(await bench.forge.push(await fix(bench.forge))))

    for _ in range(2):
        await bench.forge.tell(pull, "stopped", "The error stopped by itself.")
    await bench.forge.tell(pull, "other", "Something else.")

    assert bench.told(pull.number).count("The error stopped by itself.") == 1
    assert bench.told(pull.number).count("Something else.") == 1


async def test_a_withdrawn_pull_request_is_closed_with_its_reason_and_its_branch_stays(bench: Bench) -> None:
    head = await bench.forge.push(await fix(bench.forge))
    pull = await bench.forge.open(proposal(head))

    for _ in range(2):
        await bench.forge.withdraw(pull, "The base has it already.")

    (after,) = await bench.forge.pull_requests(NEXT)
    assert (after.state, after.head_commit) == (PullState.CLOSED, head)
    assert bench.told(pull.number).count("The base has it already.") == 1
    assert (await bench.forge.open(proposal(head))).state is PullState.CLOSED
