"""What an answer must be to be of use at all, whoever reads it; and the chat about one finding, put together."""

from collections.abc import Sequence

from selfimprover.drafting.llm.account import Account
from selfimprover.drafting.llm.chat import Chat, Message, Reply, Tool
from selfimprover.drafting.llm.faults import plain
from selfimprover.drafting.llm.remembering import RememberingChat
from selfimprover.errors import ModelRefusedError
from selfimprover.interfaces import LeakDetector

_LARGER = 2


class WholeAnswers:
    """Hands on whole answers of ``inner``; one that was cut off is asked for once more with a larger limit."""

    def __init__(self, inner: Chat) -> None:
        self._inner = inner

    async def ask(self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), max_tokens: int) -> Reply:
        """Implements ``Chat``; raises ``ModelRefusedError`` for a refusal, a filter, and an answer without content."""
        reply = await self._inner.ask(messages, tools=tools, max_tokens=max_tokens)
        if reply.finish == "length":
            max_tokens *= _LARGER
            reply = await self._inner.ask(messages, tools=tools, max_tokens=max_tokens)
        if (why := _useless(reply, max_tokens)) is not None:
            raise ModelRefusedError(why, where=f"model {plain(reply.model)}" if reply.model else "model")
        return reply


def chat_for(
    finding_id: str,
    asked: Chat,
    account: Account,
    *,
    server: str,
    model: str,
    leak: LeakDetector,
    temperature: float = 0.0,
) -> Chat:
    """The chat about one finding: remembered, within the budget, without secrets, and with whole answers."""
    remembering = RememberingChat(
        asked, account, finding_id=finding_id, server=server, model=model, temperature=temperature, leak=leak
    )
    return WholeAnswers(remembering)


def _useless(reply: Reply, max_tokens: int) -> str | None:
    if reply.refusal:
        return f"the model refused: {plain(reply.refusal)}"
    if reply.finish == "content_filter":
        return "the server's content filter stopped the answer"
    if reply.finish == "length":
        return f"the answer does not fit into {max_tokens} tokens"
    if not reply.text.strip() and not reply.tool_calls:
        return "the answer has no content"
    return None
