"""Calls of the model in the memory: paid once, within the budget, and to be read later, whatever was interrupted."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from selfimprover.domain import CallOutcome, Evidence, State, TokenUsage, Transition
from selfimprover.drafting.llm.account import Account
from selfimprover.drafting.llm.asking import chat_for
from selfimprover.drafting.llm.budget import Caps, Prices, estimate
from selfimprover.drafting.llm.chat import Chat, Message, Reply, Tool, ToolCall
from selfimprover.drafting.llm.faults import AnswerLostError
from selfimprover.drafting.llm.question import Dialect, Question
from selfimprover.errors import BudgetSpentError, ModelRefusedError, ModelStoppedError, ModelUnavailableError
from selfimprover.memory import engine
from selfimprover.memory.store import SqlMemory
from tests.builders import NIGHT, a_finding
from tests.integration.model_bench import HELLO, READ

PRICES = Prices.exact(prompt=3, cached=0.3, completion=15)
NIGHT_KEY = "2026-02-16"


@dataclass
class Scripted:
    """A chat that answers from a list, exceptions included, and counts."""

    answers: list[Any]
    asked: list[Question] = field(default_factory=list)
    delay: float = 0.0
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), max_tokens: int) -> Reply:
        question = Question("m-1", messages, tools, max_tokens)
        self.asked.append(question)
        self.begun.set()
        await asyncio.sleep(self.delay)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        made: Reply = answer
        return replace(made, sent=question.body(Dialect(tools=not made.tools_unsupported)))


def a_reply(text: str | None = "Hello.", **changes: Any) -> Reply:
    message = {"content": text, **changes.pop("message", {})}
    finish = changes.get("finish", "stop")
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}
    raw = {"model": "m-1", "choices": [{"message": message, "finish_reason": finish}], "usage": usage}
    values: dict[str, Any] = {"text": text or "", "tool_calls": (), "finish": finish, "usage": TokenUsage(100, 40, 20)}
    return Reply(**{**values, "model": "m-1", "raw": json.dumps(raw), "sent": "", **changes})


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[SqlMemory]:
    url = f"sqlite:///{tmp_path / 'memory.db'}"
    engine.ensure_schema(url, tmp_path / "backups")
    store = SqlMemory(url)
    found = Evidence(content="Found it.", confidence=None, timestamp=NIGHT, metadata={"finding": "x"})
    await store.remember(a_finding(), "assistant", found, NIGHT_KEY, NIGHT)
    yield store
    await store.close()


def account(memory: SqlMemory, *, tokens: int = 100_000, cost: str | None = None, night: str = NIGHT_KEY) -> Account:
    caps = Caps(tokens, None if cost is None else Decimal(cost))
    return Account(memory, caps, PRICES, night=night, now=lambda: NIGHT)


def a_chat(inner: Chat, kept: Account, server: str = "http://a.test/v1") -> Chat:
    return chat_for(a_finding().id, inner, kept, server=server, model="m-1", leak=leak)


def leak(text: str) -> str | None:
    return "a password in line 1" if "hunter2" in text else None


async def test_the_same_question_is_paid_once_and_answered_the_same_on_any_night(memory: SqlMemory) -> None:
    inner = Scripted([a_reply()])
    first = await a_chat(inner, account(memory)).ask(HELLO, tools=[READ], max_tokens=50)
    again = await a_chat(inner, account(memory)).ask(HELLO, tools=[READ], max_tokens=50)
    later = await a_chat(inner, account(memory, night="2026-02-17", tokens=0)).ask(HELLO, tools=[READ], max_tokens=50)

    assert first == again == later
    assert len(inner.asked) == 1


async def test_another_server_is_asked_anew(memory: SqlMemory) -> None:
    inner = Scripted([a_reply("One."), a_reply("Other.")])

    first = await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)
    other = await a_chat(inner, account(memory), "http://b.test/v1").ask(HELLO, max_tokens=50)

    assert (first.text, other.text) == ("One.", "Other.")


@pytest.mark.parametrize(
    "reply",
    [
        a_reply("The key is hunter2."),
        a_reply("Hello.", message={"reasoning_content": "hunter2"}),
        a_reply("The key is hunter2.", raw='{"choices": [{"message": {"content": "The key is \\u0068unter2."}}]}'),
        a_reply(None, tool_calls=(ToolCall("t-1", "search", '{"pattern": "hunter2"}'),), raw="{}"),
    ],
    ids=["plain", "elsewhere in it", "escaped", "in a call of a tool"],
)
async def test_an_answer_with_a_secret_is_paid_and_neither_kept_nor_handed_on(
    memory: SqlMemory, reply: Reply, tmp_path: Path
) -> None:
    with pytest.raises(ModelRefusedError, match=r"looks like a secret \(a password in line 1\)"):
        await a_chat(Scripted([reply]), account(memory)).ask(HELLO, max_tokens=50)

    (call,) = await memory.calls_of(a_finding().id)
    assert (call.answer, call.outcome, call.usage) == (None, CallOutcome.ANSWERED, TokenUsage(100, 40, 20))
    assert b"hunter2" not in (tmp_path / "memory.db").read_bytes() + (tmp_path / "memory.db-wal").read_bytes()


async def test_of_a_lost_answer_with_a_secret_nothing_is_kept(memory: SqlMemory) -> None:
    lost = [AnswerLostError("no JSON", raw="hunter2 <html>") for _ in range(2)]
    with pytest.raises(AnswerLostError):
        await a_chat(Scripted(lost), account(memory)).ask(HELLO, max_tokens=50)

    assert [call.answer for call in await memory.calls_of(a_finding().id)] == [None, None]


async def test_what_was_answered_without_tools_comes_back_as_that(memory: SqlMemory) -> None:
    inner = Scripted([a_reply(tools_unsupported=True)])
    first = await a_chat(inner, account(memory)).ask(HELLO, tools=[READ], max_tokens=50)
    again = await a_chat(inner, account(memory)).ask(HELLO, tools=[READ], max_tokens=50)

    assert first == again
    assert again.tools_unsupported


async def test_request_answer_usage_and_cost_are_kept(memory: SqlMemory) -> None:
    reply = await a_chat(Scripted([a_reply()]), account(memory)).ask(HELLO, max_tokens=50)

    (call,) = await memory.calls_of(a_finding().id)
    assert (call.request, call.answer, call.outcome) == (reply.sent, reply.raw, CallOutcome.ANSWERED)
    assert (call.usage, call.night, call.at) == (TokenUsage(100, 40, 20), NIGHT_KEY, NIGHT)
    assert call.cost == Decimal("0.000492")
    assert await account(memory).usage() == replace(
        await account(memory).usage(), prompt_tokens=100, completion_tokens=20, cost_usd=0.000492, llm_calls=1
    )


async def test_an_answer_is_kept_before_anybody_judges_it(memory: SqlMemory) -> None:
    inner = Scripted([a_reply(None, message={"refusal": "I will not."}, refusal="I will not.")])
    for _ in range(2):
        with pytest.raises(ModelRefusedError, match=r"the model refused: I will not\."):
            await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)

    assert len(inner.asked) == 1
    assert [call.outcome for call in await memory.calls_of(a_finding().id)] == [CallOutcome.ANSWERED]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (a_reply("Half", finish="content_filter"), "content filter"),
        (a_reply(None), "has no content"),
        (a_reply(" \n"), "has no content"),
        (a_reply(None, message={"refusal": "No."}, refusal="No."), "refused: No"),
    ],
    ids=["filter", "null", "blank", "refusal"],
)
async def test_an_answer_of_no_use_parks_the_finding_with_its_reason(
    memory: SqlMemory, reply: Reply, said: str
) -> None:
    with pytest.raises(ModelRefusedError, match=said):
        await a_chat(Scripted([reply]), account(memory)).ask(HELLO, max_tokens=50)


async def test_a_refusal_as_prose_is_an_answer_like_any_other(memory: SqlMemory) -> None:
    reply = await a_chat(Scripted([a_reply("I'm sorry, I can't.")]), account(memory)).ask(HELLO, max_tokens=50)

    assert reply.text == "I'm sorry, I can't."


async def test_an_answer_that_was_cut_off_is_asked_for_once_more_with_a_larger_limit(memory: SqlMemory) -> None:
    inner = Scripted([a_reply("Ha", finish="length"), a_reply("Half, and half.")])

    assert (await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)).text == "Half, and half."
    assert [question.max_tokens for question in inner.asked] == [50, 100]


async def test_an_answer_that_does_not_fit_twice_is_given_up(memory: SqlMemory) -> None:
    inner = Scripted([a_reply("Ha", finish="length"), a_reply("Hal", finish="length")])

    with pytest.raises(ModelRefusedError, match="does not fit into 100 tokens"):
        await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)
    assert inner.answers == []


async def test_a_lost_answer_is_asked_for_once_more_and_counts_with_the_most_it_may_have_cost(
    memory: SqlMemory,
) -> None:
    inner = Scripted([AnswerLostError("lost", raw='{"choi'), a_reply()])
    await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)

    lost, answered = await memory.calls_of(a_finding().id)
    assert (lost.outcome, lost.answer, lost.usage.completion, lost.usage.estimated) == ("lost", '{"choi', 50, True)
    assert lost.usage.prompt >= estimate(lost.request)
    spent = await memory.spent_in(NIGHT_KEY)
    assert spent.tokens == lost.usage.total + answered.usage.total
    assert lost.cost is not None
    assert answered.cost is not None
    assert spent.cost == lost.cost + answered.cost


async def test_an_answer_that_is_lost_twice_waits_for_the_next_night(memory: SqlMemory) -> None:
    inner = Scripted([AnswerLostError("lost"), AnswerLostError("lost"), a_reply()])

    with pytest.raises(ModelUnavailableError):
        await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)
    assert len(inner.asked) == 2


async def test_asking_once_more_must_fit_into_the_budget_too(memory: SqlMemory) -> None:
    inner = Scripted([AnswerLostError("lost"), a_reply()])

    with pytest.raises(BudgetSpentError):
        await a_chat(inner, account(memory, tokens=300)).ask(HELLO, max_tokens=100)
    assert len(inner.asked) == 1


@pytest.mark.parametrize("error", [ModelStoppedError("no"), ModelUnavailableError("no"), ModelRefusedError("no")])
async def test_what_failed_costs_nothing_but_is_kept_and_asked_anew(memory: SqlMemory, error: Exception) -> None:
    inner = Scripted([error, a_reply()])
    with pytest.raises(type(error)):
        await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)
    assert (await memory.spent_in(NIGHT_KEY)).calls == 0

    await a_chat(inner, account(memory)).ask(HELLO, max_tokens=50)
    failed, _ = await memory.calls_of(a_finding().id)
    assert (failed.outcome, failed.answer, failed.usage.total) == ("failed", "no", 0)


async def test_a_call_that_a_crash_interrupts_is_in_the_memory_with_the_most_it_may_cost(memory: SqlMemory) -> None:
    inner = Scripted([a_reply()], delay=60)
    asking = asyncio.ensure_future(a_chat(inner, account(memory)).ask(HELLO, max_tokens=50))
    await inner.begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    calls = await memory.calls_of(a_finding().id)
    assert calls[0].outcome is CallOutcome.ASKED
    assert json.loads(calls[0].request)["messages"][1]["content"] == "Mend it."
    assert (await memory.spent_in(NIGHT_KEY)).completion == 50


async def test_a_resumed_night_goes_on_with_what_it_has_spent_and_the_next_one_begins_anew(memory: SqlMemory) -> None:
    await a_chat(Scripted([a_reply()]), account(memory)).ask(HELLO, max_tokens=50)
    another = (*HELLO, Message("assistant", "So."))

    with pytest.raises(BudgetSpentError, match="120 of 300 are used"):
        await a_chat(Scripted([a_reply()]), account(memory, tokens=300)).ask(another, max_tokens=50)
    next_night = account(memory, tokens=300, night="2026-02-17")
    assert (await a_chat(Scripted([a_reply()]), next_night).ask(another, max_tokens=50)).text == "Hello."


async def test_a_cap_on_the_cost_holds_before_the_call(memory: SqlMemory) -> None:
    inner = Scripted([a_reply()])

    with pytest.raises(BudgetSpentError, match=r"max_cost_per_night"):
        await a_chat(inner, account(memory, cost="0.001")).ask(HELLO, max_tokens=500)
    assert inner.asked == []
    assert await memory.calls_of(a_finding().id) == []


async def test_two_that_ask_at_once_cannot_both_have_the_last_of_the_budget(memory: SqlMemory) -> None:
    inner, shared = Scripted([a_reply(), a_reply()], delay=0.05), account(memory, tokens=400)
    questions = ((*HELLO, Message("user", str(number))) for number in range(2))

    done = await asyncio.gather(
        *(a_chat(inner, shared).ask(one, max_tokens=100) for one in questions), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in done) == ["BudgetSpentError", "Reply"]


async def test_texts_of_any_letters_are_kept_as_they_are(memory: SqlMemory) -> None:
    reply = a_reply("ü\x00日本\U0001f600")
    first = await a_chat(Scripted([reply]), account(memory)).ask(HELLO, max_tokens=50)
    again = await a_chat(Scripted([]), account(memory)).ask(HELLO, max_tokens=50)

    assert again == first


@pytest.mark.parametrize("end", [State.MERGED, State.CLOSED, State.DISMISSED, State.GONE])
async def test_old_texts_of_a_finding_at_its_end_are_emptied_and_what_they_cost_stays(
    memory: SqlMemory, end: State
) -> None:
    kept = account(memory, cost="1")
    await a_chat(Scripted([a_reply()]), kept).ask(HELLO, max_tokens=100)
    (before,) = await memory.calls_of(a_finding().id)
    spent = await memory.spent_in(NIGHT_KEY)
    later = before.at + timedelta(seconds=1)

    assert await memory.empty_calls(later) == 0  # not at its end
    await memory.move(ending(end))
    assert await memory.empty_calls(before.at) == 0  # not old enough
    assert await memory.empty_calls(later) == 1
    assert await memory.empty_calls(later) == 0

    (after,) = await memory.calls_of(a_finding().id)
    assert after == replace(before, request="", answer=None)
    assert await memory.spent_in(NIGHT_KEY) == spent
    assert await memory.stored_reply(before.request_hash) is None


def ending(after: State) -> Transition:
    found = Evidence(content="Over.", confidence=None, timestamp=NIGHT, metadata={"finding": "x"})
    return Transition(
        finding_id=a_finding().id,
        before=State.FOUND,
        after=after,
        reason="over",
        night=NIGHT_KEY,
        at=NIGHT,
        evidence=found,
    )
