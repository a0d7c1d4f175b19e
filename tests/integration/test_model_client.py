"""The adapter: what goes out and what does not, dialects of servers, and the key that nobody sees."""

import asyncio
import json
import logging
import traceback
from typing import Any

import pytest
import structlog

from selfimprover.drafting.llm.chat import ToolCall
from selfimprover.drafting.llm.client import Client
from selfimprover.drafting.llm.server import Patience, Server
from selfimprover.errors import ModelError, ModelRefusedError, ModelStoppedError, UsageError
from tests.fakes.model import HANG, calling, completion, error, page
from tests.integration.model_bench import HELLO, KEY, READ, bench

NO_TOOLS = error(400, "this model does not support tools")
NAMES = {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host"}
NAMES |= {"user-agent"}


async def test_what_is_sent_is_what_the_reply_says_was_sent() -> None:
    async with bench(completion()) as one:
        reply = await one.client.ask(HELLO, tools=[READ], max_tokens=50)

        (asked,) = one.server.asked
        assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
        assert reply.sent.encode() == asked.raw
        assert json.loads(reply.raw)["model"] == "m-1"
        assert KEY not in reply.sent


async def test_nothing_of_this_machine_goes_out_but_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Custom: 1")
    async with bench(completion()) as one:
        await one.client.ask(HELLO, max_tokens=50)

        assert set(one.server.asked[0].headers) == NAMES
        assert one.server.asked[0].headers["user-agent"] == "selfimprover"


async def test_without_a_key_none_goes_out_whatever_the_environment_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-program")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-of-an-admin")
    async with bench(completion(), key=None) as one:
        await one.client.ask(HELLO, max_tokens=50)

        assert set(one.server.asked[0].headers) == NAMES - {"authorization"}


async def test_the_environment_does_not_say_whom_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://192.0.2.1/v1")
    async with bench(completion()) as one:
        await one.client.ask(HELLO, max_tokens=50)

        assert len(one.server.asked) == 1


async def test_a_call_of_a_tool_comes_as_the_model_wrote_it() -> None:
    async with bench(calling("read_file", '{"path": "a.py"')) as one:
        reply = await one.client.ask(HELLO, tools=[READ], max_tokens=50)

        assert (reply.text, reply.finish) == ("", "tool_calls")
        assert reply.tool_calls == (ToolCall("t-1", "read_file", '{"path": "a.py"'),)


async def test_a_server_without_tools_is_noticed_once() -> None:
    async with bench(NO_TOOLS, completion("A"), completion("B")) as one:
        first = await one.client.ask(HELLO, tools=[READ], max_tokens=50)
        second = await one.client.ask(HELLO, tools=[READ], max_tokens=50)
        assert ["tools" in asked.body for asked in one.server.asked] == [True, False, False]

    assert (first.text, first.tools_unsupported) == ("A", True)
    assert (second.text, second.tools_unsupported) == ("B", True)


async def test_a_complaint_that_was_not_about_tools_after_all_leaves_them() -> None:
    async with bench(NO_TOOLS, error(400, "bad message"), completion()) as one:
        with pytest.raises(ModelRefusedError, match="bad message"):
            await one.client.ask(HELLO, tools=[READ], max_tokens=50)
        reply = await one.client.ask(HELLO, tools=[READ], max_tokens=50)

        assert not reply.tools_unsupported
        assert "tools" in one.server.asked[-1].body


async def test_a_model_with_other_parameters_is_asked_with_those() -> None:
    refusals = (error(400, "Use 'max_completion_tokens' instead."), error(400, "'temperature' does not support 0"))
    async with bench(*refusals, completion(), completion()) as one:
        await one.client.ask(HELLO, max_tokens=50)
        await one.client.ask(HELLO, max_tokens=50)

        last = one.server.asked[-1].body
        assert (last["max_completion_tokens"], "max_tokens" in last, "temperature" in last) == (50, False, False)
        assert len(one.server.asked) == 4


async def test_no_more_questions_are_asked_at_once_than_was_said() -> None:
    async with bench(*[completion()] * 6, concurrency=2) as one:
        one.server.delay = 0.02
        await asyncio.gather(*(one.client.ask(HELLO, max_tokens=50 + number) for number in range(6)))

        assert one.server.most_at_once == 2


@pytest.mark.parametrize(
    "fault",
    [
        error(401, f"Incorrect API key provided: {KEY}."),
        error(400, f"bad header Bearer {KEY}"),
        page(),
        HANG,
        error(429, f"key {KEY} is limited"),
    ],
    ids=["401", "400", "html", "hang", "429"],
)
async def test_the_key_is_in_no_error_no_traceback_and_no_log(fault: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        async with bench(*[fault] * 4, patience=Patience(attempt=0.3), redact=_hiding) as one:
            with pytest.raises((ModelError, ModelRefusedError)) as caught:
                await one.client.ask(HELLO, max_tokens=50)
            shown = [repr(one.client), repr(Server(one.server.url, "m-1", KEY))]

    shown += [repr(caught.value), *traceback.format_exception(caught.value), caplog.text, str(lines)]
    assert KEY not in "".join(shown)
    assert KEY not in _everything_in(caught.value)
    assert lines


def _hiding(text: str) -> str:
    return text.replace(KEY, "[REDACTED]")


def _everything_in(error: BaseException) -> str:
    """Texts of an exception and of all that hang on it: nothing may hold the request."""
    seen, texts, rest = set(), [], [error]
    while rest:
        one: Any = rest.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        texts.append(repr(vars(one)))
        rest += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "".join(texts)


async def test_what_a_server_says_cannot_act_on_a_terminal() -> None:
    async with bench(error(401, "a\x1b[2Jb\u202ec\n" + "x" * 5000)) as one:
        with pytest.raises(ModelStoppedError) as caught:
            await one.client.ask(HELLO, max_tokens=50)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_a_proxy_that_is_none_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://me:pw@proxy")

    with pytest.raises(UsageError, match="proxy cannot be used") as caught:
        Client(Server("https://model.invalid/v1", "m-1", KEY))
    assert "pw" not in str(caught.value)
