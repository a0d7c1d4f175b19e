"""Reading an answer without trust, and the calls of tools in it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.domain import TokenUsage
from selfimprover.drafting.llm import answers
from selfimprover.drafting.llm.chat import Reply, Tool, ToolCall
from selfimprover.drafting.llm.faults import Fault, Follows
from selfimprover.drafting.llm.pauses import pause, wait_of
from selfimprover.drafting.llm.tool_calls import BadToolCallError, arguments

SENT = '{"model": "m-1"}'
READ = Tool("read_file", "Reads.", {"type": "object"})
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read(body: Any) -> Reply | Fault:
    return answers.understood(json.dumps(body).encode(), "", sent=SENT, without_tools=False)


def reply(**changes: Any) -> Reply:
    message = changes.pop("message", {"content": "Yes."})
    body = {"model": "m-1", "choices": [{"message": message, "finish_reason": "stop"}], **changes}
    answer = read(body)
    assert isinstance(answer, Reply)
    return answer


@given(choices=trees, usage=trees, message=trees)
def test_no_shape_of_an_answer_is_an_accident(choices: Any, usage: Any, message: Any) -> None:
    reply(choices=choices, usage=usage)
    reply(choices=[{"message": message, "finish_reason": usage}])
    reply(message={"content": choices, "tool_calls": message, "refusal": usage})


@given(body=st.binary(max_size=30))
def test_no_bytes_are_an_accident(body: bytes) -> None:
    assert isinstance(answers.understood(body, "", sent=SENT, without_tools=False), Fault)


def test_an_answer_that_was_kept_is_read_as_it_was_when_it_came() -> None:
    first = reply(usage={"prompt_tokens": 3, "completion_tokens": 4})

    assert answers.reread(first.raw, sent=first.sent, without_tools=False) == first


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 60}},
        {"prompt_tokens": 100, "completion_tokens": 7, "prompt_cache_hit_tokens": 60},
    ],
)
def test_cached_tokens_are_found_by_either_name(usage: dict[str, Any]) -> None:
    assert reply(usage=usage).usage == TokenUsage(100, 60, 7)


def test_no_more_tokens_can_be_cached_than_were_sent() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 60}}

    assert reply(usage=usage).usage.cached == 10


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        "many",
        {"prompt_tokens": -5, "completion_tokens": 3},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": "5", "completion_tokens": "6"},
    ],
    ids=str,
)
def test_usage_that_is_none_is_estimated_and_marked_so(usage: Any) -> None:
    told = reply(usage=usage).usage

    assert told.estimated
    assert told.prompt >= len(SENT) // 4
    assert told.completion > 0


def test_text_in_parts_is_one_text() -> None:
    parts = [{"type": "text", "text": "A"}, {"type": "image"}, {"type": "text", "text": "B"}]

    assert reply(message={"content": parts}).text == "AB"


@pytest.mark.parametrize("name", ["length", "max_tokens", "model_length"])
def test_cut_off_has_one_name(name: str) -> None:
    assert reply(choices=[{"message": {"content": "A"}, "finish_reason": name}]).finish == "length"


def test_an_error_with_status_200_is_what_it_says() -> None:
    fault = read({"error": {"message": "Provider returned error", "code": 429}})

    assert isinstance(fault, Fault)
    assert (fault.follows, fault.again, fault.status) == (Follows.WAITS, True, 429)


def test_arguments_as_an_object_are_taken_as_well() -> None:
    calls = [{"function": {"name": "read_file", "arguments": {"path": "a.py"}}}]

    assert reply(message={"tool_calls": calls}).tool_calls == (ToolCall("call-0", "read_file", '{"path": "a.py"}'),)


def test_arguments_are_read() -> None:
    assert arguments(ToolCall("1", "read_file", '{"path": "a.py"}'), [READ]) == {"path": "a.py"}
    assert arguments(ToolCall("1", "read_file", ""), [READ]) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"path": "a.py"', "no valid JSON"),
        ("{'path': 'a.py'}", "no valid JSON"),
        ('{"path": "a", "path": "b"}', "a key stands there twice"),
        ('{"line": NaN}', "NaN is no number"),
        ('["a.py"]', "must be an object"),
        ("[" * 100_000, "no valid JSON"),
    ],
    ids=["cut", "quotes", "twice", "NaN", "list", "deep"],
)
def test_malformed_json_in_a_call_of_a_tool_is_told_to_the_model(text: str, said: str) -> None:
    with pytest.raises(BadToolCallError, match=said):
        arguments(ToolCall("1", "read_file", text), [READ])


def test_an_unknown_tool_is_told_to_the_model_with_those_that_there_are() -> None:
    with pytest.raises(BadToolCallError, match=r"no tool 'run_shell'; there are: read_file"):
        arguments(ToolCall("1", "run_shell", "{}"), [READ])


NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "7", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Tue, 24 Nov 2026 03:01:00 GMT"}, 60.0),
        ({"retry-after": "Tue, 24 Nov 2026 02:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-4"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_of(headers, NOW) == seconds


def test_pauses_grow_and_differ_and_are_never_shorter_than_was_asked() -> None:
    assert len({pause(1, None) for _ in range(20)}) > 1
    assert max(pause(1, None) for _ in range(20)) <= 1.0
    assert min(pause(4, None) for _ in range(20)) >= 4.0
    assert min(pause(1, 7.0) for _ in range(20)) > 7.0
