"""Reads Python tracebacks and one-line error texts.

The format is the one that CPython's ``traceback`` module prints; texts in any other form are taken as a bare message.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_FRAME = re.compile(r'^\s*File "(?P<path>[^"]{1,1000})", line (?P<line>\d{1,9}), in (?P<function>.{1,300})$')
_EXCEPTION = re.compile(r"^(?P<type>[A-Za-z_][\w.]{0,200})(?:: (?P<message>.*))?$", re.DOTALL)
_CARETS = re.compile(r"^\s*[~^]+\s*$")
_NOT_IN_APP = re.compile(r"(?:^|/)(?:site-packages|dist-packages|lib/python\d[\d.]*)(?:/|$)|^<")
_MAX_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a traceback."""

    path: str
    line: int
    function: str
    text: str | None
    """The source line that the traceback shows, stripped; ``None`` if it shows none."""


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


def parse(error: str | None, traceback: str | None) -> Parsed:
    """Parses a task's error (``Type: message`` or a whole traceback) together with its traceback.

    The traceback knows the qualified type and the frames; the error text is believed about the message.
    """
    if traceback is None and error is not None and "\n" in error and "Traceback (most recent call last)" in error:
        error, traceback = None, error
    frames, last_lines = _frames(traceback or "")
    qualified, traced_message = _exception("\n".join(last_lines).strip())
    if error is None or not error.strip():
        return Parsed(_short(qualified), qualified, traced_message, frames)
    named, message = _exception(error.strip())
    if named is None:
        return Parsed(_short(qualified), qualified, message, frames)
    if _short(qualified) == _short(named) and qualified is not None and "." in qualified:
        named = qualified
    return Parsed(_short(named), named, message, frames)


def in_app(frame: Frame) -> bool:
    """Whether the frame is in the project's own code rather than in a library, the standard library or no file."""
    return not _NOT_IN_APP.search(frame.path.replace("\\", "/"))


def place(frame: Frame) -> str:
    """``folder/file.py:function``: where a frame is, without what differs between machines and revisions."""
    return f"{'/'.join(PurePosixPath(frame.path.replace(chr(92), '/')).parts[-2:])}:{frame.function}"


def _frames(traceback: str) -> tuple[tuple[Frame, ...], list[str]]:
    """The frames of the last exception in the text, and the lines that name it."""
    frames: list[Frame] = []
    tail: list[str] = []
    for line in traceback.splitlines()[-_MAX_LINES:]:
        match = _FRAME.match(line)
        if line.startswith("Traceback (most recent call last)"):
            frames, tail = [], []
        elif match:
            frames.append(Frame(match["path"], int(match["line"]), match["function"], None))
            tail = []
        elif frames and not tail and line.startswith("    ") and not _CARETS.match(line):
            if frames[-1].text is None:
                frames[-1] = Frame(frames[-1].path, frames[-1].line, frames[-1].function, line.strip())
        elif line.strip() and not _CARETS.match(line):
            tail.append(line)
    return tuple(frames), tail


def _exception(text: str) -> tuple[str | None, str]:
    """``(type, message)`` of ``Type: message``; the type is ``None`` where the text names none."""
    match = _EXCEPTION.match(text)
    if match is None:
        return None, text
    name, message = match["type"], match["message"]
    if message is None and not _looks_like_class(name):
        return None, text
    if message is not None and not (_looks_like_class(name) or "." in name):
        return None, text
    return name, message or ""


def _looks_like_class(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last[:1].isupper() or last.endswith(("error", "exception", "timeout"))


def _short(name: str | None) -> str | None:
    return None if name is None else name.rpartition(".")[2]
