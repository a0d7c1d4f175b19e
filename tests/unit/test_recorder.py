"""What the recorder writes about a task, and that it never stands in its way."""

import asyncio
import json
import logging
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from selfimprover.telemetry.recorder import Recorder

START = datetime(2026, 2, 15, 6, tzinfo=UTC)


def ticking() -> Callable[[], datetime]:
    """A clock that goes on by half a second at every look."""
    ticks = iter(range(1_000_000))
    return lambda: START + timedelta(seconds=next(ticks) / 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def recorder(path: Path) -> Iterator[Recorder]:
    numbers = iter(range(1_000_000))
    with Recorder(
        path, agent="email", version="4f2a91c", clock=ticking(), new_id=lambda: f"t{next(numbers)}"
    ) as recorder:
        yield recorder


def rows(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM tasks ORDER BY rowid")]


async def test_a_task_is_running_then_done(path: Path, recorder: Recorder) -> None:
    async with recorder.task("imap.poll", input={"folder": "Entwürfe"}) as task:
        (row,) = rows(path)
        assert (row["status"], row["finished_at"]) == ("running", None)
        task.retries = 2
    assert rows(path) == [
        {
            "id": "t0",
            "status": "done",
            "error": None,
            "created_at": "2026-02-15T06:00:00Z",
            "traceback": None,
            "agent": "email",
            "kind": "imap.poll",
            "started_at": "2026-02-15T06:00:00Z",
            "finished_at": "2026-02-15T06:00:00.500000Z",
            "parent_id": None,
            "retries": 2,
            "input": '{"folder": "Entwürfe"}',
            "version": "4f2a91c",
        }
    ]


class OddError(Exception):
    """An exception that cannot say what is wrong."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("bad value"), "ValueError: bad value"),
        (TimeoutError(), "TimeoutError"),
        (KeyError("x"), "KeyError: 'x'"),
        (json.JSONDecodeError("Expecting value", "", 0), "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        (SyntaxError("invalid syntax", ("a.py", 1, 2, "a b")), "SyntaxError: invalid syntax"),
        (ValueError("two\nlines"), "ValueError: two\nlines"),
        (ValueError("half \ud800"), "ValueError: half \\ud800"),
        (OddError(), "OddError: <exception str() failed>"),
        (ExceptionGroup("both", [ValueError(1), KeyError(2)]), "ExceptionGroup: both (2 sub-exceptions)"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
@pytest.mark.parametrize("noted", [False, True])
async def test_a_failed_task_tells_type_and_message_and_raises_on(
    path: Path,
    recorder: Recorder,
    error: BaseException,
    text: str,
    noted: bool,
) -> None:
    if noted:
        error.add_note("a note of theirs")
    with pytest.raises(type(error)) as caught:
        async with recorder.task("k"):
            raise error
    assert caught.value is error
    (row,) = rows(path)
    assert (row["status"], row["error"]) == ("failed", text)
    assert row["traceback"].startswith("Traceback (most recent call last):\n") or isinstance(error, ExceptionGroup)
    assert ("a note of theirs" in row["traceback"]) == noted


async def test_the_traceback_is_that_of_the_assistant_alone(path: Path, recorder: Recorder) -> None:
    def inner() -> None:
        raise ConnectionError("gone")

    @recorder.recorded("outer")
    async def outer() -> None:
        inner()

    with pytest.raises(ConnectionError):
        await outer()
    (row,) = rows(path)
    frames = [line.rsplit(" ", 1)[-1] for line in row["traceback"].splitlines() if line.startswith('  File "')]
    assert frames == ["outer", "inner"]
    assert "recorder.py" not in row["traceback"].replace("test_recorder.py", "")
    assert row["traceback"].endswith("ConnectionError: gone\n")


async def test_a_cancelled_task_is_cancelled_and_not_failed(path: Path, recorder: Recorder) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with recorder.task("k"):
            entered.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(work())
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [(row["status"], row["error"]) for row in rows(path)] == [("cancelled", "CancelledError")]


async def test_a_task_that_is_cancelled_while_it_starts_is_not_left_running(path: Path, recorder: Recorder) -> None:
    async def work() -> None:
        async with recorder.task("k"):
            raise AssertionError("never reached")

    running = asyncio.create_task(work())
    await asyncio.sleep(0)  # up to the first write
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    recorder.close()
    assert [row["status"] for row in rows(path)] == ["cancelled"]


async def test_a_task_that_is_thrown_away_is_cancelled(path: Path, recorder: Recorder) -> None:
    async def stream() -> AsyncIterator[int]:
        async with recorder.task("stream"):
            yield 1
            yield 2

    numbers = stream()
    assert await anext(numbers) == 1
    await numbers.aclose()  # type: ignore[attr-defined]
    recorder.close()
    assert [row["status"] for row in rows(path)] == ["cancelled"]


async def test_a_task_within_a_task_has_it_as_parent(path: Path, recorder: Recorder) -> None:
    async with recorder.task("outer"):
        await asyncio.gather(*(_nested(recorder, f"inner {n}") for n in range(3)))
        async with recorder.task("adopted", parent="somebody"):
            pass
    async with recorder.task("later"):
        pass
    by_kind = {row["kind"]: row for row in rows(path)}
    outer = by_kind["outer"]["id"]
    for n in range(3):
        assert by_kind[f"inner {n}"]["parent_id"] == outer
        assert by_kind[f"inner {n} again"]["parent_id"] == by_kind[f"inner {n}"]["id"]
    assert by_kind["adopted"]["parent_id"] == "somebody"
    assert (by_kind["outer"]["parent_id"], by_kind["later"]["parent_id"]) == (None, None)


async def _nested(recorder: Recorder, kind: str) -> None:
    async with recorder.task(kind):
        await asyncio.sleep(0)
        async with recorder.task(f"{kind} again"):
            await asyncio.sleep(0)


async def test_tasks_of_another_recorder_are_no_parents(path: Path, recorder: Recorder, tmp_path: Path) -> None:
    with Recorder(tmp_path / "other.db") as other:
        async with other.task("k"), recorder.task("k"):
            pass
    assert rows(path)[0]["parent_id"] is None


def test_without_async_it_works_the_same(path: Path, recorder: Recorder) -> None:
    with recorder.task("outer"), pytest.raises(ZeroDivisionError), recorder.task("inner"):
        1 / 0  # noqa: B018
    outer, inner = rows(path)
    assert (outer["status"], inner["status"], inner["parent_id"]) == ("done", "failed", outer["id"])


async def test_decorated_functions_are_recorded_and_give_what_they_gave(path: Path, recorder: Recorder) -> None:
    @recorder.recorded("double", agent="sums")
    def double(number: int) -> int:
        """Twice as much."""
        return 2 * number

    @recorder.recorded("triple")
    async def triple(number: int) -> int:
        return 3 * number

    assert (double(2), await triple(number=2)) == (4, 6)
    assert double.__doc__ == "Twice as much."
    assert [(row["kind"], row["agent"], row["status"]) for row in rows(path)] == [
        ("double", "sums", "done"),
        ("triple", "email", "done"),
    ]


@pytest.mark.parametrize(("given", "stored"), [(None, None), ("as is", "as is"), ([1, None], "[1, null]"), (0, "0")])
def test_input_is_text_as_it_is_or_json(path: Path, recorder: Recorder, given: object, stored: str | None) -> None:
    with recorder.task("k", input=given):
        pass
    assert rows(path)[0]["input"] == stored


def test_input_that_is_no_json_is_left_out_and_told(
    path: Path, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    endless: list[object] = []
    endless.append(endless)
    for given in (object(), endless):
        with recorder.task("k", input=given):
            pass
    assert [(row["input"], row["status"]) for row in rows(path)] == [(None, "done")] * 2
    assert len(caplog.records) == 2


def test_ids_are_new_by_themselves(path: Path) -> None:
    with Recorder(path) as recorder:
        for _ in range(3):
            with recorder.task("k"):
                pass
    assert len({row["id"] for row in rows(path)}) == 3


@pytest.mark.parametrize("broken", ["folder", "text", "foreign"])
async def test_a_write_that_fails_is_counted_and_told_once_and_the_task_goes_on(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "t.db"
    if broken == "folder":
        path.mkdir()
    elif broken == "text":
        await asyncio.to_thread(path.write_text, "no database" * 100)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE tasks (id TEXT PRIMARY KEY, created_at)")
    with Recorder(path) as recorder:
        results = []
        for number in range(3):
            async with recorder.task("k"):
                results.append(number)
        with pytest.raises(ValueError, match="theirs"), recorder.task("k"):
            raise ValueError("theirs")
    assert results == [0, 1, 2]
    assert recorder.lost == 8
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("selfimprover.recorder", logging.WARNING)


async def test_a_lock_costs_writes_but_no_task(path: Path) -> None:
    with Recorder(path, busy_timeout=0.01) as recorder:
        with recorder.task("before"):
            pass
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            task = recorder.task("held up")
            async with task:
                assert recorder.lost == 1
                other.execute("ROLLBACK")
    assert [(row["kind"], row["status"]) for row in rows(path)] == [("before", "done"), ("held up", "done")]


async def test_the_loop_goes_on_while_a_write_waits(path: Path) -> None:
    with Recorder(path, busy_timeout=600) as recorder:
        with recorder.task("before"):
            pass
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            waiting = asyncio.create_task(_nested(recorder, "waiting"))
            for _ in range(100):
                await asyncio.sleep(0)
            other.execute("COMMIT")  # by this very thread: a blocked loop would never come here
        await waiting
    assert len(rows(path)) == 3


def test_a_closed_recorder_loses_tasks_but_lets_them_run(path: Path) -> None:
    recorder = Recorder(path)
    recorder.close()
    recorder.close()
    with recorder.task("k"):
        ran = True
    assert ran
    assert recorder.lost == 2


async def test_a_task_may_end_in_another_context_than_it_began(path: Path, recorder: Recorder) -> None:
    task = recorder.task("k")
    await asyncio.create_task(task.__aenter__())
    await asyncio.create_task(task.__aexit__(None, None, None))
    assert [row["status"] for row in rows(path)] == ["done"]


def test_the_recorder_needs_nothing_but_the_standard_library() -> None:
    source = Path(sys.modules[Recorder.__module__].__file__ or "").read_text(encoding="utf-8")
    names = {line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert names <= sys.stdlib_module_names
