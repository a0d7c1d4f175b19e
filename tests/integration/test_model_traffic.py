"""Faults of traffic from a foreign model server, whose report on our client must have nothing to blame."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from selfimprover.drafting.llm.client import Client
from selfimprover.drafting.llm.faults import AnswerLostError
from selfimprover.drafting.llm.server import Patience, Server
from selfimprover.drafting.llm.tool_calls import BadToolCallError, arguments
from selfimprover.errors import ModelRefusedError, ModelStoppedError, ModelUnavailableError
from tests.integration.model_bench import HELLO, KEY, READ

testing = pytest.importorskip("llmock.testing", reason="llmock is not installed: no foreign server, no report")


@pytest.fixture(scope="module")
def llmock_server() -> Iterator[Any]:
    """One for all tests of it, ended with them: its thread must not run on beside tests that stop the time."""
    try:
        server = testing.LLMockServer().start()
    except (OSError, RuntimeError) as error:
        pytest.skip(f"llmock cannot start: {error}")
    yield server
    server.stop()


@pytest.fixture
async def client(llmock: Any) -> AsyncIterator[Client]:
    async with Client(Server(llmock.base_url(), "gpt-4o", KEY), patience=Patience(call=30, attempt=1)) as made:
        yield made


async def test_a_plain_answer_comes_with_its_usage(client: Client, llmock: Any) -> None:
    llmock.reply("Root cause: none.")
    reply = await client.ask(HELLO, max_tokens=50)

    assert (reply.text, reply.finish, reply.usage.estimated) == ("Root cause: none.", "stop", False)
    llmock.assert_resilient(strict=True)


async def test_limits_that_name_their_pause_are_waited_out(client: Client, llmock: Any) -> None:
    llmock.rate_limit(times=2, retry_after=0.3)
    await client.ask(HELLO, max_tokens=50)

    assert len(llmock.requests) == 3
    llmock.assert_resilient(strict=True)


async def test_failures_of_the_server_are_survived(client: Client, llmock: Any) -> None:
    llmock.fail(500).fail(503).fail(429)
    await client.ask(HELLO, max_tokens=50)

    llmock.assert_resilient(strict=True)


async def test_an_outage_ends_the_call_and_not_in_a_storm(client: Client, llmock: Any) -> None:
    llmock.outage()
    with pytest.raises(ModelUnavailableError):
        await client.ask(HELLO, max_tokens=50)

    llmock.assert_resilient(strict=True)


@pytest.mark.parametrize(
    ("status", "follows"), [(401, ModelStoppedError), (404, ModelStoppedError), (400, ModelRefusedError)]
)
async def test_what_no_retry_can_mend_is_asked_once(
    client: Client, llmock: Any, status: int, follows: type[Exception]
) -> None:
    llmock.fail(status, times=None)
    with pytest.raises(follows):
        await client.ask(HELLO, max_tokens=50)

    assert len(llmock.requests) == 1
    llmock.assert_resilient(strict=True)


async def test_a_prompt_that_is_too_long_refuses_the_question(client: Client, llmock: Any) -> None:
    llmock.context_overflow()
    with pytest.raises(ModelRefusedError, match="too long"):
        await client.ask(HELLO, max_tokens=50)

    llmock.assert_resilient(strict=True)


async def test_a_real_limit_of_requests_is_kept(client: Client, llmock: Any) -> None:
    llmock.limits(rpm=60)
    for number in range(3):
        await client.ask(HELLO, max_tokens=50 + number)

    llmock.assert_resilient(strict=True)


async def test_an_answer_that_does_not_come_in_time_is_lost(client: Client, llmock: Any) -> None:
    llmock.delay(3)
    with pytest.raises(AnswerLostError):
        await client.ask(HELLO, max_tokens=50)


@pytest.mark.parametrize("kind", ["malformed_arguments", "unknown_tool"])
async def test_a_broken_call_of_a_tool_is_noticed(client: Client, llmock: Any, kind: str) -> None:
    llmock.break_tool_call(kind)
    reply = await client.ask(HELLO, tools=[READ], max_tokens=50)

    with pytest.raises(BadToolCallError):
        arguments(reply.tool_calls[0], [READ])
    llmock.assert_resilient(strict=True)
