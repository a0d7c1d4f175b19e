"""A client, the scripted server that it talks to, and a clock that nobody waits for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from selfimprover.drafting.llm.chat import Message, Tool
from selfimprover.drafting.llm.client import Client
from selfimprover.drafting.llm.server import Patience, Server
from tests.fakes.model import ModelServer, model_server

PATIENT = Patience()
KEY = "sk-thisIsTheKeyOfTheTests0123456789abcdef"
HELLO = (Message("system", "You mend code."), Message("user", "Mend it."))
READ = Tool("read_file", "Reads a file.", {"type": "object", "properties": {"path": {"type": "string"}}})


@dataclass
class Clock:
    """Sleeping moves it, and takes no time."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass
class Bench:
    """Both ends and the time between."""

    client: Client
    server: ModelServer
    clock: Clock


@asynccontextmanager
async def bench(
    *answers: bytes,
    patience: Patience = PATIENT,
    key: str | None = KEY,
    concurrency: int = 2,
    redact: Callable[[str], str] = str,
) -> AsyncIterator[Bench]:
    """A client against a scripted server."""
    clock = Clock()
    async with model_server(*answers) as server:
        whom = Server(server.url, "m-1", key, concurrency=concurrency)
        async with Client(
            whom, patience=patience, redact=redact, sleep=clock.sleep, monotonic=clock.monotonic
        ) as client:
            yield Bench(client, server, clock)
