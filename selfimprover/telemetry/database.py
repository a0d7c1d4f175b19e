"""Opens somebody else's SQLite file for reading: never writes, never waits on something that is not a file.

A WAL database that its writer closed has no journal beside it. To read it in the usual way makes one, which stays there
and may belong to another user than the writer; so it is read as a file that nobody writes to, and read again if
somebody did.

The rules about modes and journals: https://www.sqlite.org/uri.html and https://www.sqlite.org/wal.html#read_only_databases
"""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiosqlite

from selfimprover.errors import TelemetryError

_EXPLANATIONS = {
    sqlite3.SQLITE_BUSY: (
        "the database is locked by another process",
        "end what holds an exclusive lock on it, or let the next night read it",
    ),
    sqlite3.SQLITE_NOTADB: ("the file is not an SQLite database", "let `path` name the assistant's SQLite file"),
    sqlite3.SQLITE_CORRUPT: (
        "the database is damaged",
        "put back a good copy of it, or save what is left with the `.recover` command of sqlite3",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the database cannot be opened",
        "let this user read the file, its -wal and -shm files and their folder",
    ),
    sqlite3.SQLITE_READONLY: (
        "the database is in WAL mode, and this user may not make the files that reading it needs",
        "let the assistant keep the database open, or let this user write to its folder",
    ),
    sqlite3.SQLITE_IOERR: ("the database cannot be read from its disk", "look at the disk and its mount"),
}
_PRIMARY = 0xFF  # https://www.sqlite.org/rescode.html: the low byte of an extended code
_MAX_QUOTE = 300
_LONGEST_PATH = 4096
_WAL = b"\2"
_READ_VERSION = 19  # https://www.sqlite.org/fileformat.html#file_format_version_numbers
_TRIES_AT_REST = 2
_Answer = TypeVar("_Answer")


def quoted(text: str, most: int = _MAX_QUOTE) -> str:
    """Foreign text for a message: on one line, without control characters, at most ``most`` long."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= most else f"{shown[:most]}…"


@dataclass(frozen=True, slots=True)
class _State:
    """What shows that nobody wrote to the file in between."""

    path: str
    file: tuple[int, int]
    size: int
    changed: tuple[int, int]


class Database:
    """One SQLite file of a project. Every failure to read it becomes a ``TelemetryError``."""

    def __init__(self, path: Path, *, project: str, busy_timeout: float) -> None:
        self._path = path.absolute()
        self._busy_timeout = busy_timeout
        self._one_at_a_time = asyncio.Lock()
        self.where = f"project {project}: {quoted(os.fsencode(path).decode(errors='replace'), _LONGEST_PATH)}"

    def error(self, what: str, mend: str) -> TelemetryError:
        """What is wrong with this file and how to mend it."""
        return TelemetryError(what, where=self.where, mend=mend)

    async def read(self, ask: Callable[[aiosqlite.Connection], Awaitable[_Answer]]) -> _Answer:
        """What ``ask`` finds out through a connection that can only read. It may be asked again, on another one.

        A cancelled reader does not wait for its statement to end. One reads at a time: to close the file, which a
        look at it or a reader without locks does, would drop the locks of every other reader in this process
        (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
        """
        async with self._one_at_a_time:
            for _ in range(_TRIES_AT_REST):
                state = await asyncio.to_thread(self._examined)
                if not await asyncio.to_thread(self._at_rest, state):
                    break
                try:
                    answer = await self._asked(ask, "mode=ro&immutable=1")
                except TelemetryError:  # half of a change may look like damage
                    if not await asyncio.to_thread(self._changed_since, state):
                        raise
                else:
                    if not await asyncio.to_thread(self._changed_since, state):
                        return answer
            return await self._asked(ask, "mode=ro")

    async def _asked(self, ask: Callable[[aiosqlite.Connection], Awaitable[_Answer]], mode: str) -> _Answer:
        try:
            async with self._connection(mode) as connection:
                return await ask(connection)
        except sqlite3.Error as error:
            raise self._explained(error) from error

    @asynccontextmanager
    async def _connection(self, mode: str) -> AsyncIterator[aiosqlite.Connection]:
        connection = await self._connect(mode)
        try:
            yield connection
        except asyncio.CancelledError:
            await connection.interrupt()
            raise
        finally:
            await connection.close()

    async def _connect(self, mode: str) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(f"{self._path.as_uri()}?{mode}", uri=True, timeout=self._busy_timeout)
        try:
            connection.text_factory = _decoded
            connection.row_factory = sqlite3.Row
            await connection.execute_fetchall("PRAGMA query_only = 1")
            await connection.execute_fetchall("PRAGMA trusted_schema = OFF")
            await connection.execute_fetchall("SELECT COUNT(*) FROM sqlite_master")
        except BaseException:
            await connection.close()
            raise
        return connection

    def _examined(self) -> _State:
        """The file as it is now. Looked at before it is opened: opening a pipe would wait for ever."""
        try:
            found = self._path.stat()
            path = os.path.realpath(self._path)
        except FileNotFoundError as error:
            raise self.error("there is no such file", "let `path` name the assistant's SQLite file") from error
        except (OSError, ValueError) as error:
            raise self.error(f"cannot be looked at: {error}", "let this user reach the file") from error
        if not stat.S_ISREG(found.st_mode):
            raise self.error("this is not a regular file", "let `path` name the assistant's SQLite file")
        if found.st_size == 0:
            raise self.error("the file is empty (0 bytes)", "let the assistant record a task first")
        return _State(path, (found.st_dev, found.st_ino), found.st_size, (found.st_mtime_ns, found.st_ctime_ns))

    def _at_rest(self, state: _State) -> bool:
        """Whether it is a WAL database with all that it has in its one file. Any other is read with locks."""
        if _has_journal(state.path):
            return False
        try:
            with Path(state.path).open("rb") as file:
                header = file.read(_READ_VERSION + 1)
        except OSError:
            return False  # SQLite will say it
        return header[_READ_VERSION:] == _WAL and not _has_journal(state.path)

    def _changed_since(self, state: _State) -> bool:
        return _has_journal(state.path) or self._examined() != state

    def _explained(self, error: sqlite3.Error) -> TelemetryError:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        what, mend = _EXPLANATIONS.get(
            code, ("SQLite cannot read the database", "look at its tables with the `.schema` command of sqlite3")
        )
        return self.error(f"{what} ({quoted(str(error))})", mend)


def _has_journal(path: str) -> bool:
    """SQLite looks for its journals beside the file that a link leads to."""
    return any(os.path.lexists(f"{path}{suffix}") for suffix in ("-wal", "-journal"))


def _decoded(raw: bytes) -> str:
    return raw.decode(errors="replace")
