"""Copies a folder: plain files, folders and links with their modes, and nothing else.

Where the filesystem can share blocks between files (ioctl_ficlone(2): btrfs, xfs), it does.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_FICLONE = 0x40049409
_CANNOT_SHARE = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM})
_AT_ONCE = 1 << 20


def copy_tree(source: Path, target: Path, *, without: Iterable[str] = ()) -> None:
    """Copies what is beneath ``source`` into the new folder ``target``.

    Entries named in ``without`` are left out at any depth; so are pipes, sockets and devices. Links are copied as
    links, wherever they lead, and never followed.
    """
    _Copier(frozenset(without)).folder(str(source), str(target), os.stat(source).st_mode)


class _Copier:
    """One copy; it remembers whether blocks can be shared, so that this is found out once."""

    def __init__(self, without: frozenset[str]) -> None:
        self._without = without
        self._shares = True

    def folder(self, source: str, target: str, mode: int) -> None:
        os.mkdir(target, 0o700)
        with os.scandir(source) as entries:
            for entry in entries:
                if entry.name not in self._without:
                    self._entry(entry, f"{target}/{entry.name}")
        os.chmod(target, stat.S_IMODE(mode) | stat.S_IRWXU)  # tests could not run in a folder that is read-only

    def _entry(self, entry: "os.DirEntry[str]", target: str) -> None:
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir(follow_symlinks=False):
            self.folder(entry.path, target, entry.stat(follow_symlinks=False).st_mode)
        elif entry.is_file(follow_symlinks=False):
            self._file(entry.path, target)

    def _file(self, source: str, target: str) -> None:
        # O_NOFOLLOW, O_NONBLOCK: it may have become a link or a pipe since it was listed
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(reading)
            writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                self._content(reading, writing, found.st_size)
                os.fchmod(writing, stat.S_IMODE(found.st_mode) & 0o777)  # no setuid bit gets into a copy
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def _content(self, reading: int, writing: int, size: int) -> None:
        if size and self._shares and self._shared(reading, writing):
            return
        if size > _AT_ONCE:
            _by_kernel(reading, writing)
        while chunk := os.read(reading, _AT_ONCE):
            _write(writing, chunk)

    def _shared(self, reading: int, writing: int) -> bool:
        try:
            fcntl.ioctl(writing, _FICLONE, reading)
        except OSError as error:
            if error.errno not in _CANNOT_SHARE:
                raise
            self._shares = False
        return self._shares


def _by_kernel(reading: int, writing: int) -> None:
    """As much as copy_file_range(2) copies; both positions move with it, so that the rest can be read and written."""
    try:
        while os.copy_file_range(reading, writing, 1 << 30):
            pass
    except OSError as error:
        if error.errno not in _CANNOT_SHARE:
            raise


def _write(writing: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(writing, left) :]
