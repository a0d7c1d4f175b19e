"""What model servers answer, as bytes of HTTP."""

import json
from typing import Any

USAGE = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}


def answer(status: int, body: Any, **headers: str) -> bytes:
    """An answer; ``retry_after="1"`` is a header, bytes and text are sent as they are."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = {"content_type": "application/json", "content_length": str(len(content)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode("latin-1") + content


def completion(
    content: Any = "Hello.", *, finish: str = "stop", usage: Any = USAGE, model: str = "m-1", **message: Any
) -> bytes:
    """A chat completion; further keywords are parts of the message, such as ``refusal``."""
    said = {"role": "assistant", "content": content, **message}
    body = {"id": "c-1", "object": "chat.completion", "created": 1, "model": model}
    choices = [{"index": 0, "message": said, "finish_reason": finish}]
    return answer(200, {**body, "choices": choices} | ({"usage": usage} if usage is not None else {}))


def calling(name: str, arguments: Any, **changes: Any) -> bytes:
    """A completion that calls a tool; ``arguments`` go out as they are."""
    call = {"id": "t-1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return completion(None, finish="tool_calls", tool_calls=[call], **changes)


def error(
    status: int, message: str = "No.", *, code: str | None = None, headers: dict[str, str] | None = None
) -> bytes:
    """An error in OpenAI's way."""
    body = {"error": {"message": message, "type": "an_error", "param": None, "code": code}}
    return answer(status, body, **(headers or {}))


def page(status: int = 200) -> bytes:
    """What a proxy, a login page or a wrong address answers."""
    return answer(status, "<!DOCTYPE html><title>Sign in</title>", content_type="text/html; charset=utf-8")
