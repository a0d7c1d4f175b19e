"""The connections below the client: what may go out with a request, and how much of an answer may come in."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2

_MAY_GO_OUT = {"accept", "authorization", "connection", "content-length", "content-type", "host"}
"""The client would tell of the machine as well: its system, its Python, what the environment says of OpenAI."""


class UnusableAnswerError(Exception):
    """The answer is too large, or packed although that was not asked for: its size cannot be told before unpacking."""


def connections(timeout: httpx2.Timeout, *, most_bytes: int, keyed: bool) -> httpx2.AsyncClient:
    """Connections by way of the environment's proxies; nothing is followed. Not ``keyed``, no key goes out."""
    may_go_out = _MAY_GO_OUT if keyed else _MAY_GO_OUT - {"authorization"}

    async def outgoing(request: httpx2.Request) -> None:
        for name in set(request.headers) - may_go_out:
            del request.headers[name]
        request.headers.update({"User-Agent": "selfimprover", "Accept-Encoding": "identity"})

    async def incoming(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnusableAnswerError("the answer is packed, which was not asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Capped(response.stream, most_bytes)

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [outgoing], "response": [incoming]}
    return httpx2.AsyncClient(timeout=timeout, follow_redirects=False, event_hooks=hooks)


class _Capped(httpx2.AsyncByteStream):
    """Ends in an error where it becomes too large."""

    def __init__(self, inner: httpx2.AsyncByteStream, most_bytes: int) -> None:
        self._inner = inner
        self._left = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._left -= len(piece)
            if self._left < 0:
                raise UnusableAnswerError("the answer is too large")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
