"""A rule: where in a text secrets of one kind stand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

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

    ``hints`` are lower-case texts, one of which is in every text that can match: most rules are done after a look for
    them, and RE2 is only loaded for a text that has one. ``exact`` tokens have a fixed length, so that they are
    recognised even if a terminal broke them over two lines. No text below ``shortest`` bytes has one.
    """

    kind: str
    pattern: str
    hints: tuple[str, ...]
    narrow: Narrow | None = None
    exact: bool = False
    shortest: int = 0

    def spans(self, text: bytes, folded: bytes) -> Iterator[Span]:
        """The secrets in a text; ``folded`` is the text in lower case."""
        if len(text) < self.shortest or not any(hint in folded for hint in self._hints):
            return
        for match in self._compiled.finditer(text):
            for group in self._groups:
                start, end = match.span(group)
                part = self.narrow(text, start, end) if self.narrow and start >= 0 else (start, end)
                if part is not None and part[0] < part[1]:
                    yield Span(part[0], part[1], self.kind)

    @cached_property
    def _hints(self) -> tuple[bytes, ...]:
        return tuple(hint.encode() for hint in self.hints)

    @cached_property
    def _compiled(self) -> Any:
        import re2

        options = re2.Options()
        options.log_errors = False
        return re2.compile(self.pattern, options)

    @cached_property
    def _groups(self) -> range:
        groups: int = self._compiled.groups
        return range(1, groups + 1) if groups else range(1)
