"""Reads every stack of an error text: chained, grouped, cut off, behind log prefixes, and those of other languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selfimprover.characters import visible
from selfimprover.patterns.tracebacks import Frame

_MAX_CHARACTERS = 120_000
_MAX_LINE = 1_000
_MAX_FRAMES = 400
_HEADER = "Traceback (most recent call last)"
_PYTHON = re.compile(r'File "(?P<path>[^"]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<function>.{1,300}))?$')
_AT = re.compile(
    r"\bat (?:async |new )?(?:(?P<function>[^()\s]{1,200})(?: \[as [^\]]{1,80}\])? )?"
    r"\(?(?P<path>(?:file://)?[^\s()]{1,400}?\.[A-Za-z]{1,5}):(?P<line>\d{1,7})\b"
)
_ANYWHERE = re.compile(
    r"(?<![\w./\\:@-])(?P<path>[\w./\\@-]{1,300}\.(?:go|rb|rs|php|java|kt|cs|tsx?|[cm]?jsx?|sh|lua|exs?|scala|swift))"
    r":(?P<line>\d{1,7})\b"
)
_GROUP_RULE = re.compile(r"^[\s|]*\+[-+]{2}")
_CARETS = re.compile(r"^[\s~^]*$")
_SHAPE = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class Stack:
    """The calls that led to one exception."""

    frames: tuple[Frame, ...]
    """Outermost first; the function of a frame may be empty."""
    error: str
    """The line that names the exception; empty where the text was cut off before it."""
    is_python: bool


@dataclass(slots=True)
class _Open:
    """A stack that is being read."""

    column: int | None = None
    frames: list[Frame] = field(default_factory=list)
    error: str = ""


def stacks(text: str) -> tuple[Stack, ...]:
    """Every stack of a text, the most telling first: the exceptions inside a group, then the last of a chain."""
    lines = _lines(text)
    found = _python(lines)
    if not found:
        frames = tuple(_others(lines))
        return (Stack(frames, "", is_python=False),) if frames else ()
    deepest_first = sorted(enumerate(found), key=lambda item: (-(item[1].column or 0), -item[0]))
    return tuple(Stack(tuple(stack.frames), stack.error, is_python=True) for _, stack in deepest_first)


def _lines(text: str) -> list[str]:
    if "\n" not in text.strip() and "\\n" in text:  # a traceback inside a JSON string
        text = text.replace("\\n", "\n").replace('\\"', '"')
    if len(text) > _MAX_CHARACTERS:
        half = _MAX_CHARACTERS // 2
        text = f"{text[:half]}\n{text[-half:]}"
    return [line[:_MAX_LINE].rstrip() for line in visible(text).split("\n")]


def _python(lines: list[str]) -> list[_Open]:
    found: list[_Open] = []
    for number, line in enumerate(lines):
        if _HEADER in line:
            found.append(_Open())
        elif (match := _PYTHON.search(line)) is not None:
            if not found or found[-1].error:
                found.append(_Open())
            stack = found[-1]
            if len(stack.frames) < _MAX_FRAMES:
                stack.column = match.start() if stack.column is None else stack.column
                below = lines[number + 1] if number + 1 < len(lines) else ""
                shown = _code_below(below, line[: match.start()])
                stack.frames.append(Frame(match["path"], int(match["line"]), (match["function"] or "").strip(), shown))
        elif found and found[-1].frames and not found[-1].error:
            found[-1].error = _error(line, found[-1].column or 0)
    return [stack for stack in found if stack.frames]


def _code_below(line: str, prefix: str) -> str | None:
    """The source line under a frame, which stands behind the same prefix and is indented further."""
    if _PYTHON.search(line) or not _same_shape(line[: len(prefix)], prefix):
        return None
    rest = line[len(prefix) :]
    if not rest.startswith("  ") or _CARETS.match(rest):
        return None
    return rest.strip()


def _error(line: str, column: int) -> str:
    """The line that ends a stack, which stands two columns before its frames; empty if this is another."""
    rest = line[max(0, column - 2) :]
    if not rest[:1].strip() or rest[:1] in "|[+" or _GROUP_RULE.match(line):
        return ""
    return rest.strip()


def _same_shape(left: str, right: str) -> bool:
    return left.translate(_SHAPE) == right.translate(_SHAPE)


def _others(lines: list[str]) -> Iterator[Frame]:
    """The frames of other languages, which print the innermost first."""
    found: list[Frame] = []
    for line in lines:
        if (match := _AT.search(line)) is not None:
            path = match["path"].removeprefix("file://")
            found.append(Frame(path, int(match["line"]), match["function"] or "", None))
        else:
            found += [Frame(each["path"], int(each["line"]), "", None) for each in _ANYWHERE.finditer(line)]
    yield from reversed(list(dict.fromkeys(found))[:_MAX_FRAMES])
