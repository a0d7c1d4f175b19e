"""Placeholders in what a model was shown of a file: a secret stands there, so no edit can quote or write the line."""

import re
from collections.abc import Sequence

PLACEHOLDER = re.compile(r"\[REDACTED:[a-z-]+:[0-9a-f]{6}\]")
"""What ``redaction`` puts in place of a secret."""
NOTE = (
    "Where code says [REDACTED:…], its file has a secret that is not shown: leave such lines out of SEARCH and REPLACE."
)
_UNKNOWN = (
    "stands for a secret that you were not shown: leave such lines as they are, with smaller SEARCH/REPLACE blocks"
    " around them, and make up values in tests."
)


def agrees(line: str, shown: str) -> bool:
    """Equal, where each redaction placeholder in ``shown`` stands for any text."""
    first, *rest = PLACEHOLDER.split(shown.strip())
    if not rest:
        return line == first
    if not line.startswith(first):
        return False
    position = len(first)
    for part in rest[:-1]:
        position = line.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return line.endswith(rest[-1]) and len(line) - len(rest[-1]) >= position


def fault(search: Sequence[str], code: Sequence[str], present: str | None) -> str | None:
    """Why lines with a placeholder cannot be found in, or put into, a file with the text ``present``, for the model.

    ``None`` if there are none, if the file has these lines as they are, or if the file is new: a test may speak of
    placeholders.
    """
    hidden = [line for line in (*search, *code) if PLACEHOLDER.search(line)]
    if not hidden or not present:
        return None
    lines = present.splitlines()
    for number, line in enumerate(search, start=1):
        if line in hidden and line not in lines:
            places = [place for place, real in enumerate(lines, start=1) if agrees(real.strip(), line)]
            where = f"line {places[0]}" if len(places) == 1 else f"line {number} of its SEARCH"
            return f"{where} was redacted; leave it out of the block (use smaller blocks above and below it)."
    for line in code:
        if line in hidden and line not in lines:
            return f"{PLACEHOLDER.findall(line)[0]} in its new lines {_UNKNOWN}"
    return None
