"""The function from text to text without secrets, and the gate that stops what it would have to change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfimprover.redaction import views
from selfimprover.redaction.context import ANNOUNCED
from selfimprover.redaction.known import KnownSecrets
from selfimprover.redaction.personal import PERSONAL
from selfimprover.redaction.placeholders import MarkedText
from selfimprover.redaction.rules import Rule, Span
from selfimprover.redaction.tokens import TOKENS

_ROUNDS = 12
"""A placeholder can bring a further secret to light; more often than this only in a text made for it."""
_SECRETS = (*TOKENS, *ANNOUNCED)
_EXACT = tuple(rule for rule in TOKENS if rule.exact)


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret that must not leave: its kind and its line (from 1), never the secret itself."""

    kind: str
    line: int


class Redactor:
    """A function from text to text without secrets. ``key`` is this installation's own random bytes."""

    def __init__(self, key: bytes, known: Iterable[str] = ()) -> None:
        self._key = key
        self._known = KnownSecrets(known)

    def __call__(self, text: str) -> str:
        """The text with every secret replaced; doing it twice changes nothing more."""
        marked = MarkedText(text, self._key)
        for _ in range(_ROUNDS):
            found = marked.hide(self._secrets(marked.text, _SECRETS)) or marked.hide(_spans(marked.text, PERSONAL))
            if not found:
                break
        return marked.restored()

    def leak(self, text: str) -> Hit | None:
        """The first secret beyond doubt in a text that is about to leave: a known one, or a provider's token.

        What was redacted has none; a diff or a prompt has other sources as well. A hit means: do not send, park.
        """
        marked = MarkedText(text, self._key)
        first = min(self._secrets(marked.text, TOKENS), default=None)
        return None if first is None else Hit(first.kind, marked.text.count(b"\n", 0, first.start) + 1)

    def _secrets(self, text: bytes, rules: tuple[Rule, ...]) -> Iterator[Span]:
        yield from self._known.spans(text)
        yield from _spans(text, rules)
        for view in views.without_invisible(text):
            for span in (*self._known.spans(view.text), *_spans(view.text, rules)):
                if view.crosses(span):
                    yield view.original(span)
        for view in views.without_breaks(text):
            for span in (*self._known.spans(view.text), *_spans(view.text, _EXACT)):
                if view.crosses(span):
                    yield view.original(span)


def _spans(text: bytes, rules: tuple[Rule, ...]) -> Iterator[Span]:
    folded = text.lower()
    for rule in rules:
        yield from rule.spans(text, folded)
