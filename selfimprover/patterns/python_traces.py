"""Reads the tracebacks of Python: chained, grouped, cut off at either end, with and without carets.

The format is the one that CPython's ``traceback`` module prints
(https://docs.python.org/3/library/traceback.html#traceback-examples), groups as in PEP 654.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfimprover.patterns.frames import Frame, Raised, raised
from selfimprover.patterns.names import exception, looks_like_class

HEADER = "Traceback (most recent call last)"

_FRAME = re.compile(r'\s*File "(?P<path>[^"]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<function>.{1,300}))?$')
_CARETS = re.compile(r"\s*[~^]+\s*$")
_MARGIN = re.compile(r"(?P<indent> *)[|+](?:-\+)? ?(?P<rest>.*)$")
_RULE = re.compile(r"\s*\+(?:-\+)?-{8,} (?:\d{1,6}|\.\.\.) -{8,}$|\s*\+-{20,}$")
_LINKS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_STEP = 2
"""How many columns each level of a group is indented by, the outermost too."""
_MAX_LINES = 4_000
_MAX_MESSAGE = 40


@dataclass(frozen=True, slots=True)
class Trace:
    """What one text tells: the exception that ended the task, and the one that it came from."""

    last: Raised
    root: Raised | None
    """The first exception of a chain or the telling one of a group; ``None`` where there is but one."""


@dataclass(slots=True)
class _Section:
    """One exception as it is being read."""

    depth: int
    headed: bool
    frames: list[Frame] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    def raised(self) -> Raised:
        qualified, message = exception("\n".join(self.named).strip())
        return raised(qualified, message, tuple(self.frames))


def looks_like_python(text: str) -> bool:
    """Whether there may be a traceback of Python in the text."""
    return "\n" in text and (HEADER in text or ('File "' in text and ", line " in text))


def python_exceptions(text: str) -> tuple[Raised, ...]:
    """Every exception that has frames, the most telling first: those in a group, then the last of a chain."""
    found = [section for section in _sections(text) if section.frames]
    order = sorted(range(len(found)), key=lambda place: (-found[place].depth, -place))
    return tuple(found[place].raised() for place in order)


def read_python(text: str) -> Trace | None:
    """The trace in the text; ``None`` if there are no frames in it."""
    sections = [section for section in _sections(text) if section.frames or section.named]
    if not any(section.frames for section in sections):
        return None
    outer = [section for section in sections if section.depth == 0] or sections
    last = outer[-1]
    inner = [section for section in sections if section.depth > last.depth]
    root = _telling(inner) or (outer[0].raised() if len(outer) > 1 and outer[0].named else None)
    return Trace(last.raised(), root)


def _telling(inner: Sequence[_Section]) -> Raised | None:
    """Of the exceptions in a group the one that comes first by type and place: their order depends on timing."""
    parents = {max((other.depth for other in inner), default=0)}
    leaves = [section.raised() for section in inner if section.depth in parents]
    named = [leaf for leaf in leaves if leaf.error_type is not None]
    return min(named, key=lambda leaf: (leaf.error_type or "", leaf.place or ""), default=None)


def _sections(text: str) -> Iterator[_Section]:
    grouped = "Exception Group Traceback" in text
    section = _Section(0, headed=False)
    for raw in text.split("\n")[-_MAX_LINES:]:
        depth, line = _margin(raw) if grouped else (0, raw)
        if HEADER in line:
            yield section
            section = _Section(depth, headed=True)
        elif line.strip() in _LINKS or (grouped and _RULE.match(raw)):
            yield section
            section = _Section(depth, headed=False)
        else:
            _read_line(section, line)
    yield section


def _read_line(section: _Section, line: str) -> None:
    match = _FRAME.match(line)
    if match and not (section.named and section.named[0].strip()):
        function = (match["function"] or "").strip()
        section.frames.append(Frame(match["path"], int(match["line"]), function, None))
        section.named.clear()
    elif section.named:
        if len(section.named) < _MAX_MESSAGE:
            section.named.append(line)
    elif line[:1].isspace() or not line.strip() or _CARETS.match(line):
        _show_code(section, line)
    elif section.frames or section.headed or looks_like_class(line.partition(":")[0].strip()):
        section.named.append(line)


def _show_code(section: _Section, line: str) -> None:
    if section.frames and section.frames[-1].text is None and line.startswith("    ") and not _CARETS.match(line):
        last = section.frames[-1]
        section.frames[-1] = Frame(last.path, last.line, last.function, line.strip())


def _margin(raw: str) -> tuple[int, str]:
    """How deep in a group a line is, and the line without the margin."""
    match = _MARGIN.match(raw)
    if match is None:
        return 0, raw
    return max(0, len(match["indent"]) // _STEP - 1), match["rest"]
