"""Reads every stack of an error text, those of languages too whose errors are grouped by their message alone."""

import re
from collections.abc import Iterator

from selfimprover.characters import visible
from selfimprover.patterns.frames import Frame, Raised
from selfimprover.patterns.python_traces import python_exceptions
from selfimprover.patterns.tracebacks import plain

_MAX_CHARACTERS = 120_000
_MAX_LINE = 1_000
_MAX_FRAMES = 400
_AT = re.compile(
    r"\bat (?:async |new )?(?:(?P<function>[^()\s]{1,200})(?: \[as [^\]]{1,80}\])? )?"
    r"\(?(?P<path>(?:file://)?[^\s()]{1,400}?\.[A-Za-z]{1,5}):(?P<line>\d{1,7})\b"
)
_ANYWHERE = re.compile(
    r"(?<![\w./\\:@-])(?P<path>[\w./\\@-]{1,300}\.(?:go|rb|rs|php|java|kt|cs|tsx?|[cm]?jsx?|sh|lua|exs?|scala|swift))"
    r":(?P<line>\d{1,7})\b"
)


def stacks(text: str) -> tuple[Raised, ...]:
    """Every exception with frames, the most telling first: those inside a group, then the last of a chain.

    In a text without a traceback of Python all places in files that it names count as one stack.
    """
    told = visible(plain(_both_ends(text)))
    found = python_exceptions(told)
    if found:
        return found
    frames = tuple(_others(line[:_MAX_LINE].rstrip() for line in told.split("\n")))
    return (Raised(None, "", frames),) if frames else ()


def _both_ends(text: str) -> str:
    half = _MAX_CHARACTERS // 2
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: half - 1]}\n{text[-half:]}"


def _others(lines: Iterator[str]) -> Iterator[Frame]:
    """The frames of other languages, which print the innermost first."""
    found: list[Frame] = []
    for line in lines:
        if (match := _AT.search(line)) is not None:
            path = match["path"].removeprefix("file://")
            found.append(Frame(path, int(match["line"]), match["function"] or "", None))
        else:
            found += [Frame(each["path"], int(each["line"]), "", None) for each in _ANYWHERE.finditer(line)]
    yield from reversed(list(dict.fromkeys(found))[:_MAX_FRAMES])
