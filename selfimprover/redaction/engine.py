"""RE2, which takes time linear in the text whatever the pattern; it is loaded when it is first needed.

A service that waits for its night writes a few short log lines, and needs none of the megabytes that RE2 takes.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

_MEMORY = 16 << 20
"""Bytes at most for the states of one set. A text made for it visits many: with less room they are computed again."""


def loaded() -> bool:
    """Whether some text has needed RE2 already."""
    return "re2" in sys.modules


def compiled(pattern: str) -> Any:
    """The pattern, over the bytes of a text in UTF-8."""
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def literals(texts: Iterable[bytes]) -> "PatternSet":
    """A set that finds each of the texts as it is."""
    import re2

    return PatternSet([re2.escape(text) for text in texts], raw=True)


class PatternSet:
    """Many patterns that go over a text together, in one pass; with ``raw`` over its bytes, whatever they are."""

    def __init__(
        self, patterns: Sequence[str] | Sequence[bytes], *, first: int = 0, raw: bool = False, memory: int = _MEMORY
    ) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = memory
        if raw:
            options.encoding = re2.Options.Encoding.LATIN1
        self._set = re2.Set.SearchSet(options)
        for pattern in (*patterns, ""):  # the last matches every text
            self._set.Add(pattern)
        self._set.Compile()
        self._places = range(first, first + len(patterns))

    def matching(self, text: bytes) -> Sequence[int]:
        """The places of the patterns that match, in order, counted from ``first``; all, if RE2 cannot tell."""
        found = sorted(self._set.Match(text) or ())
        if not found or found.pop() != len(self._places):
            return self._places  # the last one is missing: RE2 ran out of memory, and its answer is void
        return [self._places[index] for index in found]
