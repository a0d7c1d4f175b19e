"""What is wrong with a telemetry file is said in one line, and nothing is written, created or waited for."""

import os
import random
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiosqlite
import pytest

from selfimprover.errors import TelemetryError
from selfimprover.telemetry.sqlite import SqliteSource
from tests.integration.telemetry_tables import ALL, PLAIN, failed_tasks, make, source, task

NOON = "2026-02-15T12:00:00Z"
NOBODY = 65534


async def error_of(reader: SqliteSource) -> TelemetryError:
    """The one error that every way of reading gives."""
    with pytest.raises(TelemetryError) as counting:
        await reader.task_counts([ALL])
    with pytest.raises(TelemetryError) as listing:
        await failed_tasks(reader)
    with pytest.raises(TelemetryError) as quoting:
        await reader.failures_query(ALL)
    with pytest.raises(TelemetryError) as describing:
        await reader.describe()
    assert str(counting.value) == str(listing.value) == str(quoting.value) == str(describing.value)
    assert counting.value.where.startswith("project demo: ")
    assert counting.value.mend
    assert str(counting.value).isprintable()
    return counting.value


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_missing_file_is_told_and_not_created(tmp_path: Path) -> None:
    error = await error_of(source(tmp_path / "no.db"))
    assert error.what == "there is no such file"
    assert error.where == f"project demo: {tmp_path / 'no.db'}"
    assert _names(tmp_path) == []


async def test_an_empty_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.touch()
    assert (await error_of(source(path))).what == "the file is empty (0 bytes)"
    assert path.stat().st_size == 0


async def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "pipe", tmp_path / "socket", tmp_path, Path("/dev/zero")):
            assert (await error_of(source(path))).what == "this is not a regular file"


async def test_links_are_followed_unless_they_go_round(tmp_path: Path) -> None:
    make(tmp_path / "t.db", PLAIN, [task(1, NOON)])
    (tmp_path / "link.db").symlink_to("t.db")
    assert len(await failed_tasks(source(tmp_path / "link.db"))) == 1
    (tmp_path / "round").symlink_to("round")
    assert (await error_of(source(tmp_path / "round"))).what.startswith("cannot be looked at: ")
    assert (await error_of(source(tmp_path / "t.db" / "below"))).what.startswith("cannot be looked at: ")
    assert (await error_of(source(Path("a\0b")))).what.startswith("cannot be looked at: ")


@pytest.mark.parametrize("name", ["we?ird#%20 &mode=rwc.db", "ümläut.db", "%00.db", os.fsdecode(b"\xff.db")])
async def test_a_path_is_taken_as_it_stands(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    make(tmp_path / "plain.db", PLAIN, [task(1, NOON)]).rename(path)
    assert len(await failed_tasks(source(path))) == 1
    assert _names(tmp_path) == [name]


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.write_text("id,status,error\n" * 1_000)
    assert (await error_of(source(path))).what.startswith("the file is not an SQLite database")


def _many(path: Path) -> Path:
    return make(path, PLAIN, [task(n, 1_771_000_000 + n, error=random.Random(n).randbytes(2_000)) for n in range(600)])


async def test_a_truncated_database_is_told(tmp_path: Path) -> None:
    path = _many(tmp_path / "t.db")
    os.truncate(path, path.stat().st_size // 2)
    assert (await error_of(source(path))).what.startswith("the database is damaged")


async def test_damage_that_shows_up_in_the_middle_of_reading_is_told(tmp_path: Path) -> None:
    path = _many(tmp_path / "t.db")
    batches = source(path).failures(ALL)
    assert len(await anext(aiter(batches))) == 500
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(path.stat().st_size - 4096))
    with pytest.raises(TelemetryError, match="the database is damaged"):
        await anext(aiter(batches))


async def test_an_exclusive_lock_is_told_after_the_timeout(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(1, NOON)])
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        assert (await error_of(source(path))).what.startswith("the database is locked by another process")
    assert len(await failed_tasks(source(path))) == 1


