"""What every forge does, shown on the local one with real git and on the fake that the night's tests stand on."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfimprover.domain import ChecksState, Commit, Edit, Proposal, PullState
from selfimprover.errors import ConflictError, ForgeError
from selfimprover.forges.local import LocalForge
from selfimprover.interfaces import Forge
from tests.fakes.forge import FakeForge

AUTHOR = "selfimprover <selfimprover@localhost>"
BRANCH = "selfimprover/fix-0123456789ab"
AT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
NEXT = AT + timedelta(days=1)
EDIT = Edit("agent/mail.py", "value = 1\n", "value = 2\n")


class Bench(ABC):
    """A forge with one file, and a person who works on it."""

    forge: Forge

    @abstractmethod
    def merge(self) -> str: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def ruin(self) -> None: ...


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


@pytest.fixture(params=[FakeBench, LocalBench], ids=["fake", "local"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    made: Callable[[Path], Bench] = request.param
    return made(tmp_path)


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
        body="Because.",
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
    assert await bench.forge.pull_requests(NEXT) == [first]
    assert (first.number, first.state, first.draft, first.checks) == (1, PullState.OPEN, True, ChecksState.PASSING)
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
