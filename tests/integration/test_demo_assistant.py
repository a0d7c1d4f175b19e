"""The example assistant and its misbehaving servers: the errors of the demo really happen, and exactly so often."""

import ast
import asyncio
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection, RemoteDisconnected
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from selfimprover.demo.days import ASSISTANT, Day, days_before_the_fix, monday, run_day, small_hours, sunday, thursday
from selfimprover.demo.servers import GatewayServer, ImapServer, MisbehavingServers
from selfimprover.errors import SelfImproverError

_CHECKOUT = ASSISTANT.parents[2]
_ATTRIBUTE = "AttributeError: 'EmailAgent' object has no attribute '_email_context_until'"
_IMAP = "TimeoutError: IMAP timeout: no greeting from"
_GATEWAY = "GatewayTimeout: 504 Gateway Timeout from http://127.0.0.1:"

_RETRY = """    async def _connect_with_retry(self):
        for attempt in range(3):
            try:
                return await self._connect()
            except (ConnectionError, TimeoutError):
                if attempt == 2:
                    raise
                await asyncio.sleep(0.5 * 2**attempt)

"""
_PROPERTY = """
    @property
    def _email_context_until(self):
        return getattr(self._email_handler, "_email_context_until", None)

    @_email_context_until.setter
    def _email_context_until(self, value):
        self._email_handler._email_context_until = value
"""


def _copy(into: Path) -> Path:
    shutil.copytree(ASSISTANT, into, ignore=shutil.ignore_patterns("__pycache__"))
    return into


def _fixed_copy(into: Path) -> Path:
    folder = _copy(into)
    poller = folder / "assistant" / "imap_poller.py"
    text = poller.read_text()
    call, definition = "reader, writer = await self._connect()", "    async def _connect(self)"
    assert text.count(call) == text.count(definition) == 1
    poller.write_text(text.replace(call, call.replace("()", "_with_retry()")).replace(definition, _RETRY + definition))
    agent = folder / "assistant" / "email_agent.py"
    agent.write_text(agent.read_text() + _PROPERTY)
    return folder


def _run(folder: Path, database: Path, *days: Day) -> None:
    for day in days:
        asyncio.run(run_day(folder, day, database, "abc123"))


def _rows(database: Path, query: str, *parameters: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query, parameters).fetchall()


def _statuses(database: Path, date: str) -> dict[str, int]:
    query = "SELECT status FROM tasks WHERE date(created_at) = ?"
    return Counter(status for (status,) in _rows(database, query, date))


def _errors(database: Path, date: str) -> dict[str, int]:
    query = "SELECT error FROM tasks WHERE date(created_at) = ? AND status = 'failed'"
    known = (_ATTRIBUTE, _IMAP, _GATEWAY)
    errors = [error for (error,) in _rows(database, query, date)]
    return Counter(next((start for start in known if error.startswith(start)), error) for error in errors)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The assistant's folder and its database after the days before the fix."""
    root = tmp_path_factory.mktemp("week")
    folder, database = _copy(root / "assistant"), root / "tasks.db"
    _run(folder, database, *days_before_the_fix())
    return folder, database


# --- the days before the fix ---------------------------------------------------------------------------


def test_thursday_has_one_gateway_timeout(week: tuple[Path, Path]) -> None:
    assert _statuses(week[1], "2026-02-12") == {"done": 11, "failed": 1}
    assert _errors(week[1], "2026-02-12") == {_GATEWAY: 1}


def test_sunday_has_the_numbers_of_the_real_session(week: tuple[Path, Path]) -> None:
    assert _statuses(week[1], "2026-02-15") == {"done": 156, "failed": 13}
    assert _errors(week[1], "2026-02-15") == {_ATTRIBUTE: 2, _IMAP: 4, _GATEWAY: 7}


def test_the_small_hours_leave_one_task_running_before_the_night_reads(week: tuple[Path, Path]) -> None:
    assert _statuses(week[1], "2026-02-16") == {"done": 6, "failed": 1, "running": 1}
    assert _errors(week[1], "2026-02-16") == {_GATEWAY: 1}
    assert _rows(week[1], "SELECT kind, finished_at FROM tasks WHERE status = 'running'") == [("digest.weekly", None)]
    ((last,),) = _rows(week[1], "SELECT max(strftime('%H:%M:%S', coalesce(finished_at, created_at))) FROM tasks "
                                "WHERE date(created_at) = '2026-02-16'")  # fmt: skip
    assert last < "00:17:00"


