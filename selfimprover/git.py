"""Runs git on a repository that may be hostile: none of its hooks, filters, monitors or remotes takes part.

Only what git does with objects and refs is used; nothing here checks out, adds, or asks for a working tree. Settings
that name programs are overruled. Those of diff and filter drivers cannot be, for the repository chooses their names:
whoever asks for a diff says ``--no-ext-diff --no-textconv``, whoever hashes a file ``--no-filters``.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO

from selfimprover.errors import ForgeError

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",  # a split index would leave files in the repository
    "core.attributesFile=/dev/null",
    "i18n.commitEncoding=UTF-8",
    "log.showSignature=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "credential.helper=",  # the empty value takes back all helpers that were named before
    "safe.directory=*",  # a service often reads a repository that another account owns
)
# what else names a program; this one fails, and so says that something asked for it
_PROGRAM = "/bin/false"
_PROGRAMS = (
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.sshCommand",
    "diff.external",
    "gpg.program",
    "gpg.openpgp.program",
    "gpg.ssh.program",
    "gpg.ssh.defaultKeyCommand",
    "gpg.x509.program",
)
_OPTIONS = (
    "--no-replace-objects",
    "--literal-pathspecs",
    "--no-pager",
    *(part for one in _SETTINGS for part in ("-c", one)),
    *(part for name in _PROGRAMS for part in ("-c", f"{name}={_PROGRAM}")),
)
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_USERINFO = re.compile(rb"(?<=://)[^/\s@]+(?=@)")
_CHUNK = 1 << 20
_NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})


class GitError(ForgeError):
    """git refused or failed; ``returncode`` is its exit status, ``None`` if it did not run."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", returncode: int | None = None) -> None:
        super().__init__(what, where=where, mend=mend)
        self.returncode = returncode


