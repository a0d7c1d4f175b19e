"""Telemetry is found in foreign SQLite files by their content, and nothing is written, locked or waited for."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from selfimprover.errors import TelemetryError
from selfimprover.telemetry import discovery
from selfimprover.telemetry.discovery import search, tables_in
from selfimprover.telemetry.files import sqlite_files
from tests.integration.telemetry_tables import FULL, PLAIN, make, source, task

NOON = "2026-02-15T12:00:00Z"
ENDLESS = (
    "CREATE VIEW tasks AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i AS id, 'failed' AS status, '' AS error, '' AS created_at, '' AS kind FROM n WHERE i < 0"
)
FOREIGN = 'CREATE TABLE "Task Runs" (uuid, state, err, "createdAt", stack_trace, type)'


async def test_a_table_with_other_names_is_found_and_read_with_what_was_found(tmp_path: Path) -> None:
    row = {"uuid": "a", "state": "Errored", "err": "E: x", "createdAt": NOON, "stack_trace": None, "type": "mail"}
    make(tmp_path / "app.data", FOREIGN, [row, {**row, "uuid": "b", "state": "ok"}], table="Task Runs")

    (table,) = (await search([tmp_path])).tables

    assert (table.path, table.name, table.rows) == (tmp_path / "app.data", "Task Runs", 2)
    assert table.renamed == {
        "id": "uuid",
        "status": "state",
        "error": "err",
        "created_at": "createdAt",
        "traceback": "stack_trace",
        "kind": "type",
    }
    assert (table.statuses, table.failed) == (("Errored", "ok"), ("Errored",))
    described = await source(table.path, table=table.name, columns=table.renamed).describe()
    assert "2 rows" in described


async def test_columns_with_our_names_need_no_line_whatever_their_case(tmp_path: Path) -> None:
    make(tmp_path / "t.db", "CREATE TABLE tasks (ID, Status, ERROR, created_at)")

    (table,) = await tables_in(tmp_path / "t.db")

    assert table.renamed == {}
    assert list(table.columns) == ["id", "status", "error", "created_at"]


async def test_the_usual_status_stands_where_none_sounds_like_failure(tmp_path: Path) -> None:
    make(tmp_path / "t.db", PLAIN, [task(1, NOON, status=0), task(2, NOON, status=None)])

    (table,) = await tables_in(tmp_path / "t.db")

    assert (table.statuses, table.failed) == (("0",), ("failed",))


async def test_the_best_table_has_most_of_our_columns_then_the_telling_name_then_more_rows(tmp_path: Path) -> None:
    make(tmp_path / "a.db", PLAIN.replace("tasks", "log"), [task(1, NOON)] * 3, table="log")
    make(tmp_path / "b.db", PLAIN, [task(1, NOON)])
    make(tmp_path / "c.db", PLAIN, [task(1, NOON), task(2, NOON)])
    make(tmp_path / "d.db", FULL.replace("tasks", "jobs"))

    found = await search([tmp_path])

    order = [(table.path.name, table.name) for table in found.tables]
    assert order == [("d.db", "jobs"), ("c.db", "tasks"), ("b.db", "tasks"), ("a.db", "log")]


async def test_a_named_table_is_taken_whatever_would_be_better(tmp_path: Path) -> None:
    make(tmp_path / "a.db", FULL)
    make(tmp_path / "b.db", PLAIN.replace("tasks", "odd"), table="odd")

    found = await search([tmp_path], table="ODD")

    assert [table.name for table in found.tables] == ["odd"]
    with pytest.raises(TelemetryError, match="there is no table 'odd'; there are: tasks"):
        await tables_in(tmp_path / "a.db", table="odd")


async def test_a_file_in_which_nothing_can_serve_says_what_is_missing(tmp_path: Path) -> None:
    make(tmp_path / "t.db", "CREATE TABLE runs (id, state, created)")

    with pytest.raises(TelemetryError, match=r"'runs' lacks error: id, state, created") as caught:
        await tables_in(tmp_path / "t.db")
    found = await search([tmp_path])

    assert str(caught.value).isprintable()
    assert found.tables == ()
    assert [(other.path.name, other.unreadable) for other in found.passed_over] == [("t.db", False)]


async def test_hostile_names_are_kept_for_sql_and_harmless_in_errors(tmp_path: Path) -> None:
    name = "x\x1b[31m\"'; DROP TABLE t; --\n"
    quoted = '"' + name.replace('"', '""') + '"'
    make(tmp_path / "good.db", f"CREATE TABLE {quoted} (id, status, error, created_at)", [task(1, NOON)], table=name)
    make(tmp_path / "bad.db", f"CREATE TABLE {quoted} (id, {quoted})", table=name)

    (table,) = await tables_in(tmp_path / "good.db")
    with pytest.raises(TelemetryError) as caught:
        await tables_in(tmp_path / "bad.db")

    assert (table.name, table.rows) == (name, 1)
    assert str(caught.value).isprintable()


async def test_a_view_that_is_broken_or_endless_hides_no_other_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_PATIENCE", 1.0)
    path = make(tmp_path / "t.db", PLAIN.replace("tasks", "runs"), [task(1, NOON)], table="runs")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE VIEW broken AS SELECT * FROM nowhere")
        connection.execute(ENDLESS)

    tables = await tables_in(path)

    assert {(table.name, table.rows) for table in tables} == {("tasks", 0), ("runs", 1)}


async def test_a_search_ends_in_time_and_says_what_it_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_PATIENCE_WITH_ALL", 1.5)
    make(tmp_path / "a.db", PLAIN)
    make(tmp_path / "b.db", ENDLESS)
    make(tmp_path / "c.db", PLAIN)

    found = await search([tmp_path])

    assert [table.path.name for table in found.tables] == ["a.db"]
    assert [(other.path.name, other.unreadable) for other in found.passed_over] == [("b.db", True), ("c.db", True)]


async def test_a_locked_database_is_told_as_one_that_may_be_the_right_one(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        found = await search([tmp_path])

    (other,) = found.passed_over
    assert (other.path, other.unreadable) == (path, True)
    assert "locked" in other.why


async def test_looking_writes_nothing_and_leaves_no_journal(tmp_path: Path) -> None:
    path = make(tmp_path / "t.db", PLAIN, [task(1, NOON)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    before = _changed(tmp_path)

    assert (await search([tmp_path])).tables

    assert _changed(tmp_path) == before


def _changed(folder: Path) -> dict[str, int]:
    return {one.name: one.stat().st_mtime_ns for one in (folder, *folder.iterdir())}


def test_only_regular_files_that_begin_like_sqlite_are_candidates(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    make(outside / "t.db", PLAIN)
    real = make(inside / "no extension", PLAIN)
    (inside / "text.db").write_text("SQLite format 2\0")
    (inside / "empty.db").touch()
    os.mkfifo(inside / "fifo.db")
    (inside / "link.db").symlink_to(real)
    (inside / "folder.db").mkdir()
    (inside / "way out").symlink_to(outside)

    assert sqlite_files([inside, inside / "missing"]) == [real]


def test_the_search_is_bounded_and_goes_from_near_to_far(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    for folder in (deep / "d", tmp_path / ".git", tmp_path / ".venv", tmp_path / "node_modules", tmp_path / "z"):
        folder.mkdir(parents=True)
        make(folder / "t.db", PLAIN)
    make(deep / "t.db", PLAIN)
    make(tmp_path / "t.db", PLAIN)

    assert sqlite_files([tmp_path, tmp_path / "z"]) == [tmp_path / "t.db", tmp_path / "z" / "t.db", deep / "t.db"]


def test_no_more_files_are_opened_than_the_bound(tmp_path: Path) -> None:
    content = make(tmp_path / "t.db", PLAIN).read_bytes()
    for number in range(80):
        (tmp_path / f"copy-{number}.db").write_bytes(content)

    assert len(sqlite_files([tmp_path])) == 50


def test_a_file_whose_name_the_configuration_cannot_say_is_left_out(tmp_path: Path) -> None:
    content = make(tmp_path / "t.db", PLAIN).read_bytes()
    with open(os.fsencode(tmp_path) + b"/\xff.db", "wb") as file:  # noqa: PTH123  (its name is bytes)
        file.write(content)

    assert sqlite_files([tmp_path]) == [tmp_path / "t.db"]


async def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.db")

    with pytest.raises(TelemetryError, match="not a regular file"):
        await tables_in(tmp_path / "t.db")
