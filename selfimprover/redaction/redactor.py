"""The function from text to text without secrets, and the gate that stops what it would have to change."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from selfimprover.redaction import known, views
from selfimprover.redaction.context import ANNOUNCED
from selfimprover.redaction.personal import PERSONAL
from selfimprover.redaction.placeholders import MarkedText
from selfimprover.redaction.rules import Rule, Rules, Span, spans
from selfimprover.redaction.tokens import TOKENS
from selfimprover.redaction.values import in_code

_ROUNDS = 12
"""A placeholder can bring a further secret to light; more often than this only in a text made for it."""
_ALL = Rules((*TOKENS, *ANNOUNCED, *PERSONAL))
_BEYOND_DOUBT = Rules(TOKENS)
_IN_CODE = Rules((*TOKENS, *(replace(rule, narrow=in_code(rule.narrow)) for rule in ANNOUNCED)))
_EXACT = Rules(rule for rule in TOKENS if rule.exact)


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret that must not leave: its kind and its line (from 1), never the secret itself."""

    kind: str
    line: int


class Redactor:
    """A function from text to text without secrets. ``key`` is this installation's own random bytes."""

    def __init__(self, key: bytes, secrets: Iterable[str] = ()) -> None:
        self._key = key
        self._known = known.KnownSecrets(secrets)

    def __call__(self, text: str) -> str:
        """The text with every secret replaced; doing it twice changes nothing more."""
        return self._redacted(text, _ALL)

    def code(self, text: str) -> str:
        """A file of a project without secrets: known ones, those of a provider's format, and announced random values.

        Names, calls, addresses of people and examples stay, so that a reader can quote the lines as they are.
        """
        return self._redacted(text, _IN_CODE)

    def leak(self, text: str) -> Hit | None:
        """The first secret beyond doubt in a text that is about to leave: a known one, or a provider's token.

        What was redacted has none; a diff or a prompt has other sources as well. A hit means: do not send, park.
        """
        marked = MarkedText(text, self._key)
        likely = _BEYOND_DOUBT.likely(marked.text)
        first = min(self._secrets(marked.text, _BEYOND_DOUBT, likely), default=None)
        return None if first is None else Hit(first.kind, marked.text.count(b"\n", 0, first.start) + 1)

    def _redacted(self, text: str, rules: Rules) -> str:
        marked = MarkedText(text, self._key)
        for _ in range(_ROUNDS):
            likely = rules.likely(marked.text)
            sooner = [rule for rule in likely if not rule.last]
            later = [rule for rule in likely if rule.last]
            found = marked.hide(self._secrets(marked.text, rules, sooner)) or marked.hide(spans(later, marked.text))
            if not found:
                break
        return marked.restored()

    def _secrets(self, text: bytes, rules: Rules, likely: Sequence[Rule]) -> Iterator[Span]:
        """Known secrets, and what ``likely`` rules find; also where something invisible or a break is in the midst."""
        joined = views.without_blanks(text)
        forms = self._known.likely(joined)
        yield from known.spans(forms, text)
        yield from spans(likely, text)
        for view in views.without_invisible(text):
            hidden = self._known.likely(views.without_blanks(view.text))
            sooner = [rule for rule in rules.likely(view.text) if not rule.last]
            yield from view.crossing(chain(known.spans(hidden, view.text), spans(sooner, view.text)))
        exact = _EXACT.in_pieces(joined) if b"\n" in text else ()
        if forms or exact:
            for view in views.without_breaks(text):
                yield from view.crossing(chain(known.spans(forms, view.text), spans(exact, view.text)))
