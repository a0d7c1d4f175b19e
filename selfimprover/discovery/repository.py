"""What a git repository tells about itself. It may be anybody's, so it is asked through ``selfimprover.git`` alone."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfimprover.discovery.remotes import Remote, parse_remote
from selfimprover.errors import UsageError
from selfimprover.git import GitError, git

_USUAL = ("main", "master")
_MOST_BRANCHES = 10_000
_LARGEST = 256 * 1024
"""Bytes of a file that is read to learn how tests are run."""


@dataclass(frozen=True, slots=True)
class FoundRepository:
    """A repository, its branches, the one that fixes would go to, and where it came from."""

    folder: Path
    branches: tuple[str, ...]
    """Empty before the first commit."""
    base: str | None
    reason: str
    """Why ``base``."""
    remote: Remote | None


def nearest(folder: Path) -> Path | None:
    """The top folder of the repository that ``folder`` is in."""
    return next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None)


async def examine(folder: Path) -> FoundRepository:
    """Looks at the repository whose top (or bare) folder this is; raises ``UsageError`` if it is none."""
    if not await asyncio.to_thread(folder.is_dir):
        raise UsageError("there is no such folder", where=f"repository {folder}", mend="name a git repository")
    try:
        await git(folder, "rev-parse", "--git-dir")
        listed = await git(folder, "for-each-ref", f"--count={_MOST_BRANCHES}", "--format=%(refname)", "refs/heads")
    except GitError as error:
        raise _no_repository(folder, error) from error
    branches = tuple(_branch(line) for line in listed.splitlines())
    base, reason = await _base(folder, branches)
    url = await _line(folder, "config", "--get", "remote.origin.url")
    return FoundRepository(folder, branches, base, reason, parse_remote(url) if url else None)


async def files_of(folder: Path, branch: str, wanted: Callable[[Sequence[str]], Iterable[str]]) -> Mapping[str, str]:
    """The committed plain files of ``branch``: path → content for those that ``wanted`` chooses, else ``""``.

    Too large a file is empty too. Nothing is read through the working tree, whose links may lead anywhere.
    """
    try:
        listing = await git(folder, "ls-tree", "-r", "-z", "--full-tree", f"refs/heads/{branch}")
    except GitError:
        return {}  # before the first commit there are no files
    ids: dict[str, str] = {}
    for line in listing.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, _, identity = head.decode("ascii").split(" ")
        if mode.startswith("100"):  # no links, no submodules
            ids[path.decode("utf-8", "replace")] = identity
    texts = dict.fromkeys(ids, "")
    for chosen in wanted(tuple(ids)):
        texts[chosen] = await _content(folder, ids[chosen])
    return texts


def environment_of(folder: Path) -> Path | None:
    """The virtual environment in the working tree, if there is one."""
    places = (folder / name for name in (".venv", "venv"))
    return next((place for place in places if (place / "bin" / "python").exists()), None)


async def _base(folder: Path, branches: tuple[str, ...]) -> tuple[str | None, str]:
    there = set(branches)
    default = await _line(folder, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
    named = default.removeprefix("refs/remotes/origin/") if default else None
    if named in there:
        return named, "the default branch of origin"
    for usual in _USUAL:
        if usual in there:
            return usual, "the usual name"
    head = await _line(folder, "symbolic-ref", "--quiet", "HEAD")
    if head and head.startswith("refs/heads/"):
        return _branch(head.encode()), "the current branch" if there else "the current branch, without a commit yet"
    return (branches[0], "the first branch") if branches else (None, "")


async def _line(folder: Path, *arguments: str) -> str | None:
    """What git answers on one line; ``None`` where it has no answer."""
    try:
        return (await git(folder, *arguments)).decode("utf-8", "replace").removesuffix("\n")
    except GitError:
        return None


async def _content(folder: Path, identity: str) -> str:
    try:
        if int(await git(folder, "cat-file", "-s", identity)) > _LARGEST:
            return ""
        return (await git(folder, "cat-file", "blob", identity)).decode("utf-8", "replace")
    except GitError:
        return ""  # a partial clone does not have every file


def _branch(ref: bytes) -> str:
    return ref.decode("utf-8", "replace").removeprefix("refs/heads/")


def _no_repository(folder: Path, error: GitError) -> UsageError:
    above = nearest(folder)
    mend = error.mend or (f"name its top folder {above}" if above else "name a git repository, or run `git init` there")
    what = "it is no git repository" if "not a git repository" in error.what else error.what
    return UsageError(what, where=f"repository {folder}", mend=mend)
