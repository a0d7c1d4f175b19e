"""What stands in a text where a secret was: ``[REDACTED:<kind>:<digest>]``.

The digest is keyed per installation: equal secrets stay equal here and say nothing elsewhere. For fingerprints all
placeholders are one mask (``patterns.masks``).
"""

import hmac
import re
from collections.abc import Iterable
from itertools import chain

from selfimprover.redaction.rules import Span

_OPENING = b"[REDACTED:"
_PLACEHOLDER = re.compile(rb"\[REDACTED:[a-z-]+:[0-9a-f]{6}\]")
_MARKS = tuple(chr(point).encode() for point in range(0xF0000, 0xF1000))


def is_redacted(text: str) -> bool:
    """Whether something was taken out of the text: a placeholder is in it."""
    return _PLACEHOLDER.search(text.encode("utf-8", "replace")) is not None


class MarkedText:
    """A text whose placeholders are folded into single private-use characters while rules look at it.

    So no rule takes a placeholder for a value, and a value that is partly known is still seen as a whole.
    """

    def __init__(self, text: str, key: bytes) -> None:
        clean = text.encode("utf-8", "replace")  # RE2 reads UTF-8: no lone surrogates
        self._key = key
        self._mark = _MARKS[0]
        if self._mark in clean:
            self._mark, clean = _unused_mark(clean)
        self._placeholders: list[bytes] = []
        self._digests: dict[bytes, bytes] = {}
        self.text = clean
        if _OPENING in clean:
            self._placeholders = _PLACEHOLDER.findall(clean)
            self.text = _PLACEHOLDER.sub(self._mark, clean)

    def hide(self, spans: Iterable[Span]) -> bool:
        """Puts a placeholder where each span is, overlapping ones under one; ``False`` if there was nothing new."""
        pieces: list[bytes] = []
        placeholders: list[bytes] = []
        end = seen = 0
        for span in _united(spans):
            secret = self.text[span.start : span.end]
            if not secret.replace(self._mark, b"").strip():
                continue
            before = self.text[end : span.start]
            kept = seen + before.count(self._mark)
            covered = kept + secret.count(self._mark)
            if covered > kept:
                secret = _restored(secret, self._mark, self._placeholders[kept:covered])
            placeholders += [*self._placeholders[seen:kept], self._placeholder(span.kind, secret)]
            pieces += [before, self._mark]
            end, seen = span.end, covered
        if not pieces:
            return False
        self.text = b"".join([*pieces, self.text[end:]])
        self._placeholders = placeholders + self._placeholders[seen:]
        return True

    def restored(self) -> str:
        """The text with its placeholders written out."""
        if not self._placeholders:
            return self.text.decode()
        return _restored(self.text, self._mark, self._placeholders).decode()

    def _placeholder(self, kind: str, secret: bytes) -> bytes:
        if secret not in self._digests:  # a traceback names the same user in every frame
            self._digests[secret] = hmac.digest(self._key, secret, "sha256").hex()[:6].encode()
        return b"%s%s:%s]" % (_OPENING, kind.encode(), self._digests[secret])


def _unused_mark(clean: bytes) -> tuple[bytes, bytes]:
    """A mark that the text does not have, and the text; one that has all of them is an attack, and loses one."""
    present = set(clean.decode())
    for mark in _MARKS:
        if mark.decode() not in present:
            return mark, clean
    return _MARKS[0], clean.replace(_MARKS[0], "\N{REPLACEMENT CHARACTER}".encode())


def _restored(text: bytes, mark: bytes, placeholders: Iterable[bytes]) -> bytes:
    first, *rest = text.split(mark)
    return b"".join([first, *chain.from_iterable(zip(placeholders, rest, strict=True))])


def _united(spans: Iterable[Span]) -> list[Span]:
    """In order, without overlaps; what overlaps is one secret, called after its widest part (the first of equals)."""
    united: list[Span] = []
    widest = 0
    for span in sorted(spans, key=lambda span: span.start):
        width = span.end - span.start
        if united and span.start < united[-1].end:
            last = united[-1]
            kind = span.kind if width > widest else last.kind
            united[-1] = Span(last.start, max(last.end, span.end), kind)
            widest = max(widest, width)
        else:
            united.append(span)
            widest = width
    return united