def test_imap_timeouts_are_subtasks_whose_parents_cope_while_most_polls_succeed(week: tuple[Path, Path]) -> None:
    parents = _rows(
        week[1],
        "SELECT parent.kind, parent.status FROM tasks AS child JOIN tasks AS parent ON parent.id = child.parent_id "
        "WHERE child.kind = 'imap.poll' AND child.status = 'failed'",
    )
    ((polls,),) = _rows(week[1], "SELECT count(*) FROM tasks WHERE kind = 'imap.poll' AND status = 'done'")

    assert parents == [("inbox.sync", "done")] * 4
    assert polls == 48


@pytest.mark.parametrize(
    ("error", "last_frames"),
    [
        (_ATTRIBUTE, [("email_agent.py", "handle"), ("email_agent.py", "_follow_up")]),
        (_IMAP, [("imap_poller.py", "poll"), ("imap_poller.py", "_connect")]),
        (_GATEWAY, [("email_agent.py", "summarise"), ("gateway.py", "summarise")]),
    ],
)
def test_tracebacks_end_in_the_code_of_the_assistant(
    week: tuple[Path, Path], error: str, last_frames: list[tuple[str, str]]
) -> None:
    tracebacks = _rows(week[1], "SELECT traceback FROM tasks WHERE substr(error, 1, ?) = ?", str(len(error)), error)
    package = week[0].resolve() / "assistant"

    assert tracebacks
    for (text,) in tracebacks:
        frames = re.findall(r'^  File "(.+)", line \d+, in (\w+)$', text, re.MULTILINE)
        assert frames[-2:] == [(str(package / name), function) for name, function in last_frames]


def test_the_traceback_of_an_imap_timeout_shows_the_connect_call(week: tuple[Path, Path]) -> None:
    ((text,), *_) = _rows(week[1], "SELECT traceback FROM tasks WHERE kind = 'imap.poll' AND status = 'failed'")

    assert "    reader, writer = await self._connect()\n" in text


def test_every_row_says_when_what_and_by_which_version(week: tuple[Path, Path]) -> None:
    rows = _rows(week[1], "SELECT version, kind, agent, input, started_at FROM tasks")

    assert {version for version, *_ in rows} == {"abc123"}
    assert all(value for row in rows for value in row)


def test_the_same_day_gives_the_same_rows_again(week: tuple[Path, Path], tmp_path: Path) -> None:
    database = tmp_path / "again.db"
    _run(week[0], database, sunday())
    query = (
        "SELECT id, parent_id, kind, status, input, retries, created_at, started_at, finished_at FROM tasks "
        "WHERE date(created_at) = '2026-02-15' ORDER BY id"
    )

    assert _rows(database, query) == _rows(week[1], query)


# --- the day after the fix -----------------------------------------------------------------------------


def test_without_the_fixes_monday_would_meet_both_errors_again(tmp_path: Path) -> None:
    _run(_copy(tmp_path / "assistant"), tmp_path / "tasks.db", monday())

    errors = _errors(tmp_path / "tasks.db", "2026-02-16")

    assert errors[_IMAP] == 3
    assert errors[_ATTRIBUTE] >= 3
    assert errors[_GATEWAY] == 4


def test_with_the_fixes_monday_meets_neither_but_the_gateway_is_as_slow_as_before(tmp_path: Path) -> None:
    _run(_fixed_copy(tmp_path / "assistant"), tmp_path / "tasks.db", small_hours(), monday())

    assert _statuses(tmp_path / "tasks.db", "2026-02-16") == {"done": 6 + 124, "failed": 1 + 4, "running": 1}
    assert _errors(tmp_path / "tasks.db", "2026-02-16") == {_GATEWAY: 1 + 4}


# --- the plans -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [thursday(), sunday(), small_hours(), monday()], ids=lambda day: day.name)
def test_every_planned_task_has_a_minute_of_its_own_and_ends_within_it(day: Day) -> None:
    starts = [task.at for task in day.tasks]

    assert all((later - earlier).total_seconds() >= 60 for earlier, later in pairwise(starts))
    assert all(0 < task.seconds < 60 for task in day.tasks)


@pytest.mark.parametrize("day", [thursday(), sunday(), small_hours(), monday()], ids=lambda day: day.name)
def test_the_gateway_is_told_only_of_requests_that_the_plan_makes(day: Day) -> None:
    assert day.failing | day.stalling <= {task.input.get("id") for task in day.tasks}


# --- running a day -------------------------------------------------------------------------------------


async def test_a_broken_assistant_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    folder = _copy(tmp_path / "assistant")
    (folder / "assistant" / "runner.py").write_text("raise RuntimeError('out of order')\n")

    with pytest.raises(SelfImproverError, match=r"did not get through 2026-02-12(.|\n)*RuntimeError: out of order"):
        await run_day(folder, thursday(), tmp_path / "tasks.db", "abc123")


