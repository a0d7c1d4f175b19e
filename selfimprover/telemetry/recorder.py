"""Records an assistant's tasks in an SQLite table that ``selfimprover`` can read.

For assistants that have no task telemetry yet. It runs in the assistant's own process: it needs the standard
library alone, keeps the event loop free, and a write that fails never touches the task that it tells about.

    recorder = Recorder("tasks.db", agent="email", version="4f2a91c")

    async with recorder.task("imap.poll", input={"folder": "INBOX"}) as task:
        ...
"""

import asyncio
import functools
import inspect
import json
import logging
import os
import sqlite3
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

_CREATE = """
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    error TEXT,
    created_at TEXT NOT NULL,
    traceback TEXT,
    agent TEXT,
    kind TEXT,
    started_at TEXT,
    finished_at TEXT,
    parent_id TEXT,
    retries INTEGER,
    input TEXT,
    version TEXT
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS tasks_created_at ON tasks (created_at)"
_START = """
INSERT INTO tasks (id, status, created_at, agent, kind, started_at, parent_id, retries, input, version)
VALUES (:id, 'running', :created_at, :agent, :kind, :created_at, :parent_id, :retries, :input, :version)
"""
# Also an insert, in case the first write was lost.
_FINISH = """
INSERT INTO tasks (id, status, error, created_at, traceback, agent, kind, started_at, finished_at, parent_id, retries,
    input, version)
VALUES (:id, :status, :error, :created_at, :traceback, :agent, :kind, :created_at, :finished_at, :parent_id, :retries,
    :input, :version)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, error = excluded.error, traceback = excluded.traceback,
    finished_at = excluded.finished_at, retries = excluded.retries
