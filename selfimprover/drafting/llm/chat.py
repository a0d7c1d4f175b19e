"""What is said to a language model and what it says: the seam that the rest of the drafting knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from selfimprover.domain import TokenUsage


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants a tool to be run. ``arguments_json`` is as it came, perhaps no JSON at all."""

    id: str
    name: str
    arguments_json: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``tool_call_id`` says which call a message of the role *tool* answers."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """What the model may ask for; ``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. What it means, a refusal in plain words included, is for the reader of the text to tell."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish: str
    """``stop``, ``tool_calls``, ``length``, ``content_filter``, or whatever else the server calls it; may be empty."""
    usage: TokenUsage
    model: str
    """What the server says it is."""
    raw: str
    """The answer as it came."""
    sent: str
    """The request as it was sent, without the key."""
    refusal: str = ""
    tools_unsupported: bool = False
    """The server knows no tools, so it was asked without them."""


class Chat(Protocol):
    """Somebody to ask."""

    async def ask(self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), max_tokens: int) -> Reply:
        """The answer, of at most ``max_tokens`` tokens.

        Raises ``ModelError`` if there is none tonight and ``ModelRefusedError`` if there will be none.
        """
        ...
