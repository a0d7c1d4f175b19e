"""A text as a reader would join it: without colours and invisible characters, or without its line breaks."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from selfimprover.redaction.rules import Span

INVISIBLE = re.compile(
    rb"\x1b\[[0-9;?]{0,20}[A-Za-z]"  # colours and other control sequences
    rb"|\xc2\xad"  # soft hyphen
    rb"|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4\xa6-\xaf]|\xef\xbb\xbf"  # zero-width, bidirectional
    rb"|\xf3\xa0[\x80\x81][\x80-\xbf]"  # tag characters
)
_LEADS = (b"\xc2\xad", b"\xe2\x80", b"\xe2\x81", b"\xef\xbb\xbf", b"\xf3\xa0")
"""How those beyond ASCII begin."""
_ASCII = bytes(range(128))
BREAK = re.compile(rb"[ \t]*(?:\xe2\x94\x82[ \t]*)?\r?\n[ \t]*(?:(?:\xe2\x94\x82|>)[ \t]*)?")
"""A line break with indentation, and with the sides of the box that rich draws round a traceback."""
_BLANKS = b" \t\r\n>\xe2\x94\x82"
"""All bytes that a break is made of."""


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

    def crossing(self, spans: Iterable[Span]) -> Iterator[Span]:
        """Those of the spans that something was left out of, in the text as it was: nothing else sees these whole."""
        for span in spans:
            if self.crosses(span):
                yield self.original(span)

    def _place(self, position: int) -> int:
        index = bisect_right(self._starts, position)
        return position + (self._gaps[index - 1] if index else 0)


def without_invisible(text: bytes) -> Iterator[View]:
    """The text without invisible characters, if it has any."""
    if _may_have_invisible(text) and INVISIBLE.search(text):
        yield View(text, INVISIBLE)


def _may_have_invisible(text: bytes) -> bool:
    if b"\x1b" in text:
        return True
    if text.isascii():
        return False
    rest = text.translate(None, _ASCII)
    return any(lead in rest for lead in _LEADS)


def without_breaks(text: bytes) -> Iterator[View]:
    """The text in one line, if it has several."""
    if b"\n" in text:
        yield View(text, BREAK)


def without_blanks(text: bytes) -> bytes:
    """The text without any byte that a break is made of, wherever it stands: for a quick look, not for reading.

    What is in the text without its breaks is, without these bytes, in here as well.
    """
    return text.translate(None, _BLANKS)
