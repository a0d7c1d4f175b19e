"""A chat that pays for no question twice and for none that does not fit into the budget."""

import json
from collections.abc import Sequence

import structlog

from selfimprover.domain import ModelCall
from selfimprover.drafting.llm.account import Account
from selfimprover.drafting.llm.answers import reread
from selfimprover.drafting.llm.chat import Chat, Message, Reply, Tool
from selfimprover.drafting.llm.faults import AnswerLostError
from selfimprover.drafting.llm.question import Question
from selfimprover.errors import ModelError, ModelRefusedError

log = structlog.get_logger()


class RememberingChat:
    """Asks ``inner`` about one finding. ``model`` and ``temperature`` are those that ``inner`` asks with."""

    def __init__(self, inner: Chat, account: Account, *, finding_id: str, model: str, temperature: float) -> None:
        self._inner = inner
        self._account = account
        self._finding_id = finding_id
        self._model = model
        self._temperature = temperature

    async def ask(self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), max_tokens: int) -> Reply:
        """Implements ``Chat``; a lost answer is asked for once more. Raises ``BudgetSpentError`` as well."""
        question = Question(self._model, messages, tools, max_tokens, self._temperature)
        known = _again(await self._account.stored(question), question)
        if known is not None:
            log.debug("model.remembered", finding=self._finding_id, request=question.hash[:12])
            return known
        try:
            return await self._paid(question)
        except AnswerLostError as error:  # it may have been paid, so asking once more must fit into the budget as well
            log.warning("model.answer_lost", finding=self._finding_id, what=error.what)
        return await self._paid(question)

    async def _paid(self, question: Question) -> Reply:
        number, call = await self._account.enter(self._finding_id, question)
        try:
            reply = await self._inner.ask(question.messages, tools=question.tools, max_tokens=question.max_tokens)
        except AnswerLostError as error:
            await self._account.lost(number, call, error.sent, error.raw)
            raise
        except (ModelError, ModelRefusedError) as error:
            await self._account.failed(number, call, str(error))
            raise
        await self._account.answered(number, call, reply)
        return reply


def _again(call: ModelCall | None, question: Question) -> Reply | None:
    if call is None or call.answer is None:
        return None
    without_tools = bool(question.tools) and "tools" not in json.loads(call.request)
    return reread(call.answer, sent=call.request, without_tools=without_tools)
