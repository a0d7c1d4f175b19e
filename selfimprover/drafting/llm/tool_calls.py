"""What a model wants of a tool, read without trust. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from selfimprover.drafting.llm.chat import Tool, ToolCall
from selfimprover.drafting.llm.faults import plain


class BadToolCallError(ValueError):
    """The call cannot be carried out; the message is for the model, which may correct itself."""


def arguments(call: ToolCall, tools: Sequence[Tool]) -> Mapping[str, Any]:
    """The arguments of a call of one of ``tools``; what they mean is for the tool to check.

    Raises ``BadToolCallError`` for a tool that was not offered, and for what is no object of JSON, read strictly.
    """
    if call.name not in {tool.name for tool in tools}:
        offered = ", ".join(tool.name for tool in tools) or "none"
        raise BadToolCallError(f"there is no tool {plain(call.name)!r}; there are: {offered}")
    try:
        value = json.loads(call.arguments_json or "{}", object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadToolCallError(f"the arguments of {call.name} are no valid JSON: {plain(error)}") from None
    if not isinstance(value, dict):
        raise BadToolCallError(f"the arguments of {call.name} must be an object of JSON")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands there twice")
    return made


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
