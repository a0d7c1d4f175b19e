"""Opens somebody else's SQLite file for reading: never writes, never waits on something that is not a file.

The rules about modes and journals: https://www.sqlite.org/uri.html and https://www.sqlite.org/wal.html#read_only_databases
"""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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


def quoted(text: str, most: int = _MAX_QUOTE) -> str:
    """Foreign text for a message: on one line, without control characters, at most ``most`` long."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= most else f"{shown[:most]}…"


class Database:
    """One SQLite file of a project. Every failure to read it becomes a ``TelemetryError``."""

    def __init__(self, path: Path, *, project: str, busy_timeout: float) -> None:
        self._path = path.absolute()
        self._busy_timeout = busy_timeout
        self.where = f"project {project}: {quoted(os.fsencode(path).decode(errors='replace'), _LONGEST_PATH)}"

    def error(self, what: str, mend: str) -> TelemetryError:
        """What is wrong with this file and how to mend it."""
        return TelemetryError(what, where=self.where, mend=mend)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[aiosqlite.Connection]:
        """A connection that can only read; a cancelled reader does not wait for its statement to end."""
        before = await asyncio.to_thread(self._examined)
        try:
            connection, still = await self._connected()
            try:
                yield connection
            except asyncio.CancelledError:
                await connection.interrupt()
                raise
            finally:
                await connection.close()
        except sqlite3.Error as error:
            raise self._explained(error) from error
        if still and await asyncio.to_thread(self._changed_since, before):
            raise self.error("the database was changed while it was read", "let the next night read it")

    async def _connected(self) -> tuple[aiosqlite.Connection, bool]:
        """A connection, and whether it counts on nobody writing.

        A WAL database that was closed cleanly in a folder we may not write to can be read only like that, and it
        is right only as long as there are no journals.
        """
        try:
            return await self._connect("mode=ro"), False
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_DIRECTORY or self._journals():
                raise
        return await self._connect("mode=ro&immutable=1"), True

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

    def _examined(self) -> tuple[int, int]:
        """Size and time of change of the file. Looked at first: opening a pipe would wait for ever."""
        try:
            found = self._path.stat()
        except FileNotFoundError as error:
            raise self.error("there is no such file", "let `path` name the assistant's SQLite file") from error
        except (OSError, ValueError) as error:
            raise self.error(f"cannot be looked at: {error}", "let this user reach the file") from error
        if not stat.S_ISREG(found.st_mode):
            raise self.error("this is not a regular file", "let `path` name the assistant's SQLite file")
        if found.st_size == 0:
            raise self.error("the file is empty (0 bytes)", "let the assistant record a task first")
        return found.st_size, found.st_mtime_ns

    def _changed_since(self, before: tuple[int, int]) -> bool:
        return self._journals() or self._examined() != before

    def _journals(self) -> bool:
        return any(Path(f"{self._path}{suffix}").exists() for suffix in ("-wal", "-shm"))

    def _explained(self, error: sqlite3.Error) -> TelemetryError:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        what, mend = _EXPLANATIONS.get(
            code, ("SQLite cannot read the database", "look at its tables with the `.schema` command of sqlite3")
        )
        return self.error(f"{what} ({quoted(str(error))})", mend)


def _decoded(raw: bytes) -> str:
    return raw.decode(errors="replace")
