"""Writes the tree of a downloaded archive, as ``git.export_tree`` writes that of a local commit.

- Only regular files and folders are written, beneath the target and without the archive's top folder. Files keep their
  executable bit; modes do not depend on the umask. Names keep their bytes, whatever encoding they are in.
- Symbolic links are made last, so that nothing is written through one, and only if they stay inside; others are skipped
  with a note. So are hard links, devices and FIFOs, which no git tree has.
- The archive as a whole is refused if a path is a trick (absolute, ``..``, ``.git`` in any case, NUL, too long), if two
  entries have one name or one lies beneath a file, and if a limit is passed. Names that differ in case only are two
  files where the file system can tell them apart, and an error where it cannot.
"""

import contextlib
import os
import shutil
import tarfile
import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from selfimprover.errors import ForgeError
from selfimprover.forges.github.tar_stream import Entry, Limits, StopUnpacking, TarStream

_LONGEST_NAME = 255
_LONGEST_PATH = 4096
_FILES = {tarfile.REGTYPE, tarfile.AREGTYPE}
_KINDS = {tarfile.LNKTYPE: "a hard link", tarfile.FIFOTYPE: "a FIFO"}
_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Unpacked:
    """How many regular ``files`` were written, and what was left out: one sentence each in ``skipped``."""

    files: int
    skipped: tuple[str, ...] = ()


def unpack(archive: Path, into: Path, *, limits: Limits = _DEFAULT, stop: threading.Event | None = None) -> Unpacked:
    """Blocking: writes the files of ``archive`` (tar.gz) beneath the empty or absent folder ``into``.

    Raises ``BadArchiveError`` for an archive that is not used, ``ForgeError`` for a folder that is not empty and files
    that cannot be written. After an error or a ``stop`` the folder is empty.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        if any(into.iterdir()):
            raise ForgeError("the folder to unpack into is not empty", where=str(into))
        try:
            with archive.open("rb") as file:
                return _Writer(into, limits).write(TarStream(archive, file, limits, stop))
        except StopUnpacking:
            _empty(into)
            return Unpacked(0)
        except BaseException:
            _empty(into)
            raise
    except OSError as error:
        what = f"the archive cannot be unpacked: {error.strerror}"
        raise ForgeError(what, where=str(error.filename or into)) from error


class _Writer:
    """The tree while it grows. ``_made`` has every path, with whether it is a folder."""

    def __init__(self, into: Path, limits: Limits) -> None:
        self._into = into
        self._limits = limits
        self._top: str | None = None
        self._made: dict[PurePosixPath, bool] = {}
        self._links: list[tuple[PurePosixPath, str]] = []
        self._skipped: list[str] = []
        self._files = 0

    def write(self, stream: TarStream) -> Unpacked:
        for entry in stream.entries():
            self._write_entry(entry, stream)
        if self._top is None:
            raise stream.bad("it is empty")
        for path, target in self._links:
            self._write_link(path, target)
        self._drop_escaping_links()
        return Unpacked(self._files, tuple(self._skipped))

    def _write_entry(self, entry: Entry, stream: TarStream) -> None:
        path = self._path(entry, stream)
        if path is None:
            return
        if entry.kind == tarfile.DIRTYPE:
            self._folder(path, stream)
            return
        self._folder(path.parent, stream)
        if path in self._made:
            raise stream.bad("two entries have one name")
        if entry.kind in _FILES:
            self._made[path] = False
            self._write_file(path, entry, stream)
        elif entry.kind == tarfile.SYMTYPE:
            self._made[path] = False
            self._links.append((path, entry.link))
        else:
            self._skip(path, _KINDS.get(entry.kind, "a device"))

    def _path(self, entry: Entry, stream: TarStream) -> PurePosixPath | None:
        """Where beneath the target the entry belongs, ``None`` for the top folder itself."""
        top, *parts = entry.name.removesuffix("/").split("/")
        tricks = {"", ".", ".."}
        if top in tricks or any(part in tricks or part.lower() in {".git", "git~1"} for part in parts):
            raise stream.bad(f"it has a path that is not safe to write: {entry.name[:200]!r}")
        sizes = [len(os.fsencode(part)) for part in parts]
        if "\0" in entry.name or max(sizes, default=0) > _LONGEST_NAME or sum(sizes) + len(sizes) > _LONGEST_PATH:
            raise stream.bad(f"it has a path that cannot be written: {entry.name[:200]!r}")
        if self._top not in {None, top} or not (parts or entry.kind == tarfile.DIRTYPE):
            raise stream.bad("it is not one folder with everything in it")
        self._top = top
        return PurePosixPath(*parts) if parts else None

    def _folder(self, path: PurePosixPath, stream: TarStream) -> None:
        for folder in (*reversed(path.parents), path):
            if folder == PurePosixPath() or self._made.get(folder):
                continue
            if folder in self._made:
                raise stream.bad("it has an entry beneath a file")
            if len(self._made) >= self._limits.entries:
                raise stream.too_large(f"it has more than {self._limits.entries} entries")
            (self._into / folder).mkdir()
            (self._into / folder).chmod(0o755)
            self._made[folder] = True

    def _write_file(self, path: PurePosixPath, entry: Entry, stream: TarStream) -> None:
        with (self._into / path).open("xb") as file:
            for piece in stream.content():
                file.write(piece)
            os.fchmod(file.fileno(), 0o755 if entry.executable else 0o644)
        self._files += 1

    def _write_link(self, path: PurePosixPath, target: str) -> None:
        inside = os.path.normpath(path.parent / target)
        if not target or target.startswith("/") or inside.split("/")[0] == "..":
            self._skip(path, "a link that leads outside")
        elif "\0" in target or len(os.fsencode(target)) >= _LONGEST_PATH:
            self._skip(path, "a link that leads nowhere")
        else:
            (self._into / path).symlink_to(target)

    def _drop_escaping_links(self) -> None:
        """Links that leave the tree only through other links show when all of them are there."""
        root = self._into.resolve()
        for path, _ in self._links:
            link = self._into / path
            if link.is_symlink() and not Path(os.path.realpath(link)).is_relative_to(root):
                link.unlink()
                self._skip(path, "a link that leads outside")

    def _skip(self, path: PurePosixPath, what: str) -> None:
        self._skipped.append(f"{os.fsencode(path).decode('utf-8', 'replace')[:200]!r} is {what}")


def _empty(folder: Path) -> None:
    """What cannot be removed stays: the error that led here says more."""
    with contextlib.suppress(OSError):
        for one in folder.iterdir():
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one, ignore_errors=True)
            else:
                one.unlink()
