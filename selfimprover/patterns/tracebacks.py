"""Reads what a task says of its failure: an error text and a traceback, either of which may hold both or be missing.

Tracebacks of Python and JavaScript are understood. Of any other text only what comes before its stack is the message.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from selfimprover.patterns.frames import Frame, Raised, in_app, innermost_in_app, place
from selfimprover.patterns.names import exception
from selfimprover.patterns.node_traces import looks_like_node, read_node
from selfimprover.patterns.prefixes import without_prefixes
from selfimprover.patterns.python_traces import Trace, looks_like_python, read_python

__all__ = ["Frame", "Parsed", "Raised", "in_app", "innermost_in_app", "parse", "place"]

_MAX_CHARACTERS = 120_000
_MAX_REMEMBERED = 8_000
_CONTROL = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_STACK = re.compile(
    r"\n\s*(?:at |File \"|from |in |#\d{1,3} |\d{1,4}: (?:0x)?|goroutine \d|stack backtrace:|Stack ?trace:|Backtrace:"
    r"|Traceback[ :]"
    r"|\.\.\. \d{1,4} more|Caused by: |\[stacktrace\]|--- End of )"
)
_LEVELS = ("level", "levelname", "severity", "lvl", "log.level")
_TEXTS = (
    "exception",
    "exc_info",
    "stack_trace",
    "traceback",
    "stack",
    "error",
    "err",
    "exc",
    "msg",
    "message",
    "event",
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an error text and its traceback say."""

    error_type: str | None
    """The short name of the exception class."""
    qualified_type: str | None
    """The same with its module, where the text gives it."""
    message: str
    frames: tuple[Frame, ...]
    """Outermost first; those of the last exception of a chain only."""
    root: Raised | None = None
    """What it came from: the first exception of a chain, or the telling one of a group."""
    place: str | None = None
    """The innermost frame of the project's own code; ``None`` too where the traceback ends before its error."""


def parse(error: str | None, traceback: str | None) -> Parsed:
    """Parses a task's error (``Type: message`` or a whole traceback) together with its traceback.

    The traceback knows the qualified type and the frames; the error text is believed about the message.
    """
    told = plain(error)
    if not traceback and "\n" not in told:
        named, message = exception(told)
        return Parsed(_short(named), named, message, ())
    trace = (_read(traceback) if traceback else None) or _trace(told)
    if trace is not None and _holds_stack(told):
        told = ""
    named, message = exception(_before_the_stack(told)) if told else (None, "")
    if trace is None:
        if not told and traceback:
            named, message = exception(_before_the_stack(plain(traceback)))
        return Parsed(_short(named), named, message, ())
    qualified = trace.last.qualified_type
    if not told:
        named, message = qualified, trace.last.message
    elif named is None or (_short(named) == _short(qualified) and qualified is not None and "." in qualified):
        named = qualified
    where = None if qualified is None else trace.last.place
    return Parsed(_short(named), named, message, trace.last.frames, trace.root, where)


def _read(traceback: str) -> Trace | None:
    return _remembered(traceback) if len(traceback) <= _MAX_REMEMBERED else _trace(plain(traceback))


@lru_cache(2_000)
def _remembered(traceback: str) -> Trace | None:
    """Tracebacks repeat, while the messages beside them vary."""
    return _trace(plain(traceback))


def _trace(text: str) -> Trace | None:
    if looks_like_python(text):
        return read_python(text)
    return read_node(text) if looks_like_node(text) else None


def _holds_stack(text: str) -> bool:
    return looks_like_python(text) or looks_like_node(text)


def plain(text: str | None) -> str:
    """A text without log prefixes, colours and marks of direction; a line of JSON gives its message."""
    if not text:
        return ""
    told = text[:_MAX_CHARACTERS].replace("\r\n", "\n")
    if told.lstrip()[:1] == "{":
        told = _from_json(told.strip())
    if "\x1b" in told or not told.isascii():
        told = _CONTROL.sub("", told)
    told = without_prefixes(told)
    if "\\n" in told and "\n" not in told and "\\n    " in told:  # a traceback inside a JSON string
        told = told.replace("\\n", "\n").replace('\\"', '"')
    return told.strip("\n") if _holds_stack(told) else told.strip()


def _from_json(text: str) -> str:
    """What a structured log line says, if the text is one."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(line, dict) or not any(level in line for level in _LEVELS):
        return text
    return next((line[name] for name in _TEXTS if isinstance(line.get(name), str) and line[name].strip()), text)


def _before_the_stack(text: str) -> str:
    found = _STACK.search(text) if "\n" in text else None
    return (text[: found.start()] if found else text).strip()


def _short(name: str | None) -> str | None:
    return None if name is None else name.rpartition(".")[2]
