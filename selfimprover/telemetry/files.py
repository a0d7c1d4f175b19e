"""Looks for SQLite files beneath a few folders, by their content and within bounds: the folders may be anybody's."""

import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#magic_header_string
_SKIPPED = frozenset(
    {
        *(".git", ".hg", ".svn", ".venv", "venv", "node_modules", "site-packages", "__pycache__"),
        *(".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox"),
    }
)
_DEPTH = 3
_MOST_ENTRIES = 20_000
_MOST_FILES = 50


def sqlite_files(folders: Iterable[Path]) -> list[Path]:
    """The SQLite files in ``folders`` and up to three levels beneath, nearest first; links are not followed.

    A file whose path is no Unicode text is left out: the configuration could not name it.
    """
    return list(islice((path for path in _files(folders) if _is_unicode(path) and _is_sqlite(path)), _MOST_FILES))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    waiting = deque((folder, 0) for folder in folders)
    seen: set[tuple[int, int]] = set()
    left = _MOST_ENTRIES
    while waiting and left > 0:
        folder, depth = waiting.popleft()
        entries = _entries(folder, left) if _first_time(folder, seen) else []
        left -= len(entries)
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            elif entry.is_dir(follow_symlinks=False) and depth < _DEPTH and entry.name not in _SKIPPED:
                waiting.append((Path(entry.path), depth + 1))


def _first_time(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """The current folder is often inside the repository, or the other way round."""
    try:
        found = folder.stat()
    except OSError:
        return False
    identity = (found.st_dev, found.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _entries(folder: Path, most: int) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(islice(entries, most), key=lambda entry: entry.name)
    except OSError:
        return []  # what this user may not see is not what is looked for


def _is_unicode(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_sqlite(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.read(descriptor, len(_MAGIC)) == _MAGIC
    except OSError:
        return False
    finally:
        os.close(descriptor)
