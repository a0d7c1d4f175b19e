"""A request to a model as JSON, in the dialect that the server understands."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from selfimprover.drafting.llm.chat import Message, Tool

_BAD_REQUEST = {400, 422}
_NO_TOOLS = {400, 404, 422, 500, 501}
"""What servers without tools answer: some take it for a mistake of theirs, or for another address."""
_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")
_OF_TOOLS = re.compile(r"\btools?\b|tool[-_ ]?(choice|use|call)|function[-_ ]?call", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What of the protocol a server understands."""

    tools: bool = True
    limit: str = "max_tokens"
    """What it calls the limit of an answer."""
    temperature: bool = True


@dataclass(frozen=True)
class Question:
    """One request. The same question has the same hash, whatever the server's dialect."""

    model: str
    messages: Sequence[Message]
    tools: Sequence[Tool]
    max_tokens: int
    temperature: float = 0.0
    server: str = ""
    """The address that it goes to: another server's answer is another answer."""

    def body(self, dialect: Dialect) -> str:
        """The JSON to be sent."""
        said: dict[str, Any] = {"model": self.model, "messages": [_message(one) for one in self.messages]}
        if self.tools and dialect.tools:
            said["tools"] = [_tool(one) for one in self.tools]
        said[dialect.limit] = self.max_tokens
        if dialect.temperature:
            said["temperature"] = self.temperature
        text = json.dumps(said, ensure_ascii=False, allow_nan=False)
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text that could be sent
        return _BEYOND_ASCII.sub(_visible, text)

    @cached_property
    def hash(self) -> str:
        """Names the question: server, model, messages, tools, limit and temperature."""
        return sha256(f"{self.server}\n{self.body(Dialect())}".encode()).hexdigest()

    def understood(self, dialect: Dialect, status: int, complaint: str) -> Dialect | None:
        """Another dialect to try after the server refused this one; ``None`` if that is not what it complains of."""
        if status in _NO_TOOLS and self.tools and dialect.tools and _OF_TOOLS.search(complaint):
            return replace(dialect, tools=False)
        if status not in _BAD_REQUEST:
            return None
        if "max_completion_tokens" in complaint and dialect.limit == "max_tokens":
            return replace(dialect, limit="max_completion_tokens")
        if "temperature" in complaint and dialect.temperature:
            return replace(dialect, temperature=False)
        return None


def _visible(found: re.Match[str]) -> str:
    """Escapes what cannot be seen, so that what was sent can be printed as it is."""
    letter = found[0]
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]


def _message(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments_json}}
            for one in message.tool_calls
        ]
    if message.tool_call_id:
        said["tool_call_id"] = message.tool_call_id
    return said


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}
