"""Loopback servers that misbehave in a chosen way: the outside world of the example assistant.

Which connections and requests go wrong depends on their number and their content alone, never on the time of day
or on what the assistant does about it.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Container
from contextlib import AsyncExitStack, suppress
from typing import Self

_HOST = "127.0.0.1"
_MAX_BODY = 1_000_000
_HANG_UP = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, KeyError)
"""Clients that leave early or talk nonsense are hung up on."""


class _LoopbackServer(ABC):
    """Accepts connections on a free port of 127.0.0.1 and hangs up on all of them in the end."""

    def __init__(self) -> None:
        self._port = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """``host:port``, known once the server runs."""
        return f"{_HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, _HOST, 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(*_HANG_UP):
                await self._converse(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    @abstractmethod
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speaks with one client until it hangs up."""


class ImapServer(_LoopbackServer):
    """Speaks as much of IMAP as a poll needs, but says nothing at all on the ``silent`` connections (counted from 1).

    A client that tries again gets a fresh connection with a number of its own.
    """

    def __init__(self, silent: Container[int] = ()) -> None:
        super().__init__()
        self._silent = silent
        self.connections = 0
        """Connections accepted so far."""
        self.silences = 0
        """Connections on which it said nothing."""

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        if number in self._silent:
            self.silences += 1
            await reader.read()
            return
        writer.write(b"* OK IMAP4rev1 ready\r\n")
        while line := await reader.readline():
            tag, _, command = line.decode("ascii", "replace").strip().partition(" ")
            writer.write(_imap_answer(tag, command, number).encode("ascii", "replace"))
            await writer.drain()


class GatewayServer(_LoopbackServer):
    """A language-model gateway: answers 504 to ``failing`` references and keeps ``stalling`` ones waiting for ever.

    It serves ``POST /v1/summaries`` with ``{"reference": …, "text": …}``, one request a connection.
    """

    def __init__(self, failing: Container[str] = (), stalling: Container[str] = ()) -> None:
        super().__init__()
        self._failing = failing
        self._stalling = stalling
        self.stalled = asyncio.Event()
        """Set as soon as a request waits for ever."""

    @property
    def url(self) -> str:
        """Where the gateway listens."""
        return f"http://{self.address}"

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        body = await reader.readexactly(_content_length(head))
        request = json.loads(body) if head.startswith("POST /v1/summaries ") else None
        if request is None:
            writer.write(_http_answer("404 Not Found", {}))
        elif request["reference"] in self._stalling:
            self.stalled.set()
            await reader.read()
        elif request["reference"] in self._failing:
            writer.write(_http_answer("504 Gateway Timeout", {"error": "the model took too long"}))
        else:
            writer.write(_http_answer("200 OK", {"summary": _summary(request["text"])}))
        await writer.drain()


class MisbehavingServers:
    """Both servers, for the time of an ``async with``."""

    def __init__(
        self, *, silent: Container[int] = (), failing: Container[str] = (), stalling: Container[str] = ()
    ) -> None:
        self.imap = ImapServer(silent)
        self.gateway = GatewayServer(failing, stalling)
        self._stack = AsyncExitStack()

    @property
    def imap_address(self) -> str:
        """``host:port`` of the mail server."""
        return self.imap.address

    @property
    def gateway_url(self) -> str:
        """The URL of the gateway."""
        return self.gateway.url

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.imap)
        await self._stack.enter_async_context(self.gateway)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()


def _imap_answer(tag: str, command: str, unseen: int) -> str:
    """The answer to one command (RFC 3501, section 6); the mailbox holds a few more unseen mails at every poll."""
    untagged = {
        "SELECT": f"* {unseen} EXISTS\r\n",
        "SEARCH": "* SEARCH " + " ".join(str(number) for number in range(max(1, unseen - 2), unseen + 1)) + "\r\n",
        "LOGOUT": "* BYE\r\n",
    }
    name = command.partition(" ")[0].upper()
    if name not in {"LOGIN", *untagged}:
        return f"{tag} BAD unknown command\r\n"
    return f"{untagged.get(name, '')}{tag} OK {name} completed\r\n"


def _content_length(head: str) -> int:
    for line in head.splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return min(int(value), _MAX_BODY)
    return 0


def _http_answer(status: str, content: dict[str, str]) -> bytes:
    body = json.dumps(content).encode("utf-8")
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    )
    return f"{head}\r\n".encode("ascii") + body


def _summary(text: str) -> str:
    """The first sentence of the last paragraph: as good as a model that is not there."""
    return text.rpartition("\n\n")[2].partition(". ")[0].rstrip(".") + "."
