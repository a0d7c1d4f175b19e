"""Connections to the memory's database, and its schema: created, upgraded after a backup, or refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from selfimprover.errors import UsageError

REVISIONS = ("0001",)
"""The schema revisions that this version knows, oldest first."""


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite URL; ``None`` for any other database."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def open_engine(url: str) -> AsyncEngine:
    """An engine whose transactions begin at once and are durable."""
    engine = create_async_engine(_with_driver(url, "aiosqlite"))
    _set_up_sqlite(engine.sync_engine)
    return engine


def current_revision(url: str) -> str | None:
    """The schema revision of the database, ``None`` if it is new. Creates nothing.

    Raises ``UsageError`` for a database that is not a memory or cannot be read.
    """
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return None
    if path is not None and not path.is_file():
        mend = "move it away, or name another file in [memory] url"
        raise UsageError("it is no plain file", where=f"memory {path}", mend=mend)
    try:
        with _connection(create_engine(_read_only(url))) as connection:
            return _revision(connection, url)
    except DatabaseError as error:
        mend = "move the file away and restore a backup, or let a new memory begin"
        raise UsageError(f"it cannot be read: {error.orig}", where=f"memory {url}", mend=mend) from error


def ensure_schema(url: str, backups: Path) -> None:
    """Brings the schema to the newest revision, with a backup first; raises ``UsageError`` for a newer one."""
    revision = current_revision(url)
    if revision == REVISIONS[-1]:
        return
    if revision is not None:
        require_known(revision, url)
    path = sqlite_path(url)
    if revision is not None and path is not None:
        backup(path, backups / f"memory-before-{REVISIONS[-1]}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db")
    _migrate(url)
    if path is not None:
        path.chmod(0o600)


def require_known(revision: str, url: str) -> None:
    """Raises ``UsageError`` for a schema that a newer version wrote."""
    if revision not in REVISIONS:
        raise UsageError(
            f"it was written by a newer version of selfimprover (schema {revision}, this one knows {REVISIONS[-1]})",
            where=f"memory {url}",
            mend="upgrade selfimprover, or restore a backup from before",
        )


def backup(path: Path, target: Path) -> None:
    """A checked copy of an SQLite database: it appears under its name only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    options = "&".join(f"{name}={value}" for name, value in _only_reading(path).items())
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True)
    try:
        connection.execute("VACUUM INTO ?", (str(partial),))
    finally:
        connection.close()
    copy = sqlite3.connect(partial)
    try:
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
    finally:
        copy.close()
    if verdict != "ok":
        raise UsageError(f"its backup is not whole: {verdict}", where=f"memory {path}", mend="restore an older backup")
    partial.chmod(0o600)
    partial.replace(target)


def _revision(connection: Connection, url: str) -> str | None:
    names = inspect(connection).get_table_names()
    if "alembic_version" in names:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if names:
        mend = "name another file in [memory] url"
        raise UsageError("it holds tables, but not those of a memory", where=f"memory {url}", mend=mend)
    return None


def _migrate(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine(_with_driver(url, "pysqlite"))
    _set_up_sqlite(engine)
    with _connection(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    """The only connection of an engine that ends with it."""
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _with_driver(url: str, driver: str) -> URL:
    parsed = make_url(url)
    return parsed.set(drivername=f"sqlite+{driver}") if parsed.get_backend_name() == "sqlite" else parsed


def _read_only(url: str) -> URL:
    path = sqlite_path(url)
    if path is None:
        return make_url(url)
    query = {**_only_reading(path), "uri": "true"}
    return URL.create("sqlite+pysqlite", database=path.absolute().as_uri(), query=query)


def _only_reading(path: Path) -> dict[str, str]:
    """URI parameters that leave no file behind: without a log beside it nobody writes, so nothing need be shared."""
    at_rest = not path.with_name(f"{path.name}-wal").exists()
    return {"mode": "ro", "immutable": "1"} if at_rest else {"mode": "ro"}


def _set_up_sqlite(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late to guard a compare-and-set
        cursor = connection.cursor()
        for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
