"""``check`` says how the rows of a large table are found, and prints the index that would help."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.place import Place

ROWS = 120_000
PART = "reading of app"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A project."""
    return Place(tmp_path)


def fill(place: Place, schema: str, columns: str, minutes: Callable[[int], int], rows: int = ROWS) -> None:
    """A table of its own in the place of the telemetry."""
    begin = datetime.now(UTC) - timedelta(minutes=ROWS)
    made = ((n, "done", None, (begin + timedelta(minutes=minutes(n))).isoformat()) for n in range(rows))
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute("DROP TABLE tasks")
        connection.execute(schema)
        connection.executemany(f"INSERT INTO {columns} VALUES (?, ?, ?, ?)", made)


PLAIN = "CREATE TABLE tasks (id, status, error, created_at)"


def seen(place: Place) -> dict[str, str] | None:
    """What is said of the reading."""
    done = place.run("check", "--json")
    assert done.exit_code == 0, done.stdout
    return next((one for one in json.loads(done.stdout) if one["part"] == PART), None)


def test_a_small_table_needs_no_index(place: Place) -> None:
    fill(place, PLAIN, "tasks", lambda n: n, rows=50_000)
    assert seen(place) is None


def test_a_table_in_the_order_of_its_times_is_read_by_row_id(place: Place) -> None:
    fill(place, PLAIN, "tasks", lambda n: n)
    found = seen(place)
    assert found is not None
    assert "found by row id, since times follow row ids" in found["what"]
    assert found["mend"].startswith("CREATE INDEX ")


def test_the_statement_that_is_printed_makes_an_index_that_is_used(place: Place) -> None:
    """Also under names that need quotes; then nothing more is advised."""
    schema = 'CREATE TABLE "my ""tasks" (id, "the status", error, "made at")'
    fill(place, schema, '"my ""tasks"', lambda n: n * 7_919 % ROWS)
    place.configure(
        telemetry="table = 'my \"tasks'\ncolumns = { status = 'the status', created_at = 'made at' }",
    )
    found = seen(place)
    assert found is not None
    assert "by reading every row, since times do not follow row ids" in found["what"]
    assert found["mend"] == ('CREATE INDEX "my ""tasks_made at_the status" ON "my ""tasks" ("made at", "the status");')
    with closing(sqlite3.connect(place.database)) as connection:
        connection.execute(found["mend"])
    found = seen(place)
    assert found is not None
    assert found["what"].endswith("by an index on created_at")
    assert found["mend"] == ""


def test_a_view_is_not_given_an_index(place: Place) -> None:
    fill(place, PLAIN.replace("tasks", "raw"), "raw", lambda n: n)
    with closing(sqlite3.connect(place.database)) as connection:
        connection.execute("CREATE VIEW tasks AS SELECT * FROM raw")
    found = seen(place)
    assert found is not None
    assert "by reading every row, since rows have no row ids" in found["what"]
    assert found["mend"] == ""


def test_the_line_is_shown_to_people_as_well(place: Place) -> None:
    fill(place, PLAIN, "tasks", lambda n: n)
    assert re.search(r'reading of app: .* → CREATE INDEX "tasks_created_at_status" ON', place.run("check").stdout)
