"""Redaction without any shortcut: every rule over every text and every view of it. Slow, and the measure of it."""

from collections.abc import Iterable, Iterator, Sequence

from selfimprover.redaction import known, views
from selfimprover.redaction.context import ANNOUNCED
from selfimprover.redaction.personal import PERSONAL
from selfimprover.redaction.placeholders import MarkedText
from selfimprover.redaction.rules import Rule, Span
from selfimprover.redaction.tokens import TOKENS

_ROUNDS = 12
_SECRETS = (*TOKENS, *ANNOUNCED)
_EXACT = tuple(rule for rule in TOKENS if rule.exact)


class PlainRedactor:
    """What ``Redactor`` must be equal to."""

    def __init__(self, key: bytes, secrets: Iterable[str] = ()) -> None:
        self._key = key
        self._forms = known.forms_of(secrets)

    def __call__(self, text: str) -> str:
        marked = MarkedText(text, self._key)
        for _ in range(_ROUNDS):
            if not (marked.hide(self._secrets(marked.text)) or marked.hide(_found(marked.text, PERSONAL))):
                break
        return marked.restored()

    def _secrets(self, text: bytes) -> Iterator[Span]:
        yield from (*known.spans(self._forms, text), *_found(text, _SECRETS))
        for left_out, rules in ((views.INVISIBLE, _SECRETS), (views.BREAK, _EXACT)):
            if left_out.search(text):
                view = views.View(text, left_out)
                yield from view.crossing((*known.spans(self._forms, view.text), *_found(view.text, rules)))


def _found(text: bytes, rules: Sequence[Rule]) -> Iterator[Span]:
    folded = text.lower()
    for rule in rules:
        yield from rule.spans(text, folded)