async def test_an_assistant_that_ends_before_it_could_be_stopped_is_reported(tmp_path: Path) -> None:
    folder = _copy(tmp_path / "assistant")
    (folder / "assistant" / "runner.py").write_text("print('nothing to do')\n")

    with pytest.raises(SelfImproverError, match=r"did not get through 2026-02-16-n(.|\n)*nothing to do"):
        await run_day(folder, small_hours(), tmp_path / "tasks.db", "abc123")


async def test_the_assistant_sees_no_secret_of_the_process_that_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _copy(tmp_path / "assistant")
    (folder / "assistant" / "runner.py").write_text(
        "import os, sys\nsys.exit('environment: ' + ' '.join(os.environ))\n"
    )
    monkeypatch.setenv("A_SECRET_TOKEN", "hidden")

    with pytest.raises(SelfImproverError, match="environment: ") as caught:
        await run_day(folder, thursday(), tmp_path / "tasks.db", "abc123")

    assert "A_SECRET_TOKEN" not in str(caught.value)


# --- the assistant as a project ------------------------------------------------------------------------


@pytest.mark.parametrize("make", [_copy, _fixed_copy], ids=["as it is", "fixed"])
@pytest.mark.parametrize(
    "runner", [["unittest"], ["pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]], ids=["unittest", "pytest"]
)
def test_its_own_tests_pass_before_and_after_the_fixes(make: object, runner: Sequence[str], tmp_path: Path) -> None:
    assert callable(make)
    folder = make(tmp_path / "assistant")

    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", *runner],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Ran 15 tests|15 passed", done.stdout + done.stderr)


def test_only_the_handler_defines_the_attribute_that_the_agent_reads() -> None:
    classes = [
        node
        for path in ASSISTANT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assigning = [
        node.name
        for node in classes
        if any(
            isinstance(inner, ast.Attribute)
            and inner.attr == "_email_context_until"
            and isinstance(inner.ctx, ast.Store)
            for inner in ast.walk(node)
        )
    ]

    assert assigning == ["EmailHandler"]
    assert [node.name for node in classes].count("EmailAgent") == 1


# --- the servers ---------------------------------------------------------------------------------------


async def _greeting(server: ImapServer) -> bytes:
    host, _, port = server.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(0.4):
            return await reader.readline()
    except TimeoutError:
        return b""
    finally:
        writer.close()
        await writer.wait_closed()


async def test_the_mail_server_is_silent_on_the_chosen_connections_only() -> None:
    async with ImapServer(silent={2}) as server:
        greetings = [await _greeting(server) for _ in range(3)]

    assert [bool(greeting) for greeting in greetings] == [True, False, True]
    assert (server.connections, server.silences) == (3, 1)


async def test_the_mail_server_refuses_commands_it_does_not_know() -> None:
    async with ImapServer() as server:
        host, _, port = server.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await reader.readline()
        writer.write(b"a1 EXPUNGE\r\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()

    assert answer == b"a1 BAD unknown command\r\n"


def _post(server: GatewayServer, path: str, body: str) -> tuple[int, bytes]:
    host, _, port = server.address.partition(":")
    connection = HTTPConnection(host, int(port))
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/summaries", '{"reference": "a", "text": "One. Two."}', 200),
        ("/v1/summaries", '{"reference": "b", "text": "One. Two."}', 504),
        ("/elsewhere", "{}", 404),
    ],
)
async def test_the_gateway_fails_the_chosen_references_only(path: str, body: str, status: int) -> None:
    async with GatewayServer(failing={"b"}) as server:
        answers = [await asyncio.to_thread(_post, server, path, body) for _ in range(2)]

    assert [answer[0] for answer in answers] == [status, status]


async def test_the_gateway_hangs_up_on_nonsense() -> None:
    async with GatewayServer() as server:
        with pytest.raises(RemoteDisconnected):
            await asyncio.to_thread(_post, server, "/v1/summaries", "[")


async def test_servers_close_even_while_a_client_is_kept_waiting() -> None:
    async with MisbehavingServers(silent={1}, stalling={"a"}) as servers:
        waiting = [await asyncio.open_connection(*servers.imap.address.split(":"))]
        waiting.append(await asyncio.open_connection(*servers.gateway.address.split(":")))
        body = b'{"reference": "a", "text": ""}'
        waiting[1][1].write(b"POST /v1/summaries HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await servers.gateway.stalled.wait()

    for reader, writer in waiting:
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
