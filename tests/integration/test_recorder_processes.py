"""Many processes and many tasks record into one file, and what they record can be read."""

import asyncio
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfimprover.domain import Window
from selfimprover.telemetry.recorder import Recorder
from tests.integration.telemetry_tables import failed_tasks, source

PROCESSES, TASKS = 4, 200

PROGRAM = """
import asyncio, sys
from selfimprover.telemetry.recorder import Recorder

async def work(recorder, number):
    async with recorder.task("work", input=number):
        await asyncio.sleep(0)
        if number % 10 == 0:
            raise ValueError(number)

async def main():
    recorder = Recorder(sys.argv[1], agent=sys.argv[2], busy_timeout=60)
    sys.stdin.readline()
    await asyncio.gather(*(work(recorder, number) for number in range(int(sys.argv[3]))), return_exceptions=True)
    print(recorder.lost)

asyncio.run(main())
"""


def test_processes_that_create_and_fill_one_file_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    command = [sys.executable, "-c", PROGRAM, str(path)]
    children = [
        subprocess.Popen([*command, f"a{n}", str(TASKS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(PROCESSES)
    ]
    for child in children:  # all begin at once
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate(timeout=120)[0] for child in children] == ["0\n"] * PROCESSES
    with closing(sqlite3.connect(path)) as connection:
        counts = connection.execute("SELECT agent, status, COUNT(*) FROM tasks GROUP BY 1, 2 ORDER BY 1, 2").fetchall()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert counts == [
        (f"a{n}", status, count) for n in range(PROCESSES) for status, count in (("done", 180), ("failed", 20))
    ]


def test_a_program_that_never_closes_its_recorder_loses_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from selfimprover.telemetry.recorder import Recorder; r = Recorder(sys.argv[1])\n"
        "with r.task('k'): raise SystemExit(3)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "t.db")], check=False, timeout=60)
    assert ended.returncode == 3
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        assert connection.execute("SELECT status, error FROM tasks").fetchall() == [("failed", "SystemExit: 3")]


def _child(recorder: Recorder, number: int) -> None:
    with recorder.task(f"child {number}"):
        pass
    recorder.close()
    os._exit(recorder.lost)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_goes_on_recording_for_itself(tmp_path: Path) -> None:
    with Recorder(tmp_path / "t.db") as recorder:
        with recorder.task("parent"):
            children = [
                multiprocessing.get_context("fork").Process(target=_child, args=(recorder, n)) for n in range(2)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join(60)
        assert [child.exitcode for child in children] == [0, 0]
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        rows = connection.execute("SELECT kind, status FROM tasks ORDER BY kind").fetchall()
    assert rows == [("child 0", "done"), ("child 1", "done"), ("parent", "done")]


async def test_what_was_recorded_is_read_while_recording_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with Recorder(path, agent="email", version="4f2a91c") as recorder:

        async def work(number: int) -> None:
            async with recorder.task("poll", input={"n": number}):
                raise ConnectionError(f"gone {number}")

        await asyncio.gather(*(work(number) for number in range(5)), return_exceptions=True)
        async with recorder.task("still running"):
            now = datetime.now(UTC)
            window = Window(now - timedelta(hours=1), now + timedelta(hours=1))
            (counts,) = await source(path).task_counts([window])
            failures = await failed_tasks(source(path), window)
    assert counts.by_status() == {"failed": 5, "running": 1}
    assert sorted(record.error or "" for record in failures) == [f"ConnectionError: gone {n}" for n in range(5)]
    assert {(record.version, record.kind, record.agent) for record in failures} == {("4f2a91c", "poll", "email")}
    assert all(record.finished_at is not None and "in work" in (record.traceback or "") for record in failures)
