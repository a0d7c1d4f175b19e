"""The identity of an error pattern: a pure, versioned function of error type, place in the code and message."""

from functools import lru_cache
from hashlib import blake2b

from selfimprover.domain import Fingerprint
from selfimprover.interfaces import Fingerprinter
from selfimprover.patterns.masks import keeps_digits, mask_placeholders, says_something, template
from selfimprover.patterns.summaries import summary
from selfimprover.patterns.tracebacks import Parsed, parse
from selfimprover.patterns.words import shape_of

VERSION = 2

_CODE_BUGS = frozenset(
    (
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "Exception",
        "IndexError",
        "JSONDecodeError",
        "KeyError",
        "LookupError",
        "NameError",
        "NotImplementedError",
        "RangeError",
        "RecursionError",
        "ReferenceError",
        "RuntimeError",
        "StopAsyncIteration",
        "StopIteration",
        "TypeError",
        "UnboundLocalError",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "ValueError",
        "ZeroDivisionError",
    )
)
"""Types that speak of a place in the code; all others (network, files, databases) are told by their message."""

_SILENT = frozenset(
    (
        "IndexError",
        "KeyError",
        "RecursionError",
        "StopAsyncIteration",
        "StopIteration",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "ZeroDivisionError",
    )
)
"""Types whose message is about the value at hand: where the place is known, the place says it all."""


class ErrorFingerprinter:
    """The second algorithm: type, what it came from, message template, and for bugs of the code their place.

    The place is the innermost frame in the project's own code, as the last two parts of its path and its function:
    never a line number. What an exception came from is told by the type of the first one of its chain, and by that
    one's place if it is a bug of the code, else by its message.
    """

    version = VERSION

    def fingerprint(self, error: str | None, traceback: str | None) -> Fingerprint:
        """The fingerprint of a redacted error text and its traceback, either of which may be missing."""
        parsed = parse(error, traceback)
        masked = template(summary(parsed.message))
        where = _place(parsed)
        told_by_place = where is not None and (parsed.error_type in _CODE_BUGS or not says_something(masked))
        locus = where if told_by_place else None
        identity = "" if locus is not None and parsed.error_type in _SILENT else masked
        return _made(self.version, parsed.error_type, _root(parsed), locus, identity, masked, where)

    def named(self, *parts: str) -> Fingerprint:
        """The fingerprint of something that is not an error text; the last part is its template."""
        return _made(self.version, ":".join(parts[:-1]) or None, None, None, parts[-1], parts[-1], None)


_MOST_REMEMBERED = 4_000
"""Characters of error and traceback beyond which nothing is remembered: hostile texts must not fill the memory."""


class CachedFingerprinter:
    """Fingerprints each distinct text once, within bounded memory; otherwise the same as what it wraps.

    Most error texts differ in digits only, and most digits are masked: those texts are fingerprinted once together.
    """

    def __init__(self, inner: Fingerprinter, size: int = 20_000) -> None:
        self.version = inner.version
        self.named = inner.named
        self._fingerprint = inner.fingerprint
        self._of_text = lru_cache(size // 4)(inner.fingerprint)
        self._of_shape = lru_cache(size)(self._looked_at)

    def fingerprint(self, error: str | None, traceback: str | None) -> Fingerprint:
        """The fingerprint of a redacted error text and its traceback, either of which may be missing."""
        if len(error or "") + len(traceback or "") > _MOST_REMEMBERED:
            return self._fingerprint(error, traceback)
        if error is None or "\n" in error or "\\" in error:  # digits name a place in the code, or a character
            return self._of_text(error, traceback)
        return self._of_shape(shape_of(error), traceback) or self._of_text(error, traceback)

    def _looked_at(self, shape: str, traceback: str | None) -> Fingerprint | None:
        """The fingerprint of all texts of a shape; ``None`` where it depends on their digits."""
        if keeps_digits(shape):
            return None
        found = self._fingerprint(shape, traceback)
        return None if any(map(str.isdigit, f"{found.error_type}{found.template}")) else found


@lru_cache(50_000)
def _made(
    version: int,
    error_type: str | None,
    root: str | None,
    locus: str | None,
    identity: str,
    shown: str,
    where: str | None,
) -> Fingerprint:
    told = "\x1f".join((f"v{version}", error_type or "", root or "", locus or "", identity.casefold()))
    value = blake2b(told.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return Fingerprint(value, version, error_type, locus, shown, where, root)


def place_tells(error_type: str | None, masked: str) -> bool:
    """Whether an error of which the place is known is told by it alone: its message is about the value at hand."""
    return error_type in _SILENT or not says_something(masked)


def names_tell_apart(error_type: str | None, masked: str) -> bool:
    """Whether the names in such a message tell causes apart, however many of them are seen.

    What is missing from ``None`` says less than that it was ``None``.
    """
    return error_type in _NAMING and not masked.startswith("'NoneType' object has no attribute")


_NAMING = frozenset(
    (
        "AttributeError",
        "ImportError",
        "ModuleNotFoundError",
        "NameError",
        "ReferenceError",
        "SyntaxError",
        "TypeError",
        "UnboundLocalError",
    )
)


def _place(parsed: Parsed) -> str | None:
    return None if parsed.place is None else mask_placeholders(parsed.place)


def _root(parsed: Parsed) -> str | None:
    """What tells the first exception of a chain; ``None`` where there was none, or it says what the last one says."""
    root = parsed.root
    if root is None or root.error_type is None:
        return None
    masked = template(summary(root.message))
    if root.error_type not in _CODE_BUGS and says_something(masked):
        told = "" if masked in template(summary(parsed.message)) else masked
    else:
        told = mask_placeholders(root.place or "")
    return f"{root.error_type} {told}".strip()
