"""The night's account with the model: what was asked is entered before, what it came to after."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from selfimprover.domain import CallOutcome, ModelCall, TokenUsage, Usage
from selfimprover.drafting.llm.budget import Caps, Prices, worst_case
from selfimprover.drafting.llm.chat import Reply
from selfimprover.drafting.llm.question import Dialect, Question
from selfimprover.interfaces import ModelCalls

_NOTHING = TokenUsage(0, 0, 0)


class Account:
    """Every call of one night, over all findings; a resumed night goes on with what the memory has of it.

    A call is in the memory with the most that it may cost before it is made: one that a crash interrupted, or that
    nobody answered, may have been paid for all the same.
    """

    def __init__(
        self,
        calls: ModelCalls,
        caps: Caps,
        prices: Prices | None,
        *,
        night: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._calls = calls
        self._caps = caps
        self._prices = prices
        self._night = night
        self._now = now
        self._one_at_a_time = asyncio.Lock()

    async def stored(self, question: Question) -> ModelCall | None:
        """What was answered to the same question before, in whatever night."""
        return await self._calls.stored_reply(question.hash)

    async def enter(self, finding_id: str, question: Question) -> tuple[int, ModelCall]:
        """Notes that the question is about to be asked; raises ``BudgetSpentError`` if that might cost too much."""
        request = question.body(Dialect())
        worst = worst_case(request, question.max_tokens)
        call = ModelCall(
            request_hash=question.hash,
            finding_id=finding_id,
            night=self._night,
            at=self._now(),
            request=request,
            outcome=CallOutcome.ASKED,
            usage=worst,
            cost=self._prices.most(worst) if self._prices else None,
        )
        async with self._one_at_a_time:  # two that ask at once must not both get the last of the budget
            self._caps.require_room(await self._calls.spent_in(self._night), worst, self._prices)
            return await self._calls.note_call(call), call

    async def answered(self, number: int, call: ModelCall, reply: Reply) -> None:
        """Keeps the raw answer, if there is one that may be kept, and what it came to."""
        cost = self._prices.cost(reply.usage) if self._prices else None
        done = replace(call, outcome=CallOutcome.ANSWERED, usage=reply.usage, cost=cost)
        await self._calls.store_reply(number, replace(done, request=reply.sent, answer=reply.raw or None))

    async def lost(self, number: int, call: ModelCall, sent: str, raw: str) -> None:
        """It stays in the account with the most that it may have cost."""
        lost = replace(call, outcome=CallOutcome.LOST, request=sent or call.request, answer=raw or None)
        await self._calls.store_reply(number, lost)

    async def failed(self, number: int, call: ModelCall, why: str) -> None:
        """The server did no work for it."""
        cost = self._prices.cost(_NOTHING) if self._prices else None
        failed = replace(call, outcome=CallOutcome.FAILED, usage=_NOTHING, cost=cost, answer=why)
        await self._calls.store_reply(number, failed)

    async def usage(self) -> Usage:
        """What the night came to so far, for its report."""
        spent = await self._calls.spent_in(self._night)
        return Usage(spent.prompt, spent.completion, float(spent.cost), spent.calls)
