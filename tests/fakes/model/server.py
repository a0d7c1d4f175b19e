"""The server: it answers from its script and keeps what it was asked."""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

DROP = b"DROP"
"""The connection is reset without an answer."""
HANG = b"HANG"
"""No answer comes."""
DRIP = b"DRIP"
"""A byte comes now and then, and the answer never ends."""
FLOOD = b"FLOOD"
"""Fifty megabytes come, unless the client goes away."""
_CUT = b"CUT"
_PIECE = b" " * 65536


def cut(answer: bytes) -> bytes:
    """Half of the content comes, and then the connection ends."""
    return _CUT + answer


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class ModelServer:
    """Answers in their order; with none left it says so by a status that nobody takes for success."""

    script: list[bytes] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    flooded: int = 0
    """Bytes of a flood that the client took."""
    most_at_once: int = 0
    flood_status: int = 200
    delay: float = 0.0
    mind: "Callable[[Asked], bytes] | None" = None
    """Makes the answers when the script has none left."""
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _now: int = 0

    def then(self, *answers: bytes) -> None:
        self.script += answers

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(await _read(reader))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(self.delay)
            return await self._answer(self.script.pop(0) if self.script else self._own_answer(), writer)
        finally:
            self._now -= 1

    def _own_answer(self) -> bytes:
        return self.mind(self.asked[-1]) if self.mind else _AT_A_LOSS

    async def _answer(self, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        if answer == HANG:
            await self._over.wait()
        elif answer == DROP:
            one = writer.get_extra_info("socket")
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        elif answer in {DRIP, FLOOD}:
            await self._stream(answer, writer)
        elif answer.startswith(_CUT):
            head, _, content = answer.removeprefix(_CUT).partition(b"\r\n\r\n")
            writer.write(head + b"\r\n\r\n" + content[: len(content) // 2])
            await writer.drain()
        else:
            writer.write(answer)
            await writer.drain()
            return True
        return False

    async def _stream(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        size = 50 << 20
        head = (
            f"HTTP/1.1 {self.flood_status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n"
        )
        writer.write(head.encode())
        piece = _PIECE if answer == FLOOD else b" "
        while self.flooded < size and not self._over.is_set():
            writer.write(piece)
            await writer.drain()
            self.flooded += len(piece)
            await asyncio.sleep(0 if answer == FLOOD else 0.01)

    def end(self) -> None:
        self._over.set()


_AT_A_LOSS = b"HTTP/1.1 418 Scripted\r\ncontent-length: 26\r\n\r\nthe script has no answer.."


@asynccontextmanager
async def model_server(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[ModelServer]:
    """A running server; ``url`` is its base_url."""
    made = ModelServer(list(answers))
    conversations: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        await made.converse(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    made.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield made
    finally:
        made.end()
        server.close()
        if conversations:
            await asyncio.wait(conversations, timeout=5)


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