async def git(
    repository: Path, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] = _NO_ENVIRONMENT
) -> bytes:
    """Runs ``git <arguments>`` in ``repository`` and returns what it wrote to stdout.

    Raises ``GitError`` if git is missing or fails. The folder itself must be the repository: none is sought above it.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(repository, arguments),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(repository, env),
            start_new_session=True,
        )
    except OSError as error:
        raise _cannot_start(repository, error) from error
    try:
        output, complaint = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        raise _failed(repository, arguments[0], process.returncode, complaint)
    return output


async def export_tree(repository: Path, commit: str, into: Path) -> None:
    """Writes the files of ``commit`` (hex) beneath the empty folder ``into``, byte for byte as they were committed.

    Regular files keep their executable bit. Symbolic links are made only if they stay inside ``into``; submodules are
    left out. Raises ``GitError`` if the commit is unknown, a path is a trick, or a file cannot be written.
    """
    if not _COMMIT.fullmatch(commit):
        raise GitError(f"not a commit id: {commit[:80]!r}", where=str(repository))
    listing = await git(repository, "ls-tree", "-r", "-z", "--full-tree", f"{commit}^{{tree}}")
    entries = _entries(listing, str(repository))
    stop = threading.Event()
    writing = asyncio.ensure_future(asyncio.to_thread(_write_tree, repository, entries, into, stop))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({writing})
        raise


def _command(repository: Path, arguments: tuple[str, ...]) -> list[str]:
    return ["git", "-C", str(repository), *_OPTIONS, *arguments]


def _environment(repository: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ALLOW_PROTOCOL": "",  # a partial clone would fetch what it misses by a command that its config names
        "GIT_CEILING_DIRECTORIES": str(repository.resolve().parent),
        **more,
    }


def _cannot_start(repository: Path, error: OSError) -> GitError:
    if isinstance(error, FileNotFoundError):
        return GitError("git is not installed", where=str(repository), mend="install git, or put it on PATH")
    return GitError(f"git cannot be started: {error.strerror}", where=str(repository))


def _failed(repository: Path, verb: str, returncode: int, complaint: bytes) -> GitError:
    lines = _USERINFO.sub(b"***", complaint).decode("utf-8", "replace").strip().splitlines()
    last = lines[-1][:300] if lines else f"exit status {returncode}"
    return GitError(f"git {verb}: {last}", where=str(repository), returncode=returncode)


# --- export --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    id: str
    path: PurePosixPath


def _entries(listing: bytes, where: str) -> list[_Entry]:
    """The files and links of ``ls-tree -r -z``, links last so that no file is ever written through one."""
    entries = []
    for line in listing.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, _, identity = head.decode("ascii").split(" ")
        if mode != "160000":
            entries.append(_Entry(mode, identity, _safe_path(path, where)))
    paths = {entry.path for entry in entries}
    if len(paths) < len(entries) or any(parent in paths for path in paths for parent in path.parents):
        raise GitError("the commit has two entries of one name", where=where, mend="run git fsck")
    return sorted(entries, key=lambda entry: entry.mode == "120000")


def _safe_path(raw: bytes, where: str) -> PurePosixPath:
    path = os.fsdecode(raw)
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.lower() in {".git", "git~1"} for part in parts):
        raise GitError(f"the commit has a path that is not safe to write: {path[:200]!r}", where=where)
    return PurePosixPath(path)


def _write_tree(repository: Path, entries: list[_Entry], into: Path, stop: threading.Event) -> None:
    """Blocking: streams one object after the other into its file."""
    try:
        into.mkdir(parents=True, exist_ok=True)
        with _object_reader(repository) as (requests, answers):
            for entry in entries:
                if stop.is_set():
                    return
                requests.write(f"{entry.id}\n".encode("ascii"))
                requests.flush()
                _write_entry(entry, into, _answer_size(answers, entry, str(repository)), answers)
        _drop_escaping_links(entries, into)
    except OSError as error:
        raise GitError(f"the files cannot be written: {error.strerror}", where=str(error.filename or into)) from error


@contextlib.contextmanager
def _object_reader(repository: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with subprocess.Popen(
        _command(repository, ("cat-file", "--batch")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(repository, _NO_ENVIRONMENT),
        start_new_session=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise GitError("git cat-file has no pipes", where=str(repository))
        try:
            yield process.stdin, process.stdout
        finally:
            process.kill()


def _answer_size(answers: IO[bytes], entry: _Entry, where: str) -> int:
    header = answers.readline().split()
    if len(header) != len(("id", "type", "size")) or header[1] != b"blob":
        raise GitError(
            f"the content of {entry.path} is missing", where=where, mend="run git fsck, or fetch what is missing"
        )
    return int(header[2])


def _write_entry(entry: _Entry, into: Path, size: int, answers: IO[bytes]) -> None:
    target = into / entry.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode == "120000":
        _write_link(entry.path, target, answers.read(size))
    else:
        with target.open("xb") as file:
            left = size
            while left and (chunk := answers.read(min(left, _CHUNK))):
                file.write(chunk)
                left -= len(chunk)
            if left:
                raise GitError(f"git ended in the middle of {entry.path}", where=str(into))
            os.fchmod(file.fileno(), 0o755 if entry.mode == "100755" else 0o644)
    answers.read(1)  # the newline after each object


def _write_link(path: PurePosixPath, target: Path, destination: bytes) -> None:
    if not destination or b"\0" in destination or destination.startswith(b"/"):
        return
    inside = os.path.normpath(path.parent / os.fsdecode(destination))
    if inside.split("/")[0] != "..":
        target.symlink_to(os.fsdecode(destination))


def _drop_escaping_links(entries: list[_Entry], into: Path) -> None:
    """Links that leave the tree only through other links show when all of them are there."""
    root = into.resolve()
    for entry in entries:
        link = into / entry.path
        if link.is_symlink() and not Path(os.path.realpath(link)).is_relative_to(root):
            link.unlink()
