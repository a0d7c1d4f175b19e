"""The identity of an error pattern: a pure, versioned function of error type, place in the code and message."""

from functools import lru_cache
from hashlib import blake2b

from selfimprover.domain import Fingerprint
from selfimprover.interfaces import Fingerprinter
from selfimprover.patterns.masks import mask_placeholders, template
from selfimprover.patterns.tracebacks import Parsed, in_app, parse, place

VERSION = 1

_CODE_BUGS = frozenset(
    (
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "Exception",
        "IndexError",
        "KeyError",
        "LookupError",
        "NameError",
        "NotImplementedError",
        "RecursionError",
        "RuntimeError",
        "StopAsyncIteration",
        "StopIteration",
        "TypeError",
        "UnboundLocalError",
        "ValueError",
        "ZeroDivisionError",
    )
)
"""Types that speak of a place in the code; all others (network, files, databases) are told by their message."""

_MIN_WORDS = 2


class ErrorFingerprinter:
    """The first algorithm: type, message template, and for bugs of the code the innermost in-app frame."""

    version = VERSION

    def fingerprint(self, error: str | None, traceback: str | None) -> Fingerprint:
        """The fingerprint of a redacted error text and its traceback, either of which may be missing."""
        parsed = parse(error, traceback)
        masked = template(parsed.message)
        return self._make(parsed.error_type, _locus(parsed, masked), masked, _place(parsed))

    def named(self, *parts: str) -> Fingerprint:
        """The fingerprint of something that is not an error text; the last part is its template."""
        return self._make(None, ":".join(parts[:-1]) or None, parts[-1])

    def _make(self, error_type: str | None, locus: str | None, masked: str, where: str | None = None) -> Fingerprint:
        identity = "\x1f".join((f"v{self.version}", error_type or "", locus or "", masked))
        value = blake2b(identity.encode("utf-8", "replace"), digest_size=8).hexdigest()
        return Fingerprint(value, self.version, error_type, locus, masked, where)


class CachedFingerprinter:
    """Fingerprints each distinct text once, within bounded memory; otherwise the same as what it wraps."""

    def __init__(self, inner: Fingerprinter, size: int = 20_000) -> None:
        self.version = inner.version
        self.named = inner.named
        self.fingerprint = lru_cache(size)(inner.fingerprint)


def _locus(parsed: Parsed, masked: str) -> str | None:
    words = [word for word in masked.split() if any(character.isalpha() for character in word)]
    if parsed.error_type in _CODE_BUGS or len(words) < _MIN_WORDS:
        return _place(parsed)
    return None


def _place(parsed: Parsed) -> str | None:
    """The innermost frame in the project's own code."""
    own = [frame for frame in parsed.frames if in_app(frame)]
    return mask_placeholders(place(own[-1])) if own else None
