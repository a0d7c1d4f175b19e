"""A question as JSON: what its hash covers, and what of it servers do not understand."""

import json
from dataclasses import replace
from typing import Any

import pytest

from selfimprover.drafting.llm.chat import Message, Tool, ToolCall
from selfimprover.drafting.llm.question import Dialect, Question

READ = Tool("read_file", "Reads.", {"type": "object"})
ASKED = Question("m-1", (Message("system", "Mend."), Message("user", "Why?")), (READ,), 100)
PLAIN = Dialect()


@pytest.mark.parametrize(
    "change",
    [
        {"model": "m-2"},
        {"messages": (*ASKED.messages, Message("assistant", "So."))},
        {"messages": (ASKED.messages[0], Message("user", "Why not?"))},
        {"tools": ()},
        {"tools": (replace(READ, description="Reads a file."),)},
        {"max_tokens": 101},
        {"temperature": 0.5},
        {"server": "http://other.test/v1"},
    ],
    ids="-".join,
)
def test_another_question_has_another_hash(change: dict[str, Any]) -> None:
    assert replace(ASKED, **change).hash != ASKED.hash


def test_the_same_question_has_the_same_hash_whatever_the_server_understands() -> None:
    same = Question("m-1", list(ASKED.messages), [READ], 100)

    assert same.hash == ASKED.hash
    assert ASKED.body(Dialect(tools=False)) != ASKED.body(PLAIN)


def test_calls_of_tools_and_their_results_are_said_as_the_protocol_wants() -> None:
    call = ToolCall("t-1", "read_file", '{"path": "a.py"}')
    messages = (Message("assistant", "", (call,)), Message("tool", "x = 1", tool_call_id="t-1"))

    said = json.loads(replace(ASKED, messages=messages).body(PLAIN))

    function = {"name": "read_file", "arguments": '{"path": "a.py"}'}
    calls = [{"id": "t-1", "type": "function", "function": function}]
    assert said["messages"] == [
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": "x = 1", "tool_call_id": "t-1"},
    ]


def test_nothing_in_a_request_is_invisible_and_nothing_is_lost() -> None:
    hidden = "a\u202eb\x9bc\u200bd\U000e0041e\x7f ü 日本"

    body = replace(ASKED, messages=(Message("user", hidden),)).body(PLAIN)

    assert body.isprintable()
    assert "ü 日本" in body
    assert json.loads(body)["messages"][0]["content"] == hidden


def test_half_a_surrogate_pair_can_be_asked_about() -> None:
    body = replace(ASKED, messages=(Message("user", "a\udc80b"),)).body(PLAIN)

    assert json.loads(body.encode())["messages"][0]["content"] == "a?b"


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (400, "registry.example/library/small:latest does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (422, '{"detail": [{"loc": ["body", "tools"], "msg": "Extra inputs are not permitted"}]}'),
        (404, "No endpoints found that support tool use."),
        (500, "tools param requires --jinja flag"),
    ],
)
def test_a_server_without_tools_is_asked_without_them(status: int, complaint: str) -> None:
    other = ASKED.understood(PLAIN, status, complaint)

    assert other == Dialect(tools=False)
    assert "tools" not in json.loads(ASKED.body(other))
    assert ASKED.understood(other, status, complaint) is None


@pytest.mark.parametrize(
    ("complaint", "other"),
    [
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            Dialect(limit="max_completion_tokens"),
        ),
        ("Unsupported value: 'temperature' does not support 0 with this model.", Dialect(temperature=False)),
    ],
)
def test_a_parameter_that_a_model_does_not_know_is_left_out(complaint: str, other: Dialect) -> None:
    assert ASKED.understood(PLAIN, 400, complaint) == other
    assert ASKED.understood(PLAIN, 429, complaint) is None


def test_without_tools_a_complaint_about_tools_changes_nothing() -> None:
    assert replace(ASKED, tools=()).understood(PLAIN, 400, "does not support tools") is None
