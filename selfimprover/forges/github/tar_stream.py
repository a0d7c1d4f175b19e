"""Reads the entries of a ``tar.gz`` one after the other, with bounded memory, and believes nothing that it says.

``tarfile`` reads extended headers whole, whatever size they claim, and knows kinds of entries that no ``git archive``
writes; so only its reader of single headers is used here.
"""

import gzip
import os
import tarfile
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from selfimprover.forges.github.errors import TOO_LARGE, BadArchiveError

_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
_LONGEST_HEADER = 1 << 20
_LENGTH_DIGITS = 20
_ABOUT_ENTRIES = {"path", "linkpath", "size"}
_DATA = {tarfile.REGTYPE, tarfile.AREGTYPE}
_NO_DATA = {tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE}
_EXTENDED = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may grow to: ``entries`` (folders and skipped ones count), bytes in all and of one file.

    ``ratio`` is how many times its packed size an archive may have that unpacks to more than ``free`` bytes.
    """

    entries: int = 200_000
    total: int = 4 << 30
    one_file: int = 1 << 30
    ratio: int = 200
    free: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: ``kind`` is tar's letter, ``name`` and ``link`` are decoded like every path of this system."""

    kind: bytes
    name: str
    link: str
    size: int
    executable: bool


class StopUnpacking(Exception):  # noqa: N818  (no error: somebody asked for it)
    """A stop was asked for."""


class TarStream:
    """The entries of ``archive``; ``content`` reads that of the newest one. Raises ``BadArchiveError``."""

    def __init__(self, archive: Path, file: BinaryIO, limits: Limits, stop: threading.Event | None) -> None:
        self._where = archive.name
        self._packed = os.fstat(file.fileno()).st_size
        self._limits = limits
        self._stop = stop
        self._plain = gzip.GzipFile(fileobj=file, mode="rb")
        self._read_so_far = 0
        self._left = 0
        self._padding = 0

    def entries(self) -> Iterator[Entry]:
        """Every entry, without extended headers. What was not read of an entry's content is skipped."""
        extra: dict[str, str] = {}
        count = 0
        while (info := self._header()) is not None:
            count += 1
            if count > self._limits.entries:
                raise self.too_large(f"it has more than {self._limits.entries} entries")
            if info.type in _EXTENDED:
                extra |= self._extension(info)
                continue
            entry = self._entry(info, extra)
            extra = {}
            self._left, self._padding = entry.size, -entry.size % _BLOCK
            yield entry
            for _ in self.content():
                pass
            self._exactly(self._padding)
        if extra:
            raise self.bad("it ends in the middle of an entry")
        while self._some(_CHUNK):  # the checksum stands at the very end
            pass

    def content(self) -> Iterator[bytes]:
        """The rest of the newest entry's content, in pieces."""
        while self._left:
            piece = self._some(min(self._left, _CHUNK))
            if not piece:
                raise self.bad("it ends in the middle of a file")
            self._left -= len(piece)
            yield piece

    def bad(self, why: str, mend: str = "the next night fetches it anew") -> BadArchiveError:
        """The error for an archive that is not used."""
        return BadArchiveError(f"the archive of the repository is not used: {why}", where=self._where, mend=mend)

    def too_large(self, why: str) -> BadArchiveError:
        """The error for an archive that passes a limit."""
        return self.bad(why, TOO_LARGE)

    def _header(self) -> tarfile.TarInfo | None:
        block = self._exactly(_BLOCK)
        if not any(block):
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.TarError, ValueError) as error:
            raise self.bad("it has a broken header") from error
        if info.type not in _DATA | _NO_DATA | _EXTENDED:
            raise self.bad("it has an entry of a kind that git does not write")
        return info

    def _entry(self, info: tarfile.TarInfo, extra: dict[str, str]) -> Entry:
        if any(key.startswith("GNU.sparse") for key in extra):
            raise self.bad("it has an entry of a kind that git does not write")
        size = extra.get("size", str(info.size))
        if not (size.isascii() and size.isdecimal() and len(size) <= len(str(1 << 63))):
            raise self.bad("it has an entry of an impossible size")
        entry = Entry(info.type, extra.get("path", info.name), extra.get("linkpath", info.linkname), int(size), False)
        if entry.size and info.type not in _DATA:
            raise self.bad("it has an entry of an impossible size")
        if entry.size > self._limits.one_file:
            raise self.too_large(f"a file in it is larger than {self._limits.one_file >> 20} MiB")
        return replace(entry, executable=bool(info.mode & 0o100))

    def _extension(self, info: tarfile.TarInfo) -> dict[str, str]:
        """What an extended header says of the next entry. A global one of git says the commit only."""
        if not 0 <= info.size <= _LONGEST_HEADER:
            raise self.bad("it has a header of an impossible size")
        data = self._exactly(info.size + -info.size % _BLOCK)[: info.size]
        if info.type == tarfile.GNUTYPE_LONGNAME:
            return {"path": os.fsdecode(data.rstrip(b"\0"))}
        if info.type == tarfile.GNUTYPE_LONGLINK:
            return {"linkpath": os.fsdecode(data.rstrip(b"\0"))}
        records = self._records(data)
        if info.type == tarfile.XHDTYPE:
            return records
        if _ABOUT_ENTRIES & set(records):
            raise self.bad("it has a header that git does not write")
        return {}

    def _records(self, data: bytes) -> dict[str, str]:
        """Lines of ``LENGTH KEY=VALUE``, where the length is that of the whole line.

        https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03
        """
        found, here = {}, 0
        while here < len(data):
            digits, space, _ = data[here : here + _LENGTH_DIGITS].partition(b" ")
            length = int(digits) if space and digits.isdigit() else 0
            key, equals, value = data[here + len(digits) + 1 : here + length - 1].partition(b"=")
            if length <= len(digits) + 1 or not equals or data[here + length - 1 : here + length] != b"\n":
                raise self.bad("it has a broken header")
            found[os.fsdecode(key)] = os.fsdecode(value)
            here += length
        return found

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._some(size - len(data))
            if not piece:
                raise self.bad("it ends too early")
            data += piece
        return data

    def _some(self, most: int) -> bytes:
        if self._stop is not None and self._stop.is_set():
            raise StopUnpacking
        try:
            piece = self._plain.read(most)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise self.bad("it is cut off or damaged") from error
        self._read_so_far += len(piece)
        if self._read_so_far > self._limits.total:
            raise self.too_large(f"it unpacks to more than {self._limits.total >> 20} MiB")
        if self._read_so_far > max(self._limits.free, self._limits.ratio * self._packed):
            raise self.too_large(f"it unpacks to more than {self._limits.ratio} times its size")
        return piece
