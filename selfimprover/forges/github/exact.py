"""Makes the files of an unpacked archive those of its commit.

GitHub makes archives as ``git archive`` does, which obeys ``.gitattributes``: files with *export-ignore* are left out,
and others get other line ends, another encoding or a commit id. A fix has to be made from what git has, and all of the
tests have to prove it.
"""

import asyncio
import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from selfimprover.errors import ForgeError
from selfimprover.forges.github.addresses import path
from selfimprover.forges.github.client import GitHub

_MODES = {"100644": 0o644, "100755": 0o755}
_MOST_FILES = 500
_LARGEST = 1_000_000
_CHUNK = 1 << 20
_POINTER = b"version https://git-lfs.github.com/spec/"
_TRICKS = frozenset({"", ".", "..", ".git", "git~1"})

log = structlog.get_logger()


async def make_exact(client: GitHub, repository: str, commit: str, tree: Path) -> None:
    """Brings in what the archive of ``commit``, unpacked in ``tree``, lacks or has otherwise.

    Only files of up to a megabyte, and no more than some hundred, code first; of a tree too large to be listed, none. A
    fix of a file that is still not as git has it is refused when it is published.
    """
    place = path("/repos/{+repo}/git/trees/{sha}", repo=repository, sha=commit)
    listing = (await client.get_once(place, recursive="1")).data
    if listing.get("truncated"):
        log.info("github.tree_not_compared", repository=repository)
        return
    try:
        wrong = await asyncio.to_thread(lambda: list(_differing(listing["tree"], tree)))
        await _fetch(client, repository, wrong, tree)
    except OSError as error:
        what = f"the files of the repository cannot be written: {error.strerror}"
        raise ForgeError(what, where=str(error.filename or tree), mend="make room there") from error


async def _fetch(client: GitHub, repository: str, wrong: Sequence[Mapping[str, Any]], tree: Path) -> None:
    code_first = sorted(wrong, key=lambda one: (not one["path"].endswith(".py"), one["size"]))
    for one in code_first[:_MOST_FILES]:
        place = path("/repos/{+repo}/git/blobs/{sha}", repo=repository, sha=one["sha"])
        content = base64.b64decode((await client.get(place)).data["content"])
        await asyncio.to_thread(_write, tree / one["path"], content, _MODES[one["mode"]])
    if wrong:
        log.info("github.archive_completed", repository=repository, files=len(code_first[:_MOST_FILES]))
    if left := len(code_first[_MOST_FILES:]):
        log.warning("github.archive_incomplete", repository=repository, files=left)


def _differing(entries: Sequence[Mapping[str, Any]], tree: Path) -> Iterator[Mapping[str, Any]]:
    """The plain files that are missing or others. Those with other line ends are set right at once."""
    for entry in entries:
        if entry["mode"] not in _MODES or entry.get("size", 0) > _LARGEST or not _is_plain(entry["path"], tree):
            continue
        file = tree / entry["path"]
        if not file.exists() or (_blob(file) != entry["sha"] and not _has_other_line_ends(file, entry["sha"])):
            yield entry


def _is_plain(name: str, tree: Path) -> bool:
    """Whether a path can be written beneath ``tree`` and through no link. Names in no encoding are left alone."""
    parts = name.split("/")
    if any(part.lower() in _TRICKS for part in parts) or {"\0", "\ufffd"} & set(name):
        return False
    steps = [tree.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    above = all(not step.is_symlink() and (step.is_dir() or not step.exists()) for step in steps[:-1])
    return above and not steps[-1].is_symlink() and (steps[-1].is_file() or not steps[-1].exists())


def _blob(file: Path) -> str:
    """The id that git gives to a file."""
    digest = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with file.open("rb") as content:
        while piece := content.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _has_other_line_ends(file: Path, wanted: str) -> bool:
    if file.stat().st_size > 2 * _LARGEST:
        return False
    plain = file.read_bytes().replace(b"\r\n", b"\n")
    if hashlib.sha1(b"blob %d\0" % len(plain) + plain, usedforsecurity=False).hexdigest() != wanted:
        return False
    file.write_bytes(plain)
    return True


def _write(file: Path, content: bytes, mode: int) -> None:
    """An archive may have the true content of a file that git itself knows by a pointer only: that is better."""
    if content.startswith(_POINTER) and file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
