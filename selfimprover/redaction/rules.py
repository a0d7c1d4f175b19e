"""A rule: where in a text secrets of one kind stand. And many rules, which cost little where none matches."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from selfimprover.redaction import engine

Narrow = Callable[[bytes, int, int], tuple[int, int] | None]
"""Says which part of a candidate is the secret; ``None`` if it is none."""


class Span(NamedTuple):
    """A secret in a text, in bytes of its UTF-8."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Rule:
    """Every group of ``pattern`` that took part in a match is a candidate; without groups the whole match is.

    ``hints`` are lower-case texts, one of which is in every text that can match: RE2 is only loaded for a text that has
    one. ``exact`` is the pattern of a token of fixed length alone: such a token is recognised even if a terminal broke
    it over two lines. No text below ``shortest`` bytes has one. A rule that comes ``last`` is asked about a text in
    which no other rule finds anything.
    """

    kind: str
    pattern: str
    hints: tuple[str, ...]
    narrow: Narrow | None = None
    exact: str = ""
    shortest: int = 0
    last: bool = False

    def may_match(self, text: bytes, folded: bytes) -> bool:
        """Whether a hint is in the text; ``folded`` is the text in lower case."""
        return len(text) >= self.shortest and any(hint in folded for hint in self._hints)

    def spans(self, text: bytes, folded: bytes) -> Iterator[Span]:
        """The secrets in a text; ``folded`` is the text in lower case."""
        if not self.may_match(text, folded):
            return
        for match in self._compiled.finditer(text):
            for group in self._groups:
                start, end = match.span(group)
                if start == end:
                    continue  # of no part in the match, or empty
                part = self.narrow(text, start, end) if self.narrow else (start, end)
                if part is not None and part[0] < part[1]:
                    yield Span(part[0], part[1], self.kind)

    @cached_property
    def _hints(self) -> tuple[bytes, ...]:
        return tuple(hint.encode() for hint in self.hints)

    @cached_property
    def _compiled(self) -> Any:
        return engine.compiled(self.pattern)

    @cached_property
    def _groups(self) -> range:
        groups: int = self._compiled.groups
        return range(1, groups + 1) if groups else range(1)


_TOGETHER = 48
"""Rules of one pass. All at once can be in so many states that a text made for it never comes to one that was there
before, and each costs; few cannot."""


class Rules:
    """Rules in an order of their own. Few passes over a text tell which can match, and only these are asked."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)

    def likely(self, text: bytes) -> Sequence[Rule]:
        """The rules that can match the text, in their order; few others are among them."""
        if not engine.loaded():
            return self._hinted(text)
        return [self._rules[place] for patterns in self._sets for place in patterns.matching(text)]

    def in_pieces(self, joined: bytes) -> Sequence[Rule]:
        """Those whose exact token may be in a text, whole or broken; ``joined`` is ``views.without_blanks`` of it."""
        if not engine.loaded():
            return self._hinted(joined)
        return [self._rules[place] for place in self._exact.matching(joined)]

    def _hinted(self, text: bytes) -> Sequence[Rule]:
        folded = text.lower()
        return [rule for rule in self._rules if rule.may_match(text, folded)]

    @cached_property
    def _sets(self) -> Sequence[engine.PatternSet]:
        patterns = [without_counts(rule.pattern) for rule in self._rules]
        starts = range(0, len(patterns), _TOGETHER)
        return [engine.PatternSet(patterns[at : at + _TOGETHER], first=at) for at in starts]

    @cached_property
    def _exact(self) -> engine.PatternSet:
        return engine.PatternSet([rule.exact.encode() for rule in self._rules], raw=True)


def spans(rules: Sequence[Rule], text: bytes) -> Iterator[Span]:
    """The secrets in a text, as each rule in turn finds them."""
    if rules:
        folded = text.lower()
        for rule in rules:
            yield from rule.spans(text, folded)


def without_counts(pattern: str) -> str:
    """A pattern that matches wherever the given one does, and that has no large counts.

    RE2 remembers how far each count has come in each place where it may have begun: in a set, a text made for it would
    visit a new state with every byte.
    """
    return _COUNT.sub(_loosened, pattern)


_COUNT = re.compile(r"(?<!\\)\{(\d+)(,?)(\d*)\}")
_LARGEST_COUNT = 3


def _loosened(count: re.Match[str]) -> str:
    least, comma, most = count.groups()
    least = min(int(least), _LARGEST_COUNT)
    exact = not comma and int(count[1]) == least
    bounded = most and int(most) <= _LARGEST_COUNT
    return count[0] if exact or bounded else f"{{{least},}}"
