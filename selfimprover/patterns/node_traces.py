"""Reads the stack traces of JavaScript as V8 prints them, innermost first (https://v8.dev/docs/stack-trace-api)."""

import re

from selfimprover.patterns.frames import Frame, Raised, raised
from selfimprover.patterns.names import exception
from selfimprover.patterns.python_traces import Trace

_AT = re.compile(r"\s+at (?:async )?(?P<rest>.+)$")
_PLACE = re.compile(
    r"(?:(?P<function>[^()]{1,200}?) )?\(?(?:async )?"
    r"(?P<path>(?:[a-z-]{2,20}:/{0,3})?[^()\s:]{1,400}|[A-Z]:[\\/][^():]{1,400}"
    r"|node:[\w/.-]{1,200}):(?P<line>\d{1,9})(?::\d{1,9})?\)?$"
)
_ALIAS = re.compile(r" \[as [^\]]{1,100}\]")
_OWNER = re.compile(r"^(?:new |Object\.|Module\.|exports\.|global\.|_?this\.)")
_SCHEME = re.compile(r"^(?:file|webpack|webpack-internal|vite|app):/{0,3}(?:\./)?|\?[^/]*$")
_CAUSE = re.compile(r"\s*(?:\[cause\]|\[errors\]|Caused by): ?\[?\s*(?P<error>.*)$")
_MAX_LINES = 4_000
_MAX_MESSAGE = 40


def looks_like_node(text: str) -> bool:
    """Whether there may be a stack trace of JavaScript in the text."""
    return "\n    at " in text or "\n\tat " in text or text.startswith("    at ")


def read_node(text: str) -> Trace | None:
    """The trace in the text; ``None`` if there are no frames of JavaScript in it."""
    found: list[Raised] = []
    named: list[str] = []
    frames: list[Frame] = []
    closed = False
    for line in text.split("\n")[:_MAX_LINES]:
        at, cause = _AT.match(line), _CAUSE.match(line)
        if cause:
            found.append(_raised(named, frames))
            named, frames, closed = [cause["error"]], [], False
        elif at:
            closed = True
            if frame := _frame(at["rest"]):
                frames.append(frame)
        elif not closed and len(named) < _MAX_MESSAGE:
            named.append(line)
    found.append(_raised(named, frames))
    if not any(one.frames for one in found):
        return None
    return Trace(found[0], found[-1] if len(found) > 1 else None)


def _raised(named: list[str], frames: list[Frame]) -> Raised:
    """A program that ends shows the line that threw above the error, which begins at the first line with a class."""
    begins = [place for place, line in enumerate(named) if exception(line.strip())[0] is not None]
    qualified, message = exception("\n".join(named[begins[0] if begins else 0 :]).strip())
    return raised(qualified, message.rstrip(" {"), tuple(reversed(frames)))


def _frame(rest: str) -> Frame | None:
    match = _PLACE.match(_ALIAS.sub("", rest.rstrip(" {").strip()))
    if match is None:
        return None
    function = _OWNER.sub("", match["function"] or "")
    return Frame(_SCHEME.sub("", match["path"]), int(match["line"]), function or "<anonymous>", None)