"""
_PRIMARY = 0xFF  # https://www.sqlite.org/rescode.html: the low byte of an extended code

_log = logging.getLogger("selfimprover.recorder")
_current: ContextVar["RecordedTask | None"] = ContextVar("selfimprover_recorded_task", default=None)

Row = dict[str, str | int | None]


class Recorder:
    """Writes tasks to the table ``tasks`` of the SQLite file ``path``, which is created if it is not there.

    ``agent`` and ``version`` (the commit that runs, say) hold for all its tasks; ``new_id`` makes their ids. Any
    number of processes and tasks may record into one file. ``lost`` counts the writes that failed; the first one
    is reported to the logger ``selfimprover.recorder``.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        agent: str | None = None,
        version: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        busy_timeout: float = 5.0,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self.lost = 0
        self.clock = clock
        self._agent = agent
        self._version = version
        self._new_id = new_id
        self._writer = _Writer(Path(path), busy_timeout, self._lose)

    def task(
        self,
        kind: str,
        *,
        agent: str | None = None,
        input: object = None,  # noqa: A002 - the name of the column that it fills
        retries: int = 0,
        parent: str | None = None,
    ) -> "RecordedTask":
        """A task to be entered with ``async with`` or ``with``; what happens inside decides its status.

        ``input`` is what the task was given: text as it is, anything else as JSON. ``parent`` is the id of the task
        it belongs to (default: the task that it runs in).
        """
        row: Row = {
            "id": self._new_id(),
            "kind": kind,
            "agent": self._agent if agent is None else agent,
            "version": self._version,
            "input": self._as_text(input),
            "parent_id": parent,
        }
        return RecordedTask(self, self._writer, row, retries)

    def recorded(self, kind: str, *, agent: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """A decorator that records every call of a function or coroutine function as a task."""

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def run(*args: P.args, **kwargs: P.kwargs) -> object:
                    async with self.task(kind, agent=agent):
                        return await function(*args, **kwargs)

                return cast("Callable[P, R]", run)

            @functools.wraps(function)
            def call(*args: P.args, **kwargs: P.kwargs) -> R:
                with self.task(kind, agent=agent):
                    return function(*args, **kwargs)

            return call

        return decorate

    def close(self) -> None:
        """Writes what is still waiting and closes the file. Later tasks run, but are not recorded."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _as_text(self, value: object) -> str | None:
        if value is None or isinstance(value, str):
            return value
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            _log.warning("the input of a task is not recorded: %s", error)
            return None

    def _lose(self, reason: str) -> None:
        self.lost += 1
        if self.lost == 1:
            _log.warning("a task could not be recorded: %s (further losses are only counted)", reason)


class RecordedTask:
    """One task while it runs. ``retries`` may be set; it is written when the task ends."""

    def __init__(self, recorder: Recorder, writer: "_Writer", row: Row, retries: int) -> None:
        self.retries = retries
        self.recorder = recorder
        self._writer = writer
        self._row = row
        self._token: Token[RecordedTask | None] | None = None

    @property
    def id(self) -> str:
        """The id of the row."""
        return str(self._row["id"])

    def __enter__(self) -> Self:
        self._start().result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        self._finish(error).result()

    async def __aenter__(self) -> Self:
        started = self._start()
        try:
            await _written(started)
        except asyncio.CancelledError as error:
            self._finish(error)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        finished = self._finish(error)
        if not isinstance(error, GeneratorExit):  # a coroutine that is being thrown away may not wait
            await _written(finished)

    def _start(self) -> "Future[None]":
        outer = _current.get()
        if self._row["parent_id"] is None and outer is not None and outer.recorder is self.recorder:
            self._row["parent_id"] = outer.id
        self._token = _current.set(self)
        self._row["created_at"] = _with_z(self.recorder.clock())
        return self._writer.submit(_START, {**self._row, "retries": self.retries})

    def _finish(self, error: BaseException | None) -> "Future[None]":
        if self._token is not None:
            with suppress(ValueError):  # left in another context than it was entered: that one ends by itself
                _current.reset(self._token)
        ending: Row = {
            "status": _status(error),
            "error": None if error is None else _error_text(error),
            "traceback": None if error is None else "".join(_told(error).format()),
            "finished_at": _with_z(self.recorder.clock()),
            "retries": self.retries,
        }
        return self._writer.submit(_FINISH, {**self._row, **ending})


class _Writer:
    """One connection in one thread: writes happen in the order they were asked for, and beside the event loop."""

    def __init__(self, path: Path, busy_timeout: float, lose: Callable[[str], None]) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._lose = lose
        self._closed = False
        self._process = os.getpid()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="selfimprover-recorder")
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection | None] = []

    def submit(self, statement: str, row: Row) -> "Future[None]":
        """Writes soon; the answer only says when, for it never fails."""
        self._leave_the_parent_alone()
        try:
            return self._thread.submit(self._write, statement, row)
        except RuntimeError as error:  # closed, or the interpreter is shutting down
            self._lose(str(error))
            done: Future[None] = Future()
            done.set_result(None)
            return done

    def close(self) -> None:
        self._leave_the_parent_alone()
        if not self._closed:
            self._closed = True
            self._thread.submit(self._disconnect)
            self._thread.shutdown()

    def _leave_the_parent_alone(self) -> None:
        """After a fork, begins anew: neither threads nor SQLite connections survive one.

        https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
        """
        if self._process != os.getpid():
            self._inherited.append(self._connection)  # kept, because closing it here would harm the parent
            self._connection = None
            self._process = os.getpid()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="selfimprover-recorder")

    def _write(self, statement: str, row: Row) -> None:
        try:
            if self._connection is None:
                self._connection = self._connected()
            self._connection.execute(statement, {name: _storable(value) for name, value in row.items()})
        except sqlite3.Error as error:
            self._lose(str(error))

    def _connected(self) -> sqlite3.Connection:
        """A connection to a database that has the table.

        Several processes that create it at once may be told "locked" without waiting, so the wait is done here.
        """
        deadline = time.monotonic() + self._busy_timeout
        while True:
            try:
                return self._created()
            except sqlite3.OperationalError as error:
                busy = getattr(error, "sqlite_errorcode", 0) & _PRIMARY == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _created(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_CREATE)
            connection.execute(_INDEX)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with closing(self._connection):
                self._connection = None


async def _written(write: "Future[None]") -> None:
    await asyncio.shield(asyncio.wrap_future(write))


def _status(error: BaseException | None) -> str:
    if error is None:
        return "done"
    return "cancelled" if isinstance(error, asyncio.CancelledError | GeneratorExit) else "failed"


def _told(error: BaseException) -> traceback.TracebackException:
    """The traceback of ``error`` from the assistant's own code on: without the recorder's frames above it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and frames.tb_frame.f_globals.get("__name__") == __name__:
        frames = frames.tb_next
    return traceback.TracebackException(type(error), error, frames)


def _error_text(error: BaseException) -> str:
    """``Type: message`` as the last line of a traceback says it, with the short name of the type.

    ``traceback`` reads the message, because it also copes with exceptions that cannot say theirs.
    """
    kind = type(error)
    told = _told(error)
    told.__notes__ = None
    last = "".join(told.format_exception_only()).strip()
    message = last.partition(f"{kind.__qualname__}: ")[2]
    return f"{kind.__name__}: {message}" if message else kind.__name__


def _storable(value: str | int | None) -> str | int | None:
    """Text that SQLite takes: half characters (lone surrogates) are written as escapes."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _with_z(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
