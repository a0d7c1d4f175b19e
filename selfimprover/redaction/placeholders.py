"""What stands in a text where a secret was: ``[REDACTED:<kind>:<digest>]``.

The digest is keyed per installation: equal secrets stay equal here and say nothing elsewhere. For fingerprints all
placeholders are one mask (``patterns.masks``).
"""

import hmac
import re
from collections.abc import Iterable
from hashlib import sha256
from itertools import chain

from selfimprover.redaction.rules import Span

_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z-]+:[0-9a-f]{6}\]")
_MARKS = chain(range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
_MARK_CANDIDATES = tuple(map(chr, _MARKS))[:4096]


class MarkedText:
    """A text whose placeholders are folded into single private-use characters while rules look at it.

    So no rule takes a placeholder for a value, and a value that is partly known is still seen as a whole.
    """

    def __init__(self, text: str, key: bytes) -> None:
        clean = text.encode("utf-8", "replace").decode()  # RE2 reads UTF-8: no lone surrogates
        present = set(clean)
        mark = next((mark for mark in _MARK_CANDIDATES if mark not in present), None)
        if mark is None:  # a text with all of them is an attack
            mark = _MARK_CANDIDATES[0]
            clean = clean.replace(mark, "\N{REPLACEMENT CHARACTER}")
        self._key = key
        self._mark = mark.encode()
        self._placeholders = [found.encode() for found in _PLACEHOLDER.findall(clean)]
        self.text = _PLACEHOLDER.sub(mark, clean).encode()

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
            placeholders += self._placeholders[seen:kept]
            placeholders.append(
                self._placeholder(span.kind, _restored(secret, self._mark, self._placeholders[kept:covered]))
            )
            pieces += [before, self._mark]
            end, seen = span.end, covered
        if not pieces:
            return False
        self.text = b"".join([*pieces, self.text[end:]])
        self._placeholders = placeholders + self._placeholders[seen:]
        return True

    def restored(self) -> str:
        """The text with its placeholders written out."""
        return _restored(self.text, self._mark, self._placeholders).decode()

    def _placeholder(self, kind: str, secret: bytes) -> bytes:
        digest = hmac.new(self._key, secret, sha256).hexdigest()[:6]
        return f"[REDACTED:{kind}:{digest}]".encode()


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
