"""The local forge on real repositories: what it adds, what it leaves alone, and how it sees a merge."""

import asyncio
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfimprover.domain import ChecksState, Commit, Edit, Proposal, PullRequest, PullState
from selfimprover.errors import ConflictError, ForgeError
from selfimprover.forges.local import LocalForge
from selfimprover.git import git
from selfimprover.interfaces import Forge

AUTHOR = "selfimprover <selfimprover@example.org>"
BRANCH = "selfimprover/fix-0123456789ab"
OPENED = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
MERGED = datetime(2026, 2, 16, 9, 30, tzinfo=UTC)
SEEN = datetime(2026, 2, 17, 0, 17, tzinfo=UTC)
LATER = SEEN + timedelta(days=1)
TEXT = "".join(f"line {number}\n" for number in range(40))
FIXED = TEXT.replace("line 3\n", "line three\n")


def run(repository: Path, *arguments: str, date: datetime = MERGED) -> str:
    stamp = date.isoformat()
    identity = {f"GIT_{role}_{part}": "p@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null", **identity}
    env |= {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, env=env).stdout.decode().strip()


def commit(repository: Path, files: dict[str, str], message: str = "change", date: datetime = MERGED) -> str:
    for name, text in files.items():
        (repository / name).write_text(text)
    run(repository, "add", "-A")
    run(repository, "commit", "-q", "-m", message, date=date)
    return run(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "assistant"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    commit(folder, {"mail.py": TEXT, "other.py": "x = 1\n"}, "begin", OPENED - timedelta(days=9))
    return folder


@pytest.fixture
def forge(repository: Path) -> LocalForge:
    return LocalForge(repository, base="main", author=AUTHOR)


def fix(repository: Path, *edits: Edit, branch: str = BRANCH, message: str = "Count right\n") -> Commit:
    base = run(repository, "rev-parse", "main")
    edits = edits or (Edit("mail.py", TEXT, FIXED),)
    return Commit(branch=branch, base_commit=base, edits=edits, message=message, author=AUTHOR, date=OPENED)


def proposal(head: str, branch: str = BRANCH) -> Proposal:
    return Proposal(
        finding_id="0123456789ab",
        fingerprints=("0123456789abcdef", "fedcba9876543210"),
        branch=branch,
        head_commit=head,
        title="Count right ü now",
        body="Why\n\nBecause.\n",
        draft=True,
        checks=ChecksState.PASSING,
        opened_at=OPENED,
        labels=("selfimprover",),
        assignee="someone",
    )


async def opened(forge: LocalForge, repository: Path) -> PullRequest:
    return await forge.open(proposal(await forge.push(fix(repository))))


async def test_it_is_a_forge(forge: LocalForge, repository: Path) -> None:
    as_interface: Forge = forge

    assert await as_interface.base_commit() == run(repository, "rev-parse", "main")


# --- push ----------------------------------------------------------------------------------------------


async def test_a_pushed_branch_has_the_edits_and_nothing_else(forge: LocalForge, repository: Path) -> None:
    (repository / "tool.py").write_text("a\r\n")
    (repository / "tool.py").chmod(0o755)
    commit(repository, {"gone.py": "bye\n", ".gitattributes": "* text eol=crlf ident\n"})
    edits = (
        Edit("mail.py", TEXT, FIXED),
        Edit("gone.py", "bye\n", None),
        Edit("new/$Id$ ü.py", None, "$Id$ \r\n"),
    )
    tool = run(repository, "show", "main:tool.py")

    head = await forge.push(fix(repository, *edits, Edit("tool.py", tool + "\n", "b\r\n")))

    changed = run(repository, "-c", "core.quotePath=false", "diff", "--raw", "--no-renames", "--abbrev=4", "main", head)
    assert [[*line.split("\t")[0].split()[:2], line.split("\t")[1]] for line in changed.splitlines()] == [
        [":100644", "000000", "gone.py"],
        [":100644", "100644", "mail.py"],
        [":000000", "100644", "new/$Id$ ü.py"],
        [":100755", "100755", "tool.py"],
    ]
    assert await git(repository, "cat-file", "blob", f"{head}:new/$Id$ ü.py") == b"$Id$ \r\n"
    assert run(repository, "rev-parse", BRANCH) == head
    assert run(repository, "log", "-1", "--format=%an <%ae>|%cn <%ce>|%at|%ct|%B", head) == (
        f"{AUTHOR}|{AUTHOR}|{OPENED.timestamp():.0f}|{OPENED.timestamp():.0f}|Count right"
    )


async def test_a_replayed_push_makes_the_same_commit(forge: LocalForge, repository: Path, tmp_path: Path) -> None:
    run(tmp_path, "clone", "-q", "--bare", str(repository), "other.git")
    elsewhere = LocalForge(tmp_path / "other.git", base="main", author="another <a@example.org>")

    ids = {await forge.push(fix(repository)), await forge.push(fix(repository)), await elsewhere.push(fix(repository))}

    assert len(ids) == 1


async def test_a_branch_with_something_else_on_it_is_left_alone(forge: LocalForge, repository: Path) -> None:
    pushed = await forge.push(fix(repository))
    run(repository, "checkout", "-q", BRANCH)
    theirs = commit(repository, {"other.py": "x = 3\n"}, "a person's work")
    run(repository, "checkout", "-q", "main")

    with pytest.raises(ConflictError, match="something else"):
        await forge.push(fix(repository, Edit("mail.py", TEXT, "another draft\n")))

    assert run(repository, "rev-parse", BRANCH) == theirs != pushed


async def test_a_branch_that_a_crash_left_behind_is_replaced(forge: LocalForge, repository: Path) -> None:
    await forge.push(fix(repository))
    commit(repository, {"other.py": "x = 2\n"}, "the base moves on")

    head = await forge.push(fix(repository))

    assert run(repository, "rev-parse", BRANCH) == head
    assert run(repository, "rev-parse", f"{BRANCH}^") == run(repository, "rev-parse", "main")


async def test_a_signed_branch_is_looked_at_without_the_program_that_the_repository_names(
    forge: LocalForge, repository: Path, tmp_path: Path
) -> None:
    left = await forge.push(fix(repository))
    trace, trap = _trap(tmp_path)
    for key in ("gpg.program", "gpg.openpgp.program", "gpg.ssh.program", "gpg.x509.program"):
        run(repository, "config", key, str(trap))
    run(repository, "config", "log.showSignature", "true")
    signed = _signed(repository, left)
    run(repository, "update-ref", f"refs/heads/{BRANCH}", signed)
    commit(repository, {"other.py": "x = 2\n"}, "the base moves on")

    head = await forge.push(fix(repository))

    assert not trace.exists()
    assert run(repository, "rev-parse", BRANCH) == head != signed  # it was looked at
    run(repository, "log", "-1", signed)
    assert trace.exists()  # the trap works


async def test_a_branch_that_begins_from_nothing_is_left_alone(forge: LocalForge, repository: Path) -> None:
    await forge.push(fix(repository))
    lines = run(repository, "cat-file", "commit", BRANCH).splitlines()
    text = "\n".join(line for line in lines if not line.startswith("parent ")) + "\n"
    root = _store(repository, text)
    run(repository, "update-ref", f"refs/heads/{BRANCH}", root)

    with pytest.raises(ConflictError, match="something else"):
        await forge.push(fix(repository))

    assert run(repository, "rev-parse", BRANCH) == root


def _trap(folder: Path) -> tuple[Path, Path]:
    """A file that tells that a program ran, and the program."""
    trace, trap = folder / "ran", folder / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 $* >> {trace}\ncat\n")
    trap.chmod(0o755)
    return trace, trap


def _signed(repository: Path, like: str) -> str:
    """The commit, with the claim of a signature."""
    head, _, message = run(repository, "cat-file", "commit", like).partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n aaaa\n -----END PGP SIGNATURE-----"
    return _store(repository, f"{head}\n{signature}\n\n{message}\n")


def _store(repository: Path, text: str) -> str:
    command = ["git", "-C", str(repository), "hash-object", "-t", "commit", "-w", "--stdin"]
    return subprocess.run(command, input=text.encode(), check=True, capture_output=True).stdout.decode().strip()


@pytest.mark.parametrize(
    "wrong",
    [
        Edit("mail.py", TEXT.rstrip("\n"), FIXED),
        Edit("mail.py", None, FIXED),
        Edit("absent.py", TEXT, FIXED),
        Edit("link.py", "mail.py", "other.py"),
        Edit("sub", None, "x"),
    ],
)
async def test_a_draft_of_another_base_is_not_pushed(forge: LocalForge, repository: Path, wrong: Edit) -> None:
    (repository / "link.py").symlink_to("mail.py")
    (repository / "sub").mkdir()
    commit(repository, {"sub/x.py": ""})

    with pytest.raises(ConflictError):
        await forge.push(fix(repository, wrong))

    assert run(repository, "branch", "--list", "selfimprover/*") == ""


@pytest.mark.parametrize("path", ["mail.py/new.py", "link/new.py", "folder/link/deep/new.py"])
async def test_a_new_file_takes_the_place_of_no_file_or_link(forge: LocalForge, repository: Path, path: str) -> None:
    (repository / "folder").mkdir()
    for link in ("link", "folder/link"):
        (repository / link).symlink_to("/elsewhere")
    commit(repository, {"folder/other.py": "x = 1\n"}, "links")

    await forge.push(fix(repository, Edit("folder/new/file.py", None, "x = 1\n")))
    with pytest.raises(ConflictError, match="is no folder"):
        await forge.push(fix(repository, Edit(path, None, "x = 1\n"), branch=f"{BRANCH}-g2"))


@pytest.mark.parametrize("branch", ["main", "selfimprover", "selfimprover/../main", "selfimprover/-x", "feature/x"])
async def test_only_branches_of_its_own_prefix_are_written(forge: LocalForge, repository: Path, branch: str) -> None:
    with pytest.raises(ForgeError, match="not a branch of ours"):
        await forge.push(fix(repository, branch=branch))
    own = LocalForge(repository, base=BRANCH, author=AUTHOR)
    with pytest.raises(ForgeError, match="not a branch of ours"):
        await own.push(fix(repository))


# --- what is left alone --------------------------------------------------------------------------------


def _untouched(repository: Path) -> tuple[object, ...]:
    git_folder = repository / ".git"
    names = [git_folder / name for name in ("index", "config", "HEAD", "refs/heads/main", "logs/HEAD")]
    return (
        [name.read_bytes() for name in names],
        {path: path.read_bytes() for path in repository.glob("*") if path.is_file()},
        {path.name for path in git_folder.iterdir()},
    )


async def test_working_tree_index_and_configuration_stay_as_they_were(forge: LocalForge, repository: Path) -> None:
    (repository / "mail.py").write_text("half done\n")
    (repository / "staged.py").write_text("staged\n")
    run(repository, "add", "staged.py")
    (repository / "untracked.py").write_text("untracked\n")
    run(repository, "config", "core.splitIndex", "true")
    before = _untouched(repository)

    await opened(forge, repository)
    run(repository, "update-ref", "-d", f"refs/heads/{BRANCH}")
    await forge.pull_requests(SEEN)

    assert _untouched(repository) == before
    refs = run(repository, "for-each-ref", "--format=%(refname)").splitlines()
    assert refs == ["refs/heads/main", "refs/selfimprover/pulls/1"]


async def test_no_command_that_the_repository_names_is_run(forge: LocalForge, repository: Path, tmp_path: Path) -> None:
    commit(repository, {".gitattributes": "*.py filter=evil diff=evil merge=evil\n"})
    trace, trap = _trap(tmp_path)
    keys = ("core.fsmonitor", "core.pager", "core.editor", "filter.evil.clean", "filter.evil.smudge", "diff.external")
    for key in (*keys, "diff.evil.command", "diff.evil.textconv", "gpg.program", "core.sshCommand"):
        run(repository, "config", key, str(trap))
    run(repository, "config", "commit.gpgSign", "true")
    run(repository, "config", "log.showSignature", "true")
    for hook in ("reference-transaction", "pre-commit", "post-commit", "post-index-change", "post-update"):
        (repository / ".git/hooks" / hook).write_text(trap.read_text())
        (repository / ".git/hooks" / hook).chmod(0o755)

    pull = await opened(forge, repository)
    await forge.export(pull.head_commit, tmp_path / "tree")
    run(repository, "-c", "core.hooksPath=/dev/null", "update-ref", "-d", f"refs/heads/{BRANCH}")
    await forge.pull_requests(SEEN)

    assert not trace.exists()
    assert (tmp_path / "tree/mail.py").read_text() == FIXED


async def test_seeing_a_merge_by_its_content_runs_no_driver_that_the_repository_names(
    forge: LocalForge, repository: Path, tmp_path: Path
) -> None:
    commit(repository, {".gitattributes": "*.py diff=evil\n"})
    await opened(forge, repository)
    brought_by = _rebase(repository)
    trace, trap = _trap(tmp_path)
    for key in ("diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager", "core.fsmonitor"):
        run(repository, "config", key, str(trap))
    (repository / ".git/info/attributes").write_text("* diff=evil filter=evil\n")

    pull = await state_now(forge)

    assert not trace.exists()
    assert (pull.state, pull.merge_commit) == (PullState.MERGED, brought_by)
    run(repository, "diff", "main^", "main")
    assert trace.exists()  # the trap works


async def test_a_forge_that_only_reads_tells_the_state_and_writes_nothing(forge: LocalForge, repository: Path) -> None:
    pushed = fix(repository)
    head = (await opened(forge, repository)).head_commit
    run(repository, "branch", "-D", BRANCH)
    before = sorted((repository / ".git").rglob("*"))
    reader = LocalForge(repository, base="main", author=AUTHOR, read_only=True)

    assert (await state_now(reader)).state is PullState.CLOSED
    with pytest.raises(ForgeError, match="only read"):
        await reader.push(pushed)
    with pytest.raises(ForgeError, match="only read"):
        await reader.open(proposal(head))

    assert sorted((repository / ".git").rglob("*")) == before


# --- open ----------------------------------------------------------------------------------------------


async def test_an_opened_pull_request_is_read_back_whole(forge: LocalForge, repository: Path) -> None:
    pull = await opened(forge, repository)

    assert pull == PullRequest(
        number=1,
        finding_id="0123456789ab",
        fingerprints=("0123456789abcdef", "fedcba9876543210"),
        title="Count right ü now",
        branch=BRANCH,
        url=f"file://{repository}#{BRANCH}",
        state=PullState.OPEN,
        draft=True,
        checks=ChecksState.PASSING,
        head_commit=run(repository, "rev-parse", BRANCH),
        opened_at=OPENED,
    )
    assert await LocalForge(repository, base="main", author=AUTHOR).pull_requests(SEEN) == [pull]
    assert run(repository, "show", "refs/selfimprover/pulls/1:body.md") == "Why\n\nBecause."
    assert '"assignee": "someone"' in run(repository, "show", "refs/selfimprover/pulls/1:pull.json")


async def test_a_process_that_died_after_push_or_open_finds_its_own_again(forge: LocalForge, repository: Path) -> None:
    first = await opened(forge, repository)
    again = await opened(LocalForge(repository, base="main", author=AUTHOR), repository)

    assert again == first
    assert len(await forge.pull_requests(SEEN)) == 1


async def test_two_processes_at_once_open_one_pull_request(forge: LocalForge, repository: Path) -> None:
    head = await forge.push(fix(repository))
    others = [LocalForge(repository, base="main", author=AUTHOR) for _ in range(4)]

    pulls = await asyncio.gather(*(other.open(proposal(head)) for other in others))

    assert {pull.number for pull in pulls} == {1}
    assert len(await forge.pull_requests(SEEN)) == 1


async def test_a_number_never_means_two_things(forge: LocalForge, repository: Path) -> None:
    commit(repository, {"a": "1"}, "Mention #90 in passing")
    commit(repository, {"a": "2"}, "Merge pull request #7 from a/b\n\n(#80)")
    commit(repository, {"a": "3"}, "Add a thing (#11)")
    commit(repository, {"a": "4"}, "Not a number (#99999999999)")

    first = await opened(forge, repository)
    branch = f"{BRANCH}-g2"
    second = await forge.open(proposal(await forge.push(fix(repository, branch=branch)), branch))

    assert (first.number, second.number) == (12, 13)
    assert [pull.number for pull in await forge.pull_requests(SEEN)] == [12, 13]


async def test_nothing_is_opened_for_a_branch_that_somebody_moved(forge: LocalForge, repository: Path) -> None:
    head = await forge.push(fix(repository))
    run(repository, "branch", "-f", BRANCH, "main")

    with pytest.raises(ConflictError, match="not as it was pushed"):
        await forge.open(proposal(head))


async def test_a_broken_record_is_named_with_its_remedy(forge: LocalForge, repository: Path) -> None:
    await opened(forge, repository)
    for name, text in (("pull.json", '{"number": []}'), ("x", "")):
        made = commit(repository, {name: text})
        run(repository, "update-ref", "refs/selfimprover/pulls/1", made)
        with pytest.raises(ForgeError, match=r"refs/selfimprover/pulls/1 cannot be read.*git log"):
            await forge.pull_requests(SEEN)


# --- what became of it ---------------------------------------------------------------------------------


async def state_now(forge: LocalForge, seen_at: datetime = SEEN) -> PullRequest:
    return (await forge.pull_requests(seen_at))[-1]


def _merge_commit(repository: Path) -> str:
    run(repository, "merge", "-q", "--no-ff", "-m", "merge", BRANCH)
    return run(repository, "rev-parse", "HEAD")


def _squash(repository: Path) -> str:
    run(repository, "merge", "-q", "--squash", BRANCH)
    return commit(repository, {}, "squashed")


def _squash_with_more(repository: Path) -> str:
    run(repository, "merge", "-q", "--squash", BRANCH)
    return commit(repository, {"other.py": "x = 2\n"}, "squashed with more")


def _rebase(repository: Path) -> str:
    commit(repository, {"mail.py": TEXT.replace("line 30", "line thirty")}, "same file, elsewhere")
    run(repository, "cherry-pick", BRANCH)
    return run(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("way", [_merge_commit, _squash, _squash_with_more, _rebase])
@pytest.mark.parametrize("cleanup", [True, False])
async def test_a_merge_is_seen_with_its_commit_and_date_however_it_was_made(
    forge: LocalForge, repository: Path, way: Callable[[Path], str], cleanup: bool
) -> None:
    await opened(forge, repository)
    commit(repository, {"other.py": "x = 3\n"}, "meanwhile", OPENED + timedelta(hours=1))
    brought_by = way(repository)
    commit(repository, {"mail.py": "rewritten since\n"}, "later", MERGED + timedelta(hours=1))
    if cleanup:
        run(repository, "branch", "-D", BRANCH)
        run(repository, "reflog", "expire", "--expire=now", "--all")
        run(repository, "gc", "-q", "--prune=now")

    pull = await state_now(forge)

    assert (pull.state, pull.merge_commit, pull.merged_at) == (PullState.MERGED, brought_by, MERGED)
    assert await state_now(forge, LATER) == pull


async def test_a_fast_forward_is_dated_when_it_is_first_seen(forge: LocalForge, repository: Path) -> None:
    await opened(forge, repository)
    run(repository, "merge", "-q", "--ff-only", BRANCH)
    commit(repository, {"other.py": "x = 3\n"})
    run(repository, "branch", "-D", BRANCH)

    pull = await state_now(forge)

    assert (pull.state, pull.merge_commit, pull.merged_at) == (PullState.MERGED, pull.head_commit, SEEN)
    assert await state_now(forge, LATER) == pull


async def test_a_merge_date_lies_between_the_opening_and_now(forge: LocalForge, repository: Path) -> None:
    await opened(forge, repository)
    run(repository, "merge", "-q", "--no-ff", "-m", "merge", BRANCH, date=LATER)

    assert (await state_now(forge)).merged_at == SEEN


async def test_what_people_added_to_the_branch_counts_as_part_of_it(forge: LocalForge, repository: Path) -> None:
    await opened(forge, repository)
    run(repository, "checkout", "-q", BRANCH)
    tip = commit(repository, {"other.py": "reviewed\n"})
    run(repository, "checkout", "-q", "main")
    assert (await state_now(forge)).head_commit == tip
    brought_by = _squash(repository)
    run(repository, "branch", "-D", BRANCH)

    pull = await state_now(forge)

    assert (pull.state, pull.merge_commit) == (PullState.MERGED, brought_by)


async def test_a_deleted_branch_is_closed_and_never_pushed_again(forge: LocalForge, repository: Path) -> None:
    pushed = fix(repository)
    await opened(forge, repository)
    commit(repository, {"mail.py": "rewritten\n"})
    run(repository, "branch", "-D", BRANCH)
    with pytest.raises(ConflictError, match="deleted by somebody"):
        await forge.push(pushed)

    pull = await state_now(forge)

    assert (pull.state, pull.closed_at, pull.merged_at) == (PullState.CLOSED, SEEN, None)
    assert await state_now(forge, LATER) == pull
    assert await forge.open(proposal(pull.head_commit)) == pull


async def test_unrelated_work_on_the_base_merges_nothing(forge: LocalForge, repository: Path) -> None:
    await opened(forge, repository)
    commit(repository, {"mail.py": TEXT.replace("line 3\n", "line 3!\n")})
    commit(repository, {"other.py": "x = 3\n"})
    assert (await state_now(forge)).state is PullState.OPEN


@pytest.mark.parametrize("onto", ["main", "main~1", "main~2"])
async def test_a_branch_set_back_onto_the_base_is_not_merged(forge: LocalForge, repository: Path, onto: str) -> None:
    pull = await opened(forge, repository)
    commit(repository, {"other.py": "x = 3\n"})
    commit(repository, {"other.py": "x = 4\n"})
    run(repository, "branch", "-f", BRANCH, onto)

    assert await state_now(forge) == pull
    assert await state_now(forge, LATER) == pull


async def test_a_branch_that_somebody_amended_is_merged_all_the_same(forge: LocalForge, repository: Path) -> None:
    await opened(forge, repository)
    run(repository, "checkout", "-q", BRANCH)
    (repository / "mail.py").write_text(FIXED.replace("line three", "line 003"))
    run(repository, "commit", "-q", "-a", "--amend", "-m", "amended")
    run(repository, "checkout", "-q", "main")
    brought_by = _merge_commit(repository)

    pull = await state_now(forge)

    assert (pull.state, pull.merge_commit) == (PullState.MERGED, brought_by)


async def test_a_base_without_common_history_merges_nothing(forge: LocalForge, repository: Path) -> None:
    await opened(forge, repository)
    run(repository, "checkout", "-q", "--orphan", "fresh")
    commit(repository, {"mail.py": FIXED})
    run(repository, "branch", "-f", "main", "fresh")

    assert (await state_now(forge)).state is PullState.OPEN


# --- versions ------------------------------------------------------------------------------------------


async def test_contains_tells_what_a_version_of_the_code_had(forge: LocalForge, repository: Path) -> None:
    first = run(repository, "rev-parse", "main")
    second = commit(repository, {"other.py": "x = 3\n"})

    assert await forge.contains(second, first) is True
    assert await forge.contains(second[:9], first) is True
    assert await forge.contains(first, second) is False


@pytest.mark.parametrize("version", ["", "main", "v1.2", "--all", "1" * 40, "abcdef0", "HEAD~1", "$(id)", "x" * 9999])
async def test_a_version_that_names_no_commit_is_unknown(forge: LocalForge, repository: Path, version: str) -> None:
    first = run(repository, "rev-parse", "main")
    run(repository, "branch", "abcdef0")
    tree = run(repository, "rev-parse", "main^{tree}")

    assert await forge.contains(version, first) is None
    assert await forge.contains(tree, first) is None
    assert await forge.contains(first, "1" * 40) is None


# --- what can be wrong ---------------------------------------------------------------------------------


async def test_a_repository_that_cannot_be_used_says_why(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "empty").mkdir()
    run(tmp_path / "empty", "init", "-q")
    run(repository, "branch", "work")
    expected = {
        tmp_path / "absent": r"no such folder \(mend projects.repository.path",
        tmp_path / "plain": "not a git repository",
        tmp_path / "empty": "the repository is empty",
        repository: r'there is no branch trunk, only main, work \(set projects.repository.base = "…"\)',
    }
    for folder, message in expected.items():
        with pytest.raises(ForgeError, match=message):
            await LocalForge(folder, base="trunk", author=AUTHOR).base_commit()


async def test_a_missing_git_says_so(forge: LocalForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ForgeError, match="git is not installed"):
        await forge.base_commit()


async def test_an_author_without_address_says_how_to_write_one(repository: Path) -> None:
    forge = LocalForge(repository, base="main", author="selfimprover")
    head = await forge.push(fix(repository))

    with pytest.raises(ForgeError, match=r'"Name <address>"'):
        await forge.open(proposal(head))
