"""Takes secrets out of a text before it is stored, shown, fingerprinted or published.

First the secrets that this process itself knows, in every usual encoding; then the token formats that providers
publish; then values that a telling name announces. The patterns run on RE2: linear time on any text.
Placeholders are ``[REDACTED:<kind>:<digest>]``; the digest is keyed per installation, so that equal secrets stay equal
here and say nothing elsewhere.
"""

import base64
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from urllib.parse import quote

import re2

_MIN_KNOWN = 6
_PLACEHOLDER = re.compile(r"(\[REDACTED:[a-z-]+:[0-9a-f]{6}\])")

_ANNOUNCED = r"(?:password|passwd|passphrase|pwd|_pass|secret|(?:api|access|private)[_-]?key|session[_-]?id|token)"
_SECRET_NAME = re.compile(r"(?i)token|secret|passw|_pass$|(?:^|_)key$|api_?key|credential|_dsn$|database_url|webhook")
_SECRET_LENGTH = 8

_RULES: tuple[tuple[str, str], ...] = (
    # Where a rule has a group, only the group is the secret.
    (
        "private-key",
        (
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
            r"(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)"
        ),
    ),
    ("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9_.-]{20,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("gitlab-token", r"\bgl(?:pat|ptt|rt|dt|soat|cbt)-[A-Za-z0-9_.-]{20,}"),
    ("model-key", r"\bsk-[A-Za-z0-9_-]{20,}"),
    ("aws-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("google-key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("slack-webhook", r"https://hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,}"),
    ("stripe-key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}"),
    ("pypi-token", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("huggingface-token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("telegram-token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("cookie", r"(?i)\b(?:set-)?cookie['\"]?\s*[:=]\s*['\"]?([^\r\n'\"]{4,})"),
    ("authorization", r"(?i)\bauthorization['\"]?\s*[:=]\s*['\"]?(?:[a-z]+\s+)?([^\s'\",;]{8,})"),
    ("authorization", r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9+/._~=-]{12,})"),
    ("url-password", r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'\"]*:([^\s'\"]+)@"),
    ("secret", r"(?i)--?(?:password|passwd|passphrase|secret|token|api-key)[ =]+([^\s'\"]{4,})"),
    ("secret", rf"(?i){_ANNOUNCED}['\"]?\s*(?:=|:)\s*'([^'\r\n]{{4,}})'"),
    ("secret", rf"(?i){_ANNOUNCED}['\"]?\s*(?:=|:)\s*\"([^\"\r\n]{{4,}})\""),
    (
        "secret",
        (
            rf"(?i){_ANNOUNCED}"
            r"['\"]?\s*(?:=|:)\s*['\"]?([^\s'\",;&)}\]]{4,})"
        ),
    ),
    ("email", r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}\.[A-Za-z]{2,24}\b"),
    ("user", r"(?:/home/|/Users/|\\Users\\)([^/\\\s:'\"]+)"),
)


class Redactor:
    """A function from text to text without secrets. ``key`` is this installation's own random bytes."""

    def __init__(self, key: bytes, known: Iterable[str] = ()) -> None:
        self._key = key
        self._known = _encodings(known)

    def __call__(self, text: str) -> str:
        """The text with every secret replaced; doing it twice changes nothing more."""
        text = text.encode("utf-8", "replace").decode()
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, self._placeholder("known", secret))
        for kind, pattern in self._patterns:
            if pattern.search(text):
                # Placeholders are left out, or "[REDACTED:token:…" would itself look like an announced secret.
                pieces = _PLACEHOLDER.split(text)
                pieces[::2] = [self._replace(kind, pattern, piece) for piece in pieces[::2]]
                text = "".join(pieces)
        return text

    @cached_property
    def _patterns(self) -> tuple[tuple[str, "re2._Regexp"], ...]:
        return tuple((kind, re2.compile(rule)) for kind, rule in _RULES)

    def _replace(self, kind: str, pattern: "re2._Regexp", text: str) -> str:
        pieces: list[str] = []
        end = 0
        for match in pattern.finditer(text):
            start, stop = match.span(pattern.groups)
            pieces += [text[end:start], self._placeholder(kind, text[start:stop])]
            end = stop
        return "".join([*pieces, text[end:]])

    def _placeholder(self, kind: str, secret: str) -> str:
        digest = hmac.new(self._key, secret.encode(), sha256).hexdigest()[:6]
        return f"[REDACTED:{kind}:{digest}]"


def secrets_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names announce a secret."""
    named = ((name, value) for name, value in environment.items() if _SECRET_NAME.search(name))
    return tuple(value for _, value in named if len(value) >= _SECRET_LENGTH)


def _encodings(known: Iterable[str]) -> tuple[str, ...]:
    """The secrets and their usual encodings, longest first, so that a part never spoils the whole."""
    forms: set[str] = set()
    for secret in known:
        if len(secret) >= _MIN_KNOWN:
            raw = secret.encode()
            forms |= {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
            forms |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))
