"""A chat that pays for no question twice and for none that does not fit into the budget."""

import json
from collections.abc import Sequence
from dataclasses import replace

import structlog

from selfimprover.domain import ModelCall
from selfimprover.drafting.llm.account import Account
from selfimprover.drafting.llm.answers import reread
from selfimprover.drafting.llm.chat import Chat, Message, Reply, Tool
from selfimprover.drafting.llm.faults import AnswerLostError
from selfimprover.drafting.llm.question import Question
from selfimprover.errors import ModelError, ModelRefusedError
from selfimprover.interfaces import LeakDetector

log = structlog.get_logger()


class RememberingChat:
    """Asks ``inner`` about one finding. ``server``, ``model`` and ``temperature`` are those that ``inner`` asks with.

    An answer in which ``leak`` finds a secret is neither kept nor handed on: whoever talked the model into it knows it,
    or it is ours.
    """

    def __init__(
        self,
        inner: Chat,
        account: Account,
        *,
        finding_id: str,
        server: str,
        model: str,
        temperature: float,
        leak: LeakDetector,
    ) -> None:
        self._inner = inner
        self._account = account
        self._finding_id = finding_id
        self._server = server
        self._leak = leak
        self._model = model
        self._temperature = temperature

    async def ask(self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), max_tokens: int) -> Reply:
        """Implements ``Chat``; a lost answer is asked for once more. Raises ``BudgetSpentError`` as well."""
        question = Question(self._model, messages, tools, max_tokens, self._temperature, self._server)
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
            await self._account.lost(number, call, error.sent, "" if self._leak(error.raw) else error.raw)
            raise
        except (ModelError, ModelRefusedError) as error:
            await self._account.failed(number, call, str(error))
            raise
        if found := self._leaked(reply):
            await self._account.answered(number, call, replace(reply, raw=""))
            raise ModelRefusedError(f"its answer holds what looks like a secret ({found}), so it goes nowhere")
        await self._account.answered(number, call, reply)
        return reply

    def _leaked(self, reply: Reply) -> str | None:
        """What is in the answer as it came, or in what it says when its escapes are read."""
        said = (reply.raw, reply.text, reply.refusal, *(call.arguments_json for call in reply.tool_calls))
        return next((found for text in said if (found := self._leak(text))), None)


def _again(call: ModelCall | None, question: Question) -> Reply | None:
    if call is None or call.answer is None:
        return None
    without_tools = bool(question.tools) and "tools" not in json.loads(call.request)
    return reread(call.answer, sent=call.request, without_tools=without_tools)
