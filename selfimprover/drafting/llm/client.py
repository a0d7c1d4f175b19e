"""The thin adapter over openai, its only importer: a question until it is answered, within one deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Self

import httpx2
import openai
import structlog

from selfimprover.drafting.llm import answers
from selfimprover.drafting.llm.chat import Message, Reply, Tool
from selfimprover.drafting.llm.faults import (
    Fault,
    error_of,
    lost,
    refused_request,
    unreachable,
)
from selfimprover.drafting.llm.pauses import pause
from selfimprover.drafting.llm.question import Dialect, Question
from selfimprover.drafting.llm.server import Patience, Server
from selfimprover.drafting.llm.wire import UnusableAnswerError, connections
from selfimprover.errors import ModelStoppedError, ModelUnavailableError, SelfImproverError, UsageError

_NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_PATIENT = Patience()
_IN_A_ROW = 3
"""How often nothing may come before a night believes that nothing will come."""

log = structlog.get_logger()


class Client:
    """A model's server for one night. ``redact`` goes over every text of the server that may be shown."""

    def __init__(
        self,
        server: Server,
        *,
        patience: Patience = _PATIENT,
        redact: Callable[[str], str] = str,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._patience = patience
        self._redact = redact
        self._sleep = sleep
        self._monotonic = monotonic
        self._turns = asyncio.Semaphore(server.concurrency)
        self._dialect = Dialect()
        self._not_before = float("-inf")
        self._in_a_row = 0
        self._stopped: ModelStoppedError | None = None
        self._sdk = _sdk(server, patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._sdk.close()

    async def ask(self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), max_tokens: int) -> Reply:
        """Implements ``Chat``. What may have cost something is not repeated here: ``AnswerLostError`` tells it."""
        question = Question(self._server.model, messages, tools, max_tokens, self._server.temperature)
        async with self._turns:
            self._require_going()
            try:
                reply = await self._answer(question, self._monotonic() + self._patience.call)
            except ModelStoppedError as error:
                self._stopped = error
                raise
            except ModelUnavailableError as error:
                self._in_a_row += 1
                if self._in_a_row == _IN_A_ROW:
                    what = f"no answer {_IN_A_ROW} times in a row; the last time: {error.what}"
                    self._stopped = ModelStoppedError(what, where=error.where, mend=error.mend)
                raise
            self._in_a_row = 0
            return reply

    def _require_going(self) -> None:
        """Raises what stopped the night, anew: an exception carries where it was raised."""
        if (why := self._stopped) is not None:
            raise ModelStoppedError(why.what, where=why.where, mend=why.mend)

    async def _answer(self, question: Question, until: float) -> Reply:
        dialect, tries = self._dialect, 0
        while True:
            body = question.body(dialect)
            await self._wait_for_limit(until, body)
            answer = await self._asked(question, dialect, body, until)
            if isinstance(answer, Reply):
                self._dialect = dialect
                return answer
            other = question.understood(dialect, answer.status, answer.complaint)
            if other is not None:
                dialect = other
                continue
            tries += 1
            rest = pause(tries, answer.wait)
            if answer.again and answer.wait is not None:
                self._not_before = self._monotonic() + rest
            too_long = rest >= until - self._monotonic() or rest > self._patience.wait
            if not answer.again or tries == self._patience.attempts or too_long:
                raise self._error(answer, body)
            await self._sleep(rest)

    async def _asked(self, question: Question, dialect: Dialect, body: str, until: float) -> Reply | Fault:
        began = self._monotonic()
        answer = await self._sent(body, until)
        fault = isinstance(answer, Fault)
        status = answer.status if isinstance(answer, Fault) else answer.status_code
        log.debug("model.request", status=status or None, lost=fault, ms=round((self._monotonic() - began) * 1000))
        if isinstance(answer, Fault):
            return answer
        without_tools = bool(question.tools) and not dialect.tools
        kind = answer.headers.get("content-type", "").lower()
        return answers.understood(answer.content, kind, sent=body, without_tools=without_tools)

    async def _wait_for_limit(self, until: float, body: str) -> None:
        """Nobody asks before the moment that the server named to anybody."""
        rest = self._not_before - self._monotonic()
        if rest <= 0:
            return
        if rest >= until - self._monotonic() or rest > self._patience.wait:
            busy = unreachable(f"the model's server asks for {rest:.0f} s of silence", "the next night goes on")
            raise self._error(busy, body)
        await self._sleep(rest)

    async def _sent(self, body: str, until: float) -> httpx2.Response | Fault:
        """One request; everything that can go wrong with it becomes a value, so that no request hangs on an error."""
        seconds = min(self._patience.attempt, until - self._monotonic())
        try:
            async with asyncio.timeout(seconds):
                return await self._sdk.post("/chat/completions", cast_to=httpx2.Response, content=body.encode())
        except openai.APIStatusError as error:
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            return refused_request(error.status_code, headers, error.response.content)
        except openai.APIConnectionError as error:
            return _unconnected(error.__cause__)
        except UnusableAnswerError as error:
            return lost(str(error))
        except TimeoutError:
            return lost(f"no answer within {seconds:.0f} s")

    def _error(self, fault: Fault, sent: str) -> SelfImproverError:
        return error_of(replace(fault, what=self._redact(fault.what)), where=self._server.place, sent=sent)


def _unconnected(cause: BaseException | None) -> Fault:
    """No text of the error is shown: it may hold an address with its query."""
    if "CERTIFICATE_VERIFY_FAILED" in str(cause):
        mend = "name the file of its authorities in SSL_CERT_FILE"
        return unreachable("the certificate of the model's server is not trusted", mend, again=False)
    if isinstance(cause, _NOT_SENT):
        return unreachable("the model's server cannot be reached")
    return lost("no answer in time" if isinstance(cause, httpx2.TimeoutException) else "the connection was lost")


def _sdk(server: Server, patience: Patience) -> openai.AsyncOpenAI:
    """Repeats nothing, follows nothing, and reads nothing of ours from the environment but the proxies."""
    timeout = httpx2.Timeout(patience.attempt, connect=patience.connect)
    try:
        return openai.AsyncOpenAI(
            api_key=server.key or "none",
            base_url=server.base_url,
            max_retries=0,
            timeout=timeout,
            http_client=connections(timeout, most_bytes=patience.most_bytes, keyed=bool(server.key)),
        )
    except (ValueError, ImportError, OSError, httpx2.InvalidURL) as error:
        raise UsageError(
            "its address, SSL_CERT_FILE or the environment's proxy cannot be used", where="[llm]"
        ) from error
