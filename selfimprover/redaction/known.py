"""The secrets that this process itself knows, however a text writes them."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from selfimprover.redaction.rules import Span

_MIN_KNOWN = 6
_SECRET_NAME = re.compile(r"(?i)token|secret|passw|_pass$|(?:^|_)key$|api_?key|credential|_dsn$|database_url|webhook")
_SECRET_LENGTH = 8


def secrets_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names announce a secret."""
    named = ((name, value) for name, value in environment.items() if _SECRET_NAME.search(name))
    return tuple(value for _, value in named if len(value) >= _SECRET_LENGTH)


class KnownSecrets:
    """Finds the given secrets and their usual encodings; very short ones are left out."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _MIN_KNOWN for form in _encodings(secret)}
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def spans(self, text: bytes) -> Iterator[Span]:
        """Every place where one stands."""
        for form in self._forms:
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
