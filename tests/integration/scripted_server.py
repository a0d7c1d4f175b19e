"""An HTTP server on loopback that answers from a script, misbehaviour included, and a clock that nobody waits for."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from selfimprover.forges.github.auth import Auth, TokenAuth
from selfimprover.forges.github.client import GitHub

TOKEN = "ghp_thisIsTheTokenOfTheTests0123456789"
DROP = b"DROP"
"""The connection ends without an answer."""
HANG = b"HANG"
"""No answer comes."""
DRIP = b"DRIP"
"""A byte comes now and then, and the answer never ends."""


def reply(status: int, body: Any = None, **headers: str) -> bytes:
    """An answer in GitHub's way; ``retry_after="1"`` is a header, bytes are sent as they are."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = {"content_type": "application/json; charset=utf-8", "content_length": str(len(content)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode("latin-1") + content


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Script:
    """Answers in their order; with none left the server fails the test by a 599."""

    answers: list[bytes] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def then(self, *answers: bytes) -> None:
        self.answers += answers

    @property
    def targets(self) -> list[str]:
        return [f"{one.method} {one.target}" for one in self.seen]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, version = first.split(" ")
        assert version == "HTTP/1.1"
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        self.seen.append(Seen(method, target, headers, raw))
        answer = self.answers.pop(0) if self.answers else reply(599, {"message": "the script has no answer"})
        if answer == HANG:
            await self.over.wait()
        if answer == DRIP:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n[")
            while not self.over.is_set():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        if answer in {DROP, HANG, DRIP}:
            return False
        writer.write(answer)
        await writer.drain()
        return b"connection: close" not in answer


@asynccontextmanager
async def scripted(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Script]:
    """A running server."""
    script = Script(list(answers))
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        await script.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    script.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        script.over.set()
        server.close()
        if connections:
            await asyncio.wait(connections, timeout=5)


class Clock:
    """Sleeping moves it, and takes no time."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 3, 0, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000.0)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass
class Stage:
    """A client, the server that it talks to, and the time of both."""

    github: GitHub
    script: Script
    clock: Clock


@asynccontextmanager
async def stage(
    *answers: bytes, auth: Auth | None = None, deadline: float = 60.0, write_interval: float = 1.0
) -> AsyncIterator[Stage]:
    """A client against a scripted server."""
    clock = Clock()
    async with (
        scripted(*answers) as script,
        GitHub(
            script.url,
            auth or TokenAuth(TOKEN),
            write_interval=write_interval,
            deadline=deadline,
            sleep=clock.sleep,
            now=clock.now,
            monotonic=clock.monotonic,
        ) as github,
    ):
        yield Stage(github, script, clock)
