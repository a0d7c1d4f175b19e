"""How a branch came onto the base of a local repository: merged, fast-forwarded, squashed or rebased.

A repository records none of this, so it is read from the history: from ancestry, and where a merge made new commits,
from their content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from selfimprover.git import GitError, git

_MAX_COMMITS = 1000
_MAX_PATHS = 500


@dataclass(frozen=True, slots=True)
class Merge:
    """The commit of the base that brought a branch; ``date`` is ``None`` where nothing dates the merge."""

    commit: str
    date: datetime | None


async def is_ancestor(repository: Path, ancestor: str, commit: str) -> bool:
    """Whether ``commit`` has ``ancestor`` in its history, or is it."""
    try:
        await git(repository, "merge-base", "--is-ancestor", ancestor, commit)
    except GitError as error:
        if error.returncode == 1:
            return False
        raise
    return True


async def find_merge(repository: Path, head: str, forked_from: str, base: str) -> Merge | None:
    """How ``head``, a branch that began at ``forked_from``, came onto ``base``; ``None`` if it did not."""
    if await is_ancestor(repository, head, forked_from):
        return None  # the branch has been emptied: there is nothing to merge
    if await is_ancestor(repository, head, base):
        return await _by_ancestry(repository, head, forked_from, base)
    return await _by_content(repository, head, base)


async def _by_ancestry(repository: Path, head: str, forked_from: str, base: str) -> Merge:
    """The first commit on the base's own line that has ``head``; once one has it, all later ones do."""
    line = await _commits(repository, "--first-parent", "--reverse", f"{forked_from}..{base}")
    low, high = 0, len(line) - 1
    while low < high:
        middle = (low + high) // 2
        if await is_ancestor(repository, head, line[middle]):
            high = middle
        else:
            low = middle + 1
    brought_by = line[low]
    # a fast-forward makes no commit: the date is the one that the branch's commit was given, not that of the merge
    return Merge(brought_by, None if brought_by == head else await _date(repository, brought_by))


async def _by_content(repository: Path, head: str, base: str) -> Merge | None:
    """The commit that left every path of the branch as the branch has it, or that made the same change to them."""
    try:
        fork = (await git(repository, "merge-base", head, base)).decode().strip()
    except GitError as error:
        if error.returncode == 1:
            return None  # no common history
        raise
    paths = await _changed_paths(repository, fork, head)
    if not 0 < len(paths) <= _MAX_PATHS:
        return None
    limits = ("--first-parent", f"--max-count={_MAX_COMMITS}")
    candidates = (await _commits(repository, *limits, f"{fork}..{base}", "--", *paths))[::-1]
    for commit in candidates:
        if not await _diff(repository, "--name-only", head, commit, "--", *paths):
            return Merge(commit, await _date(repository, commit))
    return await _by_same_change(repository, await _diff(repository, "-p", fork, head), candidates, paths)


async def _by_same_change(
    repository: Path, change: bytes, candidates: Sequence[str], paths: Sequence[str]
) -> Merge | None:
    wanted = set((await _patch_ids(repository, change)).values())
    asked = "".join(f"{commit}\n" for commit in candidates).encode("ascii")
    plain = ("--no-ext-diff", "--no-textconv", "--no-renames", "--diff-merges=first-parent")
    changes = await git(repository, "diff-tree", "--stdin", "-r", "-p", *plain, "--", *paths, stdin=asked)
    same = [commit for commit, patch in (await _patch_ids(repository, changes)).items() if patch in wanted]
    return Merge(same[0], await _date(repository, same[0])) if same else None


async def _patch_ids(repository: Path, changes: bytes) -> dict[str, str]:
    """Commit → id of its change, in the order of ``changes``."""
    listing = (await git(repository, "patch-id", "--stable", stdin=changes)).decode("ascii").splitlines()
    return {commit: patch for patch, commit in (line.split(" ") for line in listing)}


async def _changed_paths(repository: Path, fork: str, head: str) -> list[str]:
    listing = await _diff(repository, "--name-only", "-z", fork, head)
    return [path.decode("utf-8", "surrogateescape") for path in listing.split(b"\0")[:-1]]


async def _diff(repository: Path, *arguments: str) -> bytes:
    return await git(repository, "diff-tree", "-r", "--no-ext-diff", "--no-textconv", "--no-renames", *arguments)


async def _commits(repository: Path, *arguments: str) -> list[str]:
    return (await git(repository, "rev-list", *arguments)).decode("ascii").split()


async def _date(repository: Path, commit: str) -> datetime:
    shown = await git(repository, "rev-list", "--no-walk", "--format=%ct", commit)
    return datetime.fromtimestamp(int(shown.split()[-1]), UTC)
