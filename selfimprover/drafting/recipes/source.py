"""The files of a project, read exactly: every newline, tab and byte-order mark survives.

A file that is not plain UTF-8 text inside the tree is refused, never guessed at.
"""

import io
import os
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from selfimprover.drafting.hidden import agrees
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame

BYTE_ORDER_MARK = "\ufeff"
_MAX_BYTES = 1_000_000
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_TEST_FOLDERS = frozenset({"test", "tests"})
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class SourceFile:
    """A Python file of the tree: its POSIX path from the root, and its whole text."""

    path: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines as Python counts them, without their newlines."""
        return tuple(_NEWLINE.split(self.text.removeprefix(BYTE_ORDER_MARK)))

    def shows(self, line: int, shown: str) -> bool:
        """Whether line ``line`` (from 1) is the one that a traceback showed, redacted or not."""
        return 1 <= line <= len(self.lines) and agrees(self.lines[line - 1].strip(), shown)


def read(tree: Path, path: str) -> SourceFile:
    """The file at ``path``; raises ``RefusedError`` if it is no plain UTF-8 file inside the tree."""
    _refuse_strange_paths(tree, path)
    raw = (tree / path).read_bytes()
    if len(raw) > _MAX_BYTES:
        raise RefusedError(f"{path} is larger than {_MAX_BYTES} bytes")
    if raw.startswith(_LFS_POINTER):
        raise RefusedError(f"{path} is only a pointer of Git LFS, without the content")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = raw.decode("utf-8")
    except (SyntaxError, UnicodeDecodeError):
        raise RefusedError(f"{path} is not UTF-8 text") from None
    if encoding not in {"utf-8", "utf-8-sig"}:
        raise RefusedError(f"{path} declares the encoding {encoding}, not UTF-8")
    return SourceFile(path, text)


def python_paths(tree: Path) -> Iterator[str]:
    """Every Python file of the tree as a POSIX path, sorted; hidden folders and installed packages are left out."""
    for folder, subfolders, names in os.walk(tree, followlinks=False):
        subfolders[:] = sorted(name for name in subfolders if name not in _SKIPPED_FOLDERS and name[0] != ".")
        for name in sorted(names):
            if name.endswith(".py"):
                yield (Path(folder) / name).relative_to(tree).as_posix()


def mentioning(tree: Path, *words: str) -> Iterator[SourceFile]:
    """The files that hold at least one of the words, in any role; links are left out, their targets are not."""
    pattern = re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(word).encode() for word in words) + rb")(?!\w)")
    for path in python_paths(tree):
        file = tree / path
        if file.is_file() and not file.is_symlink() and pattern.search(file.read_bytes()):
            yield read(tree, path)


def is_test(path: str) -> bool:
    """Whether a file belongs to the project's tests, by its name or its folder."""
    parts = PurePosixPath(path).parts
    name = parts[-1]
    return (
        any(part in _TEST_FOLDERS for part in parts[:-1])
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
    )


def file_of(tree: Path, frame: Frame) -> SourceFile | None:
    """The file that a frame ran: the one whose path shares most trailing parts with it, or ``None``.

    Where several share as many, the one whose whole path is shared is the one.

    Raises ``RefusedError`` if several files fit equally well, or if the file cannot be read exactly.
    """
    wanted = PurePosixPath(frame.path.replace("\\", "/")).parts
    shared = {path: _shared_suffix(PurePosixPath(path).parts, wanted) for path in python_paths(tree)}
    longest = max(shared.values(), default=0)
    if longest == 0:
        return None
    best = [path for path, count in shared.items() if count == longest]
    whole = [path for path in best if len(PurePosixPath(path).parts) == longest]
    best = whole or best
    if len(best) > 1:
        raise RefusedError(f"the frame {frame.path}:{frame.line} fits several files: {', '.join(best)}")
    if frame.text is None and longest < len(PurePosixPath(best[0]).parts):
        return None
    return read(tree, best[0])


def _shared_suffix(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count


def _refuse_strange_paths(tree: Path, path: str) -> None:
    parts = PurePosixPath(path).parts
    if "`" in path or not path.isprintable():
        raise RefusedError("a file with a strange name is in the way")
    if not parts or ".." in parts or PurePosixPath(path).is_absolute():
        raise RefusedError(f"{path} lies outside the project's files")
    for depth in range(1, len(parts) + 1):
        if tree.joinpath(*parts[:depth]).is_symlink():
            raise RefusedError(f"{path} is reached by a symbolic link")
    if not tree.joinpath(*parts).is_file():
        raise RefusedError(f"{path} is no plain file")
