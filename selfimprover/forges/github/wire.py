"""The thin adapter over httpx: one request, its whole answer, and what went wrong on the way."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import httpx

from selfimprover.errors import ForgeError, UsageError
from selfimprover.forges.github.addresses import shown
from selfimprover.forges.github.errors import TOO_LARGE, BadArchiveError, UnavailableError
from selfimprover.forges.github.limits import number
from selfimprover.forges.github.rules import decipher_file, request_headers, unanswered

_LARGEST_ANSWER = 64 << 20
_TIMEOUT = httpx.Timeout(15.0, connect=10.0)  # GitHub itself ends a request after 10 seconds
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``write`` says that it changes something, ``content`` is its JSON."""

    method: str
    url: str
    content: bytes | None = None
    etag: str | None = None
    write: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Calls:
    """What was asked of GitHub so far, archives included."""

    reads: int = 0
    writes: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return self.reads + self.writes


class Wire:
    """Connections to GitHub over HTTP/1.1, by way of the environment's proxies; nothing is followed or repeated here.

    Authorities are the system's, with ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, and certifi's where there are none.
    """

    def __init__(self, api_url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.calls = Calls()
        try:
            self._client = httpx.AsyncClient(
                verify=_authorities(api_url), transport=transport, timeout=_TIMEOUT, follow_redirects=False
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            mend = "correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
            raise UsageError("the environment's proxy cannot be used", where="GitHub", mend=mend) from error

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._client.aclose()

    async def exchange(self, request: Request, token: str | None) -> Reply:
        """Sends one request and reads its answer; raises what ``unanswered`` makes of a lost one."""
        headers = request_headers(token, etag=request.etag, body=request.content is not None)
        async with self._open(request, headers) as response:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > _LARGEST_ANSWER:
                    raise unanswered("the answer is too large", where=_place(request), write=request.write)
            return Reply(response.status_code, _headers(response), bytes(body))

    async def fetch(self, url: str, into: Path, *, most_bytes: int) -> int:
        """Streams the file at ``url`` into ``into``, without any token, and returns its size in bytes."""
        request = Request("GET", url)
        where = _place(request)
        headers = {"User-Agent": "selfimprover", "Accept-Encoding": "identity"}
        async with self._open(request, headers) as response:
            decipher_file(response.status_code, _headers(response), what=shown(url))
            if (number(response.headers.get("content-length")) or 0) > most_bytes:
                raise _too_large(most_bytes, where)
            try:
                return await _store(response, into, most_bytes, where)
            except OSError as error:
                what = f"the archive cannot be stored: {error.strerror}"
                raise ForgeError(what, where=str(into), mend="make room there") from error

    @asynccontextmanager
    async def _open(self, request: Request, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        self.calls.writes += request.write
        self.calls.reads += not request.write
        self.calls.bytes_sent += len(request.content or b"")
        response = None
        try:
            built = self._client.build_request(request.method, request.url, content=request.content, headers=headers)
            async with self._client.stream(
                request.method, built.url, content=request.content, headers=headers
            ) as response:
                yield response
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _lost(error, request) from error
        finally:
            if response is not None:
                self.calls.bytes_received += response.num_bytes_downloaded


async def _store(response: httpx.Response, into: Path, most_bytes: int, where: str) -> int:
    size, whole = 0, False
    file = _created(into)
    try:
        async for piece in response.aiter_raw():
            size += len(piece)
            if size > most_bytes:
                raise _too_large(most_bytes, where)
            await asyncio.to_thread(file.write, piece)
        whole = True
    finally:
        _ended(file, into, whole=whole)
    return size


def _created(into: Path) -> BinaryIO:
    return into.open("wb")


def _ended(file: BinaryIO, into: Path, *, whole: bool) -> None:
    """No part of an archive is left where a whole one is looked for."""
    try:
        file.close()
    finally:
        if not whole:
            into.unlink(missing_ok=True)


def _authorities(api_url: str) -> ssl.SSLContext:
    """Whom to believe about certificates."""
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.access(named, os.R_OK):
        raise UsageError("SSL_CERT_FILE names a file that cannot be read", where=named)
    if not api_url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # knows no authority, for a server on loopback needs none
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        return ssl.create_default_context()
    return httpx.create_ssl_context()


def _lost(error: Exception, request: Request) -> ForgeError:
    """No text of the error is shown: it may hold an address with its query."""
    where = _place(request)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        mend = "name the file of its authorities in SSL_CERT_FILE"
        return ForgeError("the server's certificate is not trusted", where=where, mend=mend)
    if isinstance(error, httpx.InvalidURL):
        return ForgeError("this is no address", where=where)
    if isinstance(error, _NOT_SENT):
        mend = "check the network, the proxy and github.api_url"
        return UnavailableError("GitHub cannot be reached", where=where, mend=mend)
    what = "GitHub did not answer in time" if isinstance(error, httpx.TimeoutException) else "the connection was lost"
    return unanswered(what, where=where, write=request.write)


def _place(request: Request) -> str:
    return f"{request.method} {shown(request.url)}"


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _too_large(most_bytes: int, where: str) -> ForgeError:
    return BadArchiveError(f"the archive is larger than {most_bytes >> 20} MiB", where=where, mend=TOO_LARGE)
