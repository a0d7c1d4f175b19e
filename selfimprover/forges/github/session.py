"""One request until it is answered: tokens renewed, redirects followed, limits waited out, failed reads repeated."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import structlog

from selfimprover.errors import ForgeError
from selfimprover.forges.github import addresses
from selfimprover.forges.github.auth import Auth
from selfimprover.forges.github.errors import LimitedError, UnauthorisedError, UnavailableError
from selfimprover.forges.github.pace import Deadline, Pace
from selfimprover.forges.github.rules import Answer, decipher, unanswered
from selfimprover.forges.github.wire import Request, Wire
from selfimprover.forges.github.wording import plain

_ATTEMPTS = 4
_FIRST_PAUSE = 0.5
_ASTRAY = "check github.api_url, and whether a proxy or login page is between us"

T = TypeVar("T")

log = structlog.get_logger()


class Session:
    """What all requests of one identity share, at the normalised ``api_url``."""

    def __init__(self, api_url: str, auth: Auth, wire: Wire, pace: Pace) -> None:
        self._api_url = api_url
        self._auth = auth
        self._wire = wire
        self._pace = pace
        self._moved: dict[str, str] = {}
        self._refusal: UnauthorisedError | None = None
        self.renamed_to: str | None = None

    async def answer(self, request: Request, until: Deadline) -> Answer:
        """The whole answer to ``request``."""
        return await self.repeating(lambda: self.once(request, until), until)

    async def repeating(self, once: Callable[[], Awaitable[T]], until: Deadline) -> T:
        """Repeats what had no effect: reads that failed, and whatever was limited. Doubts go to the caller."""
        troubles = 0
        while True:
            await self._pace.wait_for_limit(until)
            try:
                result = await once()
            except LimitedError as error:
                self._pace.limited(error)
            except UnavailableError:
                troubles += 1
                pause = _FIRST_PAUSE * 2**troubles * random.uniform(0.5, 1.0)  # noqa: S311  (no secret)
                if troubles == _ATTEMPTS or pause >= until.left():
                    raise
                await self._pace.sleep(pause)
            else:
                self._pace.unlimited()
                return result

    async def once(self, request: Request, until: Deadline, *, whole: bool = True) -> Answer:
        """One request, its redirect followed once and only to the same host; not ``whole`` stops at that to a file.

        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        request = replace(request, url=addresses.moved(request.url, self._moved))
        answer = await self._authorised(request, until)
        if answer.location is None or not (whole or answer.for_good):
            return answer
        target = addresses.redirected(request.url, answer.location)
        if not addresses.same_origin(self._api_url, target):
            raise ForgeError("GitHub points to another host", where=addresses.shown(request.url), mend=_ASTRAY)
        for_good = answer.for_good
        answer = await self._authorised(replace(request, url=target), until)
        if answer.location is not None and (whole or answer.for_good):
            raise ForgeError("GitHub points on and on", where=addresses.shown(request.url), mend=_ASTRAY)
        before, after = addresses.repository(request.url), addresses.repository(target)
        if before is not None and after not in {None, before}:
            await self._note_rename(before, str(after), answer, until, for_good=for_good)
        return answer

    async def _note_rename(self, before: str, after: str, answer: Answer, until: Deadline, *, for_good: bool) -> None:
        """GitHub redirects reads of a renamed repository for good, and writes for a while: the place tells.

        What moved for good is asked for at its new place from now on: else each call would cost two.
        """
        name = _name(answer)
        if for_good and before not in self._moved:
            self._moved[before] = after
            name = name or await self._name_of(after, until)
            now = name or after
            mend = f'set projects.repository.name = "{name}"' if name else "correct projects.repository.name"
            log.warning("github.renamed", repository=before, now=now, mend=mend)
        if name or self.renamed_to is None:
            self.renamed_to = name or after

    async def _name_of(self, place: str, until: Deadline) -> str | None:
        """What a repository is called now; without an answer its number must do."""
        try:
            return _name(await self._authorised(Request("GET", addresses.place_of(self._api_url, place)), until))
        except ForgeError:
            return None

    async def _authorised(self, request: Request, until: Deadline) -> Answer:
        """One request as who we are. Who was refused once asks no more: GitHub bans those that go on."""
        if (refusal := self._refusal) is not None:
            raise UnauthorisedError(refusal.what, where=refusal.where, mend=refusal.mend)
        try:
            return await self._with_token(request, until)
        except UnauthorisedError as error:
            self._refusal = error
            raise

    async def _with_token(self, request: Request, until: Deadline) -> Answer:
        async def exchange(path: str, bearer: str, body: Mapping[str, object]) -> Answer:
            return await self._sent(Request("POST", addresses.url(self._api_url, path), as_json(body)), bearer, until)

        token = await self._auth.token(exchange)
        try:
            return await self._sent(request, token, until)
        except UnauthorisedError:
            if not await self._auth.renew(token):
                raise
            return await self._sent(request, await self._auth.token(exchange), until)

    async def _sent(self, request: Request, token: str, until: Deadline) -> Answer:
        what = addresses.shown(request.url)
        if request.write:
            await self._pace.wait_for_turn()
        if not until.left():
            raise UnavailableError("the time for it is over", where=f"{request.method} {what}")
        said = {"method": request.method, "path": addresses.template(request.url)}
        began = until.now()
        try:
            async with asyncio.timeout(until.left()):
                reply = await self._wire.exchange(request, token)
        except (TimeoutError, ForgeError) as error:
            log.debug("github.request", **said, status=None, ms=_ms(until.now() - began))
            if isinstance(error, ForgeError):
                raise
            raise unanswered("no answer in time", where=f"{request.method} {what}", write=request.write) from None
        finally:
            if request.write:
                self._pace.written()
        log.debug("github.request", **said, status=reply.status, ms=_ms(until.now() - began))
        answer = decipher(
            reply.status, reply.headers, reply.body, method=request.method, what=what, write=request.write
        )
        if answer.unchanged and request.etag is None:
            raise unanswered("GitHub says unchanged without being asked", where=what, write=request.write)
        return answer


def as_json(body: Mapping[str, object]) -> bytes:
    """The body of a request; raises ``ForgeError`` for half a surrogate pair and for what is no number."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except ValueError:
        raise ForgeError("a text or number to be sent is none that GitHub could read", where="GitHub") from None


def _name(answer: Answer) -> str | None:
    """The name of the repository that an answer is about, where it says so."""
    name = answer.data.get("full_name") if isinstance(answer.data, dict) else None
    return plain(name) or None


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
