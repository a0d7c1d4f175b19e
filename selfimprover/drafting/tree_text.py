"""The text files of a tree, as an answer names them: exactly, and never outside."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from selfimprover import edits
from selfimprover.drafting.recipes import source
from selfimprover.errors import RefusedError

MAX_BYTES = 1_000_000
_MAX_ENTRIES = 100_000
_LEFT_OUT = frozenset({".git", "__pycache__", "node_modules", "site-packages", ".venv", "venv"})
_NAMED = 3


def read_text(tree: Path, path: str) -> str | None:
    """The text of a file, every byte of it; ``None`` if there is none of this name.

    Raises ``RefusedError``, in words for the model, if the path is not plain or the file is no small UTF-8 text.
    """
    edits.check_path(path)
    place = tree
    for part in path.split("/"):
        if place.is_symlink():
            break
        place = place / part
    if not os.path.lexists(place):
        _refuse_twins(tree, path)
        return None
    if place.is_file() and not place.is_symlink() and place.stat().st_size > MAX_BYTES:
        raise RefusedError(f"{path} is larger than {MAX_BYTES} bytes: it cannot be changed here")
    text = source.read(tree, path).text
    if "\0" in text:
        raise RefusedError(f"{path} is not text: it has NUL bytes")
    return text


def of_the_same_name(tree: Path, path: str) -> tuple[str, ...]:
    """Files of the tree that have the last name of ``path``, the nearest to the root first."""
    name = path.replace("\\", "/").rpartition("/")[2]
    found = [one for one in _paths(tree) if one.rpartition("/")[2] == name]
    return tuple(sorted(found, key=lambda one: (one.count("/"), one))[:_NAMED])


def _paths(tree: Path) -> Iterator[str]:
    entries = 0
    for folder, subfolders, names in os.walk(tree):
        subfolders[:] = sorted(one for one in subfolders if one not in _LEFT_OUT)
        entries += len(names) + len(subfolders)
        if entries > _MAX_ENTRIES:
            return
        for name in names:
            yield (Path(folder) / name).relative_to(tree).as_posix()


def _refuse_twins(tree: Path, path: str) -> None:
    """Refuses a new path that some file systems cannot tell from one that is there."""
    folder = tree
    for part in path.split("/"):
        if not folder.is_dir():
            raise RefusedError(f"{path} cannot be: {folder.name} is no folder")
        if os.path.lexists(folder / part):
            folder = folder / part
            continue
        twins = [one for one in sorted(path.name for path in folder.iterdir()) if _folded(one) == _folded(part)]
        if twins:
            raise RefusedError(f"there is no {path}; the name of {twins[0]!r} differs in capitals or form only")
        return


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
