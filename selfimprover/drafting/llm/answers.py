"""The JSON of an answer, read without trust. Pure: the same bytes give the same reply, tonight and a year later."""

import json
from typing import Any

from selfimprover.domain import TokenUsage
from selfimprover.drafting.llm.budget import estimate
from selfimprover.drafting.llm.chat import Reply, ToolCall
from selfimprover.drafting.llm.faults import Fault, astray, lost, refused_request

_LENGTH = {"length", "max_tokens", "model_length", "max_output_tokens"}
"""What servers call an answer that was cut off."""


def understood(body: bytes, content_type: str, *, sent: str, without_tools: bool) -> Reply | Fault:
    """The reply in the body of a success, or what is wrong with it."""
    text = body.decode("utf-8", "replace")
    if "html" in content_type or text.lstrip()[:1] == "<":
        return astray("a web page came instead of an answer")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return lost("the answer is not whole" if text.strip() else "the answer is empty", text)
    if not isinstance(data, dict):
        return astray("the answer is not that of a model")
    if data.get("error") and not data.get("choices"):
        return _error_with_success(data["error"], body)
    if "choices" not in data:
        return astray("the answer is not that of a model")
    return _reply(data, text, sent, without_tools=without_tools)


def reread(raw: str, *, sent: str, without_tools: bool) -> Reply | None:
    """The reply of an answer that was kept; ``None`` for one that cannot be read."""
    reply = understood(raw.encode(), "", sent=sent, without_tools=without_tools)
    return reply if isinstance(reply, Reply) else None


def names(body: bytes) -> tuple[str, ...] | None:
    """The names in a list of models; ``None`` if it is none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    listed = data.get("data") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        return None
    return tuple(name for name in (_string(_dict(one).get("id")) for one in listed) if name)


def _error_with_success(error: Any, body: bytes) -> Fault:
    """Some gateways tell the fault of the server behind them in an answer with status 200."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500  # noqa: PLR2004
    return refused_request(status, {}, body)


def _reply(data: dict[str, Any], raw: str, sent: str, *, without_tools: bool) -> Reply:
    choice = _dict(_first(data.get("choices")))
    message = _dict(choice.get("message"))
    text, finish = _text(message.get("content")), _string(choice.get("finish_reason"))
    return Reply(
        text=text,
        tool_calls=tuple(_calls(message.get("tool_calls"))),
        finish="length" if finish in _LENGTH else finish,
        usage=_usage(_dict(data.get("usage")), sent, raw),
        model=_string(data.get("model")),
        raw=raw,
        sent=sent,
        refusal=_string(message.get("refusal")),
        tools_unsupported=without_tools,
    )


def _text(content: Any) -> str:
    """Plain text, or that of a list of parts."""
    if isinstance(content, list):
        return "".join(_string(_dict(part).get("text")) for part in content)
    return _string(content)


def _calls(calls: Any) -> list[ToolCall]:
    made = []
    for number, one in enumerate(calls if isinstance(calls, list) else []):
        function = _dict(_dict(one).get("function"))
        arguments = function.get("arguments", "")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        made.append(ToolCall(_string(_dict(one).get("id")) or f"call-{number}", _string(function.get("name")), text))
    return made


def _usage(usage: dict[str, Any], sent: str, raw: str) -> TokenUsage:
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None or completion is None or prompt + completion == 0:
        return TokenUsage(estimate(sent), 0, estimate(raw), estimated=True)
    details = _dict(usage.get("prompt_tokens_details"))
    cached = _count(details.get("cached_tokens")) or _count(usage.get("prompt_cache_hit_tokens")) or 0
    return TokenUsage(prompt, min(cached, prompt), completion)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
