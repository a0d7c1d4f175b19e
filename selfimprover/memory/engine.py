"""Connections to the memory's database, and its schema: created, upgraded after a backup, or refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from selfimprover.errors import MemoryLostError
from selfimprover.memory import file
from selfimprover.memory.file import REVISIONS, current_revision, require_known


def open_engine(url: str) -> AsyncEngine:
    """An engine whose transactions begin at once and are durable; those with the option ``reads`` lock nobody out."""
    engine = create_async_engine(_with_driver(url, "aiosqlite"))
    _set_up_sqlite(engine.sync_engine)
    return engine


def ensure_schema(url: str, backups: Path) -> None:
    """Brings the schema to the newest revision, with a backup first; raises ``UsageError`` for a newer one."""
    revision = current_revision(url)
    if revision == REVISIONS[-1]:
        return
    path = file.path_of(url)
    if revision is not None:
        require_known(revision, url)
        file.copy(path, backups / f"before-{REVISIONS[-1]}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db")
    with explained(url):
        _migrate(url)
    path.chmod(0o600)


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turns what the database refuses (a full or read-only disk, a damaged page) into one clear line."""
    try:
        yield
    except DBAPIError as error:
        mend = "make room or give back the right to write there; what was committed is kept, run it again"
        raise MemoryLostError(str(error.orig), where=f"memory {file.path_of(url)}", mend=mend) from error


def _migrate(url: str, to: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine(_with_driver(url, "pysqlite"))
    _set_up_sqlite(engine)
    with _connection(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    """The only connection of an engine that ends with it."""
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _with_driver(url: str, driver: str) -> URL:
    return URL.create(f"sqlite+{driver}", database=str(file.path_of(url)))


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late to guard a compare-and-set
        cursor = connection.cursor()
        for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
