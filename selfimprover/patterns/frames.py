"""What a traceback is made of, whatever language printed it."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_NOT_IN_APP = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|lib/python\d[\d.]*)(?:/|$)"
    r"|(?:^|/)(?i:python(?:[\d.]+|3?\d*)/lib)/|^<|^node:|^internal/"
)
_CONTENT_HASH = re.compile(r"[-.](?=[0-9A-Za-z_]{0,30}\d)[0-9A-Za-z_]{8,32}(?=\.(?:chunk\.|min\.|bundle\.)*[cm]?js$)")
"""What bundlers put into the name of a file so that each build has another."""
_COMPREHENSIONS = frozenset(("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"))


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a traceback."""

    path: str
    line: int
    function: str
    text: str | None
    """The source line that the traceback shows, stripped; ``None`` if it shows none."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception of a traceback."""

    qualified_type: str | None
    """With its module, where the text gives it; ``None`` where the text was cut off before its name."""
    message: str
    frames: tuple[Frame, ...]
    """Outermost first."""
    place: str | None = None
    """``innermost_in_app`` of its frames."""

    @property
    def error_type(self) -> str | None:
        """The short name of the class."""
        return None if self.qualified_type is None else self.qualified_type.rpartition(".")[2]


def in_app(frame: Frame) -> bool:
    """Whether the frame is in the project's own code rather than in a library, the standard library or no file."""
    return not _NOT_IN_APP.search(frame.path.replace("\\", "/"))


def place(frame: Frame) -> str:
    """``folder/file.py:function``: where a frame is, without what differs between machines and revisions."""
    path = _CONTENT_HASH.sub("", frame.path.replace(chr(92), "/"))
    return f"{'/'.join(PurePosixPath(path).parts[-2:])}:{frame.function}"


def innermost_in_app(frames: tuple[Frame, ...]) -> str | None:
    """The place of the innermost frame in the project's own code.

    A comprehension counts as the function around it, for it has a frame of its own only before Python 3.12 (PEP 709).
    """
    own = [frame for frame in frames if in_app(frame)]
    while len(own) > 1 and own[-1].function in _COMPREHENSIONS and own[-2].path == own[-1].path:
        own.pop()
    return place(own[-1]) if own else None


def raised(qualified_type: str | None, message: str, frames: tuple[Frame, ...]) -> Raised:
    """An exception as its traceback tells it."""
    return Raised(qualified_type, message, frames, innermost_in_app(frames))
