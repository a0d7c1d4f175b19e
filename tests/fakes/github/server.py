"""HTTP/1.1 on loopback, in a thread of its own; faults happen here."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from tests.fakes.github.answers import Answer, Request
from tests.fakes.github.faults import Fault, Faults
from tests.fakes.github.log import Call, Log

Responder = Callable[[Request, Call], Answer]
_NO_BODY = {204, 304}


class Server:
    """``hosts`` are answered on a port each."""

    def __init__(
        self, hosts: dict[str, Responder], faults: Faults, log: Log, now: Callable[[], datetime], prefix: str = ""
    ) -> None:
        self._hosts = hosts
        self._faults = faults
        self._log = log
        self._now = now
        self._prefix = prefix
        self._sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in hosts}
        self.ports: dict[str, int] = {name: one.getsockname()[1] for name, one in self._sockets.items()}
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[BaseException] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fake GitHub", daemon=True)
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """Ends all connections; raises if the fake itself failed at something, and so answered nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        if self._errors:
            raise AssertionError("the fake GitHub is wrong") from self._errors.pop()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers = [await asyncio.start_server(self._accepting(name), sock=one) for name, one in self._sockets.items()]
        self._ready.set()
        await self._stop.wait()
        for server in servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error:
            self._errors.append(error)

    def _accepting(self, host: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._converse(host, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

        return accept

    async def _converse(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(host, reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection goes on."""
        request = await _read(reader)
        call = self._noted(host, request)
        request = self._without_prefix(request)
        fault = self._faults.meet(request.method, unquote(request.path))
        call.fault = fault.name if fault else None
        answer = self._hosts[host](request, call) if not fault or fault.effect else Answer(500)
        if fault and fault.answer:
            answer = Answer(fault.answer.status, fault.answer.body, dict(fault.answer.headers))
        if fault and fault.drop:
            _hang_up(writer, reset=fault.reset)
            return False
        return await self._send(writer, answer, call, fault or Fault("", "", ""), request)

    def _noted(self, host: str, request: Request) -> Call:
        headers = {name: value for name, value in request.headers.items() if name != "authorization"}
        authorized = "authorization" in request.headers
        path, body = unquote(request.path), request.body()
        call = Call(host, request.method, path, request.query, headers, authorized, body, request.raw, self._now())
        self._log.calls.append(call)
        return call

    def _without_prefix(self, request: Request) -> Request:
        path = request.path
        if self._prefix:
            path = "/graphql" if path == "/api/graphql" else path.removeprefix(self._prefix)
        return Request(request.method, path, request.query, request.headers, request.raw)

    async def _send(
        self, writer: asyncio.StreamWriter, answer: Answer, call: Call, fault: Fault, request: Request
    ) -> bool:
        await asyncio.sleep(fault.delay)
        content = b"" if answer.status in _NO_BODY else answer.content()
        call.status, call.sent = answer.status, len(content)
        head, chunked = self._head(answer, len(content))
        if chunked:
            content = f"{len(content):x}\r\n".encode() + content + b"\r\n0\r\n\r\n"
        if fault.cut is None and not fault.stall:
            writer.write(head + content)
            await writer.drain()
            return request.headers.get("connection", "").lower() != "close"
        middle = int(len(content) * (0.5 if fault.cut is None else fault.cut))
        writer.write(head + content[:middle])
        await writer.drain()
        if fault.cut is not None:
            return False
        await asyncio.sleep(fault.stall)
        writer.write(content[middle:])
        await writer.drain()
        return True

    def _head(self, answer: Answer, length: int) -> tuple[bytes, bool]:
        headers = {
            "Server": "github.com",
            "Date": format_datetime(self._now(), usegmt=True),
            "Content-Type": "application/json; charset=utf-8",
            **answer.headers,
        }
        chunked = "Transfer-Encoding" in headers
        if not chunked and answer.status not in _NO_BODY:
            headers.setdefault("Content-Length", str(length))
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), chunked


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    return Request(method, path, dict(parse_qsl(query, keep_blank_values=True)), headers, raw)


def _hang_up(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset:
        one = writer.get_extra_info("socket")
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
