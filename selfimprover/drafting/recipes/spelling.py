"""When two names are close, and when the difference is a slip of the hand rather than another word.

Close: one step apart, or two in names of eight letters or more. A step inserts, drops or changes a letter (also from
small to capital) or swaps two neighbours: Damerau-Levenshtein, no letter twice.

A slip is stricter: exactly one word of the name differs; it has four letters or more, begins with the same letter, ends
with the same one or with the last two swapped, and is one step apart (two in words of eight letters or more). So a
plural, a tense, a number or a prefix (``user`` and ``users``, ``item1`` and ``item2``, ``get_`` and ``set_``) is never
taken for a slip, and case neither.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from selfimprover.errors import RefusedError

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SHORTEST, _LONG = 4, 8


@dataclass(frozen=True)
class Slip:
    """The word that was meant, and how it was written; both in small letters."""

    wrong: str
    right: str


def distance(left: str, right: str) -> int:
    """How many letters must be inserted, dropped, changed or swapped with their neighbour, none of them twice."""
    before_last: list[int] = []
    last = list(range(len(right) + 1))
    for row, letter in enumerate(left, start=1):
        now = [row]
        for column, other in enumerate(right, start=1):
            best = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                best = min(best, before_last[column - 2] + 1)
            now.append(best)
        before_last, last = last, now
    return last[-1]


def is_close(name: str, other: str) -> bool:
    """Whether somebody who wrote one of two different names may have meant the other."""
    most = 2 if len(name) >= _LONG else 1
    return name != other and abs(len(name) - len(other)) <= most and distance(name, other) <= most


def only_close(name: str, known: Iterable[str], where: str) -> str:
    """The one known name that is close; raises ``RefusedError`` if there are several or none."""
    close = sorted({other for other in known if is_close(name, other)})
    if len(close) != 1:
        raise RefusedError(f"exactly one name {where} must be close to {name}: {', '.join(close) or 'none is'}")
    return close[0]


def slip(name: str, right: str) -> Slip:
    """The word in which two close names differ; raises ``RefusedError`` unless the difference is a slip."""
    wrong_words, right_words = WORD.findall(name), WORD.findall(right)
    if WORD.sub("*", name) != WORD.sub("*", right):
        raise RefusedError(f"{name} and {right} are not made of the same number of words")
    pairs = [(one, two) for one, two in zip(wrong_words, right_words, strict=True) if one != two]
    if len(pairs) != 1 or not _is_slip(*pairs[0]):
        raise RefusedError(f"{name} and {right} differ by more than a slip inside one word: they may be two names")
    return Slip(pairs[0][0].lower(), pairs[0][1].lower())


def _is_slip(wrong: str, right: str) -> bool:
    shortest = min(len(wrong), len(right))
    if shortest < _SHORTEST or not (wrong + right).isalpha() or _case(wrong) != _case(right):
        return False
    swapped = wrong[-2:] == right[:-3:-1]
    most = 2 if shortest >= _LONG else 1
    return wrong[0] == right[0] and (wrong[-1] == right[-1] or swapped) and distance(wrong, right) <= most


def _case(word: str) -> tuple[bool, bool]:
    return word.islower(), word.isupper()
