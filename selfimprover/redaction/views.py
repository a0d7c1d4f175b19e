"""A text as a reader would join it: without colours and invisible characters, or without its line breaks."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from selfimprover.redaction.rules import Span

_INVISIBLE = re.compile(
    rb"\x1b\[[0-9;?]{0,20}[A-Za-z]"  # colours and other control sequences
    rb"|\xc2\xad"  # soft hyphen
    rb"|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4\xa6-\xaf]|\xef\xbb\xbf"  # zero-width, bidirectional
    rb"|\xf3\xa0[\x80\x81][\x80-\xbf]"  # tag characters
)
_BREAK = re.compile(rb"[ \t]*(?:\xe2\x94\x82[ \t]*)?\r?\n[ \t]*(?:(?:\xe2\x94\x82|>)[ \t]*)?")
"""A line break with indentation, and with the sides of the box that rich draws round a traceback."""


class View:
    """A text with pieces left out."""

    def __init__(self, text: bytes, left_out: re.Pattern[bytes]) -> None:
        pieces: list[bytes] = []
        self._starts: list[int] = []
        self._gaps: list[int] = []
        end = gap = length = 0
        for match in left_out.finditer(text):
            pieces.append(text[end : match.start()])
            length += match.start() - end
            end = match.end()
            gap += end - match.start()
            self._starts.append(length)
            self._gaps.append(gap)
        self.text = b"".join([*pieces, text[end:]])

    def original(self, span: Span) -> Span:
        """The span in the text as it was."""
        return Span(self._place(span.start), self._place(span.end - 1) + 1, span.kind)

    def crosses(self, span: Span) -> bool:
        """Whether something was left out in the midst of the span."""
        return bisect_right(self._starts, span.start) != bisect_right(self._starts, span.end - 1)

    def _place(self, position: int) -> int:
        index = bisect_right(self._starts, position)
        return position + (self._gaps[index - 1] if index else 0)


def without_invisible(text: bytes) -> Iterator[View]:
    """The text without invisible characters, if it has any."""
    if _INVISIBLE.search(text):
        yield View(text, _INVISIBLE)


def without_breaks(text: bytes) -> Iterator[View]:
    """The text in one line, if it has several."""
    if b"\n" in text:
        yield View(text, _BREAK)
