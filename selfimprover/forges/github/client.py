"""GitHub as a caller wants it: reads that are repeated, writes that are not, pages, limits and archives."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from selfimprover.errors import ForgeError
from selfimprover.forges.github import addresses
from selfimprover.forges.github.auth import Auth
from selfimprover.forges.github.graphql import decipher_graphql
from selfimprover.forges.github.pace import Deadline, Pace
from selfimprover.forges.github.rules import Answer, unanswered
from selfimprover.forges.github.session import Session, as_json
from selfimprover.forges.github.wire import Calls, Request, Wire

_PAGE = 100
_MOST_PAGES = 100
_KEPT = 2
_ARCHIVE_DEADLINE = 300.0


class GitHub:
    """One identity at one GitHub. All of its calls share the connections, the rate limit and the order of writes.

    ``write_interval`` is the least number of seconds between two writes, ``deadline`` the most that one call may take
    with everything it repeats and waits for; a listing is one call. An answer of ``deadline`` never comes late, for it
    also ends a server that sends a byte now and then. Every method raises the errors of ``errors.py``.
    """

    def __init__(
        self,
        api_url: str,
        auth: Auth,
        *,
        write_interval: float = 1.0,
        deadline: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api_url = addresses.normalise_api_url(api_url)
        self._deadline = deadline
        self._monotonic = monotonic
        self._writing = asyncio.Lock()
        self._constant: dict[str, Answer] = {}
        self._wire = Wire(self._api_url, transport=transport)
        pace = Pace(write_interval, sleep=sleep, now=now, monotonic=monotonic)
        self._session = Session(self._api_url, auth, self._wire, pace)

    @property
    def api_url(self) -> str:
        """The API's address, without a slash at its end."""
        return self._api_url

    @property
    def calls(self) -> Calls:
        """What was asked of GitHub so far."""
        return self._wire.calls

    @property
    def renamed_to(self) -> str | None:
        """What the repository is called now, if GitHub said that it was renamed: ``owner/name``, else its number."""
        return self._session.renamed_to

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._wire.__aexit__(*exception)

    async def get(self, path: str, **query: addresses.QueryValue) -> Answer:
        """Reads one thing."""
        return await self._session.answer(Request("GET", addresses.url(self._api_url, path, **query)), self._until())

    async def get_once(self, path: str, **query: addresses.QueryValue) -> Answer:
        """Reads one thing that never changes, such as what a commit has in it; whoever asks again gets the same."""
        address = addresses.url(self._api_url, path, **query)
        if address not in self._constant:
            answer = await self.get(path, **query)
            for old in list(self._constant)[: 1 - _KEPT]:
                del self._constant[old]
            self._constant[address] = answer
        return self._constant[address]

    async def get_if_changed(self, path: str, etag: str | None, **query: addresses.QueryValue) -> Answer | None:
        """Reads one thing unless it is as it was when it had ``etag``; an unchanged one costs none of the limit.

        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
        """
        request = Request("GET", addresses.url(self._api_url, path, **query), etag=etag)
        answer = await self._session.answer(request, self._until())
        return None if answer.unchanged else answer

    async def get_all(
        self, path: str, *, key: str | None = None, **query: addresses.QueryValue
    ) -> list[dict[str, Any]]:
        """Reads every page of a list; ``key`` is the name under which a wrapped list stands, such as ``check_runs``.

        https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        until = self._until()
        here = addresses.url(self._api_url, path, **{"per_page": _PAGE, **query})
        found: list[dict[str, Any]] = []
        for _ in range(_MOST_PAGES):
            answer = await self._session.answer(Request("GET", here), until)
            found += _items(answer, key, here)
            if answer.next_page is None:
                return found
            here = addresses.redirected(here, answer.next_page)
            if not addresses.same_origin(self._api_url, here):
                raise ForgeError("the next page is on another host", where=addresses.shown(here))
        raise ForgeError(f"the list has more than {_MOST_PAGES} pages", where=addresses.shown(here))

    async def write(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Changes something, one change after the other. It is repeated only where GitHub surely did nothing.

        Raises ``DoubtError`` when nobody knows whether it was done.
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
        """
        content = None if body is None else as_json(body)
        async with self._writing:
            request = Request(method, addresses.url(self._api_url, path), content, write=True)
            return await self._session.answer(request, self._until())

    async def graphql(self, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Asks GraphQL and returns ``data``; a mutation is a write like any other."""
        write = query.lstrip().startswith("mutation")
        content = as_json({"query": query, "variables": dict(variables or {})})
        request = Request("POST", addresses.graphql_url(self._api_url), content, write=write)

        async def ask() -> dict[str, Any]:
            answer = await self._session.once(request, until)
            return decipher_graphql(answer, what=addresses.shown(request.url), write=write)

        if not write:
            until = self._until()
            return await self._session.repeating(ask, until)
        async with self._writing:
            until = self._until()
            return await self._session.repeating(ask, until)

    async def download(self, path: str, into: Path, *, most_bytes: int, deadline: float = _ARCHIVE_DEADLINE) -> int:
        """Fetches an archive by way of GitHub's redirect and returns its size in bytes; on failure no file is left.

        https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar
        """
        until = Deadline(deadline, self._monotonic)
        request = Request("GET", addresses.url(self._api_url, path))

        async def fetch() -> int:
            answer = await self._session.once(request, until, whole=False)
            location = addresses.redirected(request.url, answer.location or "")
            if not answer.location or not addresses.may_fetch_file(self._api_url, location):
                what = "GitHub names no place of its own for the archive"
                mend = "check github.api_url, and whether a proxy or login page is between us"
                raise ForgeError(what, where=addresses.shown(request.url), mend=mend)
            try:
                async with asyncio.timeout(until.left()):
                    return await self._wire.fetch(location, into, most_bytes=most_bytes)
            except TimeoutError:
                raise unanswered(
                    "the archive did not come in time", where=addresses.shown(location), write=False
                ) from None

        return await self._session.repeating(fetch, until)

    def _until(self) -> Deadline:
        return Deadline(self._deadline, self._monotonic)


def _items(answer: Answer, key: str | None, here: str) -> list[dict[str, Any]]:
    found = answer.data.get(key) if key is not None and isinstance(answer.data, dict) else answer.data
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ForgeError("the answer is not the list that it should be", where=addresses.shown(here))
    return found
