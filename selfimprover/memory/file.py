"""The memory's SQLite file, looked at and copied by the standard library alone: what an idle daemon needs of it."""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from selfimprover.errors import UsageError

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""The schema revisions that this version knows, oldest first."""

PARTIAL = ".partial"
"""Ends the name of a copy that is not whole yet."""
_SCHEME = "sqlite:///"
_Answer = TypeVar("_Answer")


class DamagedError(Exception):
    """The file is no whole database."""


def path_of(url: str) -> Path:
    """The file of an ``sqlite:///`` URL."""
    return Path(url.removeprefix(_SCHEME))


def url_of(path: Path) -> str:
    """The URL of a file."""
    return f"{_SCHEME}{path}"


def is_gone(path: Path) -> bool:
    """Whether there is no such file; raises ``UsageError`` if that cannot be told."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError as error:
        mend = "run this as the user of the daemon"
        raise UsageError(f"it cannot be looked at: {error.strerror}", where=f"memory {path}", mend=mend) from error
    return False


def current_revision(url: str) -> str | None:
    """The schema revision of the memory, ``None`` if it is new. Creates nothing.

    Raises ``UsageError`` for a database that is not a memory or cannot be read.
    """
    path = path_of(url)
    if is_gone(path):
        return None
    if not path.is_file():
        mend = "move it away, or name another file in [memory] url"
        raise UsageError("it is no plain file", where=f"memory {path}", mend=mend)
    try:
        return ask(path, lambda connection: _revision(connection, path))
    except sqlite3.Error as error:
        mend = "`selfimprover memory restore` puts a backup in its place; or move it away, and a new memory begins"
        raise UsageError(f"it cannot be read: {error}", where=f"memory {path}", mend=mend) from error


def require_known(revision: str, url: str) -> None:
    """Raises ``UsageError`` for a schema that a newer version wrote."""
    if revision not in REVISIONS:
        raise UsageError(
            f"it was written by a newer version of selfimprover (schema {revision}, this one knows {REVISIONS[-1]})",
            where=f"memory {url}",
            mend="upgrade selfimprover, or restore a backup from before",
        )


def require_whole(path: Path, *, thorough: bool = False) -> None:
    """Raises ``DamagedError`` unless SQLite finds the database whole; ``thorough`` compares indexes with rows as well.

    https://www.sqlite.org/pragma.html#pragma_quick_check
    """
    try:
        with reading(path) as connection:
            (verdict,) = connection.execute(f"PRAGMA {'integrity' if thorough else 'quick'}_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise DamagedError(str(error)) from error
    if verdict != "ok":
        raise DamagedError(verdict)


def copy(path: Path, target: Path) -> None:
    """A checked, compact copy of the database: it appears under its name only when it is whole and on the disk.

    Raises ``DamagedError`` if there is no whole database to copy, ``UsageError`` if the copy cannot be written.
    """
    partial = target.with_name(f"{target.name}-{os.getpid()}-{secrets.token_hex(4)}{PARTIAL}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ask(path, lambda connection: _vacuum(connection, partial))
        partial.chmod(0o600)
        _put_on_disk(partial, target)
    except (OSError, sqlite3.OperationalError) as error:
        _drop(partial)
        mend = "make room or give this user the right to write there, then run it again"
        raise UsageError(f"it cannot be written: {_reason(error)}", where=f"backup {target}", mend=mend) from error
    except (sqlite3.DatabaseError, DamagedError) as error:
        _drop(partial)
        require_whole(path)
        mend = "it was being written to: run it again"
        raise UsageError(f"it could not be made: {error}", where=f"backup {target}", mend=mend) from error


def is_abandoned(partial: Path) -> bool:
    """Whether the process that made a copy of this name is gone."""
    parts = partial.name.split("-")
    pid = parts[-2] if len(parts) > 2 else ""  # noqa: PLR2004
    return not (pid.isdecimal() and Path(f"/proc/{pid}").exists())


def _drop(partial: Path) -> None:
    with contextlib.suppress(OSError):
        partial.unlink(missing_ok=True)


def ask(path: Path, question: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
    """The answer of a database that somebody may begin to write at any moment: half of a change looks like damage."""
    seen = _seen(path)
    try:
        with reading(path) as connection:
            return question(connection)
    except (sqlite3.DatabaseError, DamagedError):
        if _seen(path) == seen:
            raise
        with reading(path) as connection:
            return question(connection)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write."""
    options = "&".join(f"{name}={value}" for name, value in _only_reading(path).items())
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True)) as connection:
        yield connection


def _only_reading(path: Path) -> dict[str, str]:
    """URI parameters that leave no file behind: without a log beside it nobody writes, so nothing need be shared."""
    at_rest = not path.with_name(f"{path.name}-wal").exists()
    return {"mode": "ro", "immutable": "1"} if at_rest else {"mode": "ro"}


def _seen(path: Path) -> tuple[int, int, bool]:
    """What changes when somebody writes."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, path.with_name(f"{path.name}-wal").exists()


def _vacuum(connection: sqlite3.Connection, into: Path) -> None:
    into.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(into),))
    require_whole(into, thorough=True)


def _revision(connection: sqlite3.Connection, path: Path) -> str | None:
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" in names:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    if names:
        mend = "name another file in [memory] url"
        raise UsageError("it holds tables, but not those of a memory", where=f"memory {path}", mend=mend)
    return None


def _put_on_disk(partial: Path, target: Path) -> None:
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _reason(error: OSError | sqlite3.Error) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