async def test_a_database_without_tables_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE tasks")
    assert (await error_of(source(path))).what == "the database has no tables"


async def test_a_missing_table_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", "CREATE TABLE task_log (id)", table="task_log")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (name)")
    error = await error_of(source(path))
    assert error.what == "there is no table 'tasks'; there are: task_log, users"
    assert error.mend == 'table = "task_log"'


@pytest.mark.parametrize("missing", ["id", "status", "error", "created_at"])
async def test_a_missing_column_is_told_with_the_nearest_and_the_mend(tmp_path: Path, missing: str) -> None:
    schema = PLAIN.replace(missing, f"the_{missing}_x")
    error = await error_of(source(make(tmp_path / "t.db", schema)))
    assert error.what.startswith(f"table 'tasks' has no column '{missing}'; it has: ")
    assert f"the_{missing}_x" in error.what
    assert error.mend == f'columns = {{ {missing} = "the_{missing}_x" }}'


async def test_a_mapped_column_must_be_there(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db")
    error = await error_of(source(path, columns={"kind": "knd"}))
    assert error.what.startswith("table 'tasks' has no column 'knd', which `columns` gives for 'kind'")
    error = await error_of(source(path, columns={"stauts": "status"}))
    assert error.what == "`columns` names 'stauts', which telemetry does not have"
    assert error.mend == "write status"


async def test_hostile_names_are_shown_harmless_and_short(tmp_path: Path) -> None:
    names = ", ".join(f'"\x1b[31m{"x" * 5_000}{n}"' for n in range(200))
    error = await error_of(source(make(tmp_path / "t.db", f"CREATE TABLE tasks ({names})")))
    assert len(str(error)) < 4_000


async def test_a_schema_that_sqlite_cannot_read_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", "CREATE VIEW tasks AS SELECT * FROM gone")
    assert (await error_of(source(path))).what.startswith("SQLite cannot read the database (no such table")


async def test_functions_in_a_hostile_view_are_not_run(tmp_path: Path) -> None:
    view = "CREATE VIEW tasks AS SELECT load_extension('evil') AS id, 1 AS status, 1 AS error, 1771156800 AS created_at"
    assert "SQLite cannot read the database" in (await error_of(source(make(tmp_path / "t.db", view)))).what


async def test_nothing_can_be_written_through_our_connection(tmp_path: Path) -> None:
    reader = source(make(tmp_path / "t.db", PLAIN, [task(1, NOON)]))
    with pytest.raises(TelemetryError, match="readonly"):
        await reader._database.read(lambda connection: connection.execute_fetchall("DELETE FROM tasks"))


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    """As another user where we may choose; otherwise file permissions count for us anyway."""
    before = os.geteuid()
    if os.getuid() == 0:
        os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def resting(open_folder: Path) -> Path:
    """A WAL database that was closed cleanly, in a folder where others may read but not write."""
    path = open_folder / "t.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(PLAIN)
        connection.execute("INSERT INTO tasks VALUES (1, 'failed', 'E', ?)", [NOON])
    path.chmod(0o644)
    open_folder.chmod(0o555)
    return path


@pytest.fixture
def interrupted(resting: Path) -> Path:
    """The same with a journal beside it."""
    resting.parent.chmod(0o755)
    Path(f"{resting}-wal").touch()
    resting.parent.chmod(0o555)
    return resting


@pytest.fixture
def private(open_folder: Path) -> Path:
    """A database that others may not read."""
    path = make(open_folder / "t.db")
    path.chmod(0)
    return path


async def test_a_wal_database_at_rest_in_a_foreign_folder_is_read(resting: Path) -> None:
    with acting_as(NOBODY):
        assert len(await failed_tasks(source(resting))) == 1
    assert _names(resting.parent) == [resting.name]


async def test_a_database_at_rest_that_changes_while_it_is_read_is_not_believed(resting: Path) -> None:
    asked: list[int] = []

    async def ask(connection: aiosqlite.Connection) -> None:
        asked.append(len(asked))
        with acting_as(0):
            os.utime(resting, ns=(len(asked), len(asked)))

    with acting_as(NOBODY), pytest.raises(TelemetryError, match="may not make the files that reading it needs"):
        await source(resting)._database.read(ask)
    assert asked == [0, 1]
    assert _names(resting.parent) == [resting.name]


def closed(path: Path, journal: str = "WAL") -> Path:
    """A database of one failed task that its writer closed cleanly."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute(PLAIN)
        _record(connection, 1)
    return path


def _record(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("INSERT INTO tasks VALUES (?, 'failed', 'E', ?)", [number, NOON])


@pytest.mark.parametrize("journal", ["WAL", "DELETE", "PERSIST"])
@pytest.mark.parametrize("through_link", [False, True])
async def test_reading_leaves_no_file_beside_a_database_that_was_closed(
    tmp_path: Path, journal: str, through_link: bool
) -> None:
    path = closed(tmp_path / "t.db", journal)
    (tmp_path / "link.db").symlink_to("t.db")
    reader = source(tmp_path / "link.db" if through_link else path)
    before = _listing(tmp_path)

    assert (await reader.describe()).startswith("tasks: 1 rows")
    assert (await reader.task_counts([ALL]))[0].total() == 1
    assert len(await failed_tasks(reader)) == 1
    await reader.failures_query(ALL)

    assert _listing(tmp_path) == before


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder.iterdir())


async def _count(connection: aiosqlite.Connection) -> int:
    ((count,),) = await connection.execute_fetchall("SELECT COUNT(*) FROM tasks")
    return int(count)


@pytest.mark.parametrize("stays_open", [True, False])
async def test_a_writer_that_starts_while_we_read_is_read_right(tmp_path: Path, stays_open: bool) -> None:
    path = closed(tmp_path / "t.db")
    writers: list[sqlite3.Connection] = []

    async def ask(connection: aiosqlite.Connection) -> int:
        if not writers:
            writers.append(sqlite3.connect(path, isolation_level=None))
            _record(writers[0], 2)
            if not stays_open:
                writers[0].close()
        return await _count(connection)

    assert await source(path)._database.read(ask) == 2
    writers[0].close()


async def test_a_writer_that_comes_and_goes_all_the_time_is_read_right_with_locks(tmp_path: Path) -> None:
    path = closed(tmp_path / "t.db")
    asked: list[int] = []

    async def ask(connection: aiosqlite.Connection) -> int:
        asked.append(len(asked))
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            _record(writer, len(asked))
        return await _count(connection)

    assert await source(path)._database.read(ask) == 4
    assert asked == [0, 1, 2]


async def test_damage_that_a_writer_at_work_feigns_is_not_believed(tmp_path: Path) -> None:
    path = closed(tmp_path / "t.db")
    asked: list[int] = []

    async def ask(connection: aiosqlite.Connection) -> int:
        asked.append(len(asked))
        if len(asked) == 1:
            os.utime(path, ns=(1, 1))
            raise sqlite3.DatabaseError("database disk image is malformed")
        return await _count(connection)

    assert await source(path)._database.read(ask) == 1


async def test_a_live_journal_is_found_beside_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    path = closed(tmp_path / "t.db")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/link.db").symlink_to(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        _record(writer, 2)
        assert len(await failed_tasks(source(tmp_path / "links/link.db"))) == 2


async def test_a_wal_database_with_a_journal_is_never_read_without_it(interrupted: Path) -> None:
    with acting_as(NOBODY):
        error = await error_of(source(interrupted))
    assert error.what.startswith(("the database cannot be opened", "the database is in WAL mode"))


async def test_a_file_that_we_may_not_read_is_told(private: Path) -> None:
    with acting_as(NOBODY):
        error = await error_of(source(private))
    assert error.what.startswith("the database cannot be opened")
    assert "let this user read the file" in error.mend
