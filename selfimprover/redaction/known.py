"""The secrets that this process itself knows, however a text writes them."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import quote, quote_plus

from selfimprover.redaction import engine
from selfimprover.redaction.rules import Span
from selfimprover.redaction.views import without_blanks

_MIN_KNOWN = 6
_HEAD = 16
"""Bytes of a form that are looked for first, for all forms at once."""
_SECRET_NAME = re.compile(r"(?i)token|secret|passw|_pass$|(?:^|_)key$|api_?key|credential|_dsn$|database_url|webhook")
_SECRET_LENGTH = 8
_KEY_LINE = 16


def secrets_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names announce a secret."""
    return tuple(value for name, value in environment.items() if names_secret(name) and len(value) >= _SECRET_LENGTH)


def names_secret(name: str) -> bool:
    """Whether a variable or field of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def secrets_of_key(text: str) -> tuple[str, ...]:
    """A private key in PEM (RFC 7468): the whole, its base64 in one piece, each line of that; nothing if it is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    body = [line for line in lines if not line.startswith("-----") and ":" not in line]
    if not body or len(body) == len(lines):
        return ()
    return (text.strip(), "".join(body), *(line for line in body if len(line) >= _KEY_LINE))


class KnownSecrets:
    """Finds the given secrets and their usual encodings; very short ones are left out."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = forms_of(secrets)

    def likely(self, joined: bytes) -> Sequence[bytes]:
        """The forms that may be in a text, whole or broken; ``joined`` is ``views.without_blanks`` of it."""
        if not engine.loaded():
            return [form for form, core in zip(self._forms, self._cores, strict=True) if core in joined]
        return [self._forms[place] for place in self._heads.matching(joined)]

    @cached_property
    def _cores(self) -> Sequence[bytes]:
        return [without_blanks(form) for form in self._forms]

    @cached_property
    def _heads(self) -> engine.PatternSet:
        return engine.literals(core[:_HEAD] for core in self._cores)


def forms_of(secrets: Iterable[str]) -> Sequence[bytes]:
    """How texts write the secrets: every usual encoding of each, longest first."""
    forms = {form for secret in secrets if len(secret) >= _MIN_KNOWN for form in _encodings(secret)}
    return sorted(forms, key=lambda form: (-len(form), form))


def spans(forms: Iterable[bytes], text: bytes) -> Iterator[Span]:
    """Every place where one of the forms stands."""
    for form in forms:
        start = text.find(form)
        while start >= 0:
            yield Span(start, start + len(form), "known")
            start = text.find(form, start + len(form))


def _encodings(secret: str) -> Iterator[bytes]:
    raw = secret.encode("utf-8", "replace")
    secret = raw.decode()
    yield raw
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield from (quoted.encode(), re.sub("%..", lambda match: match.group().lower(), quoted).encode())
        yield quote(quoted, safe="").encode()
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield escaped.encode()
        yield json.dumps(escaped)[1:-1].encode()
    yield repr(secret)[1:-1].encode()
    yield html.escape(secret).encode()
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[bytes]:
    """As base64 of itself, and as what is the same wherever it stands in a longer text (as in ``user:secret``)."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).rstrip(b"=")
        for shift in range(3):
            whole = encode(bytes(shift) + raw)
            first = -(-shift * 8 // 6)  # characters that bits of what stands before have a part in
            yield whole[first : (shift + len(raw)) * 8 // 6]
