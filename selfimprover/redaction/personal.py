"""What names a person: e-mail addresses, and user names in home paths."""

import re

from selfimprover.redaction.rules import Rule

_FILE = re.compile(
    rb"(?i)\.(?:png|jpe?g|gif|svg|webp|css|js|ts|py|so|dylib|service|target|timer|socket|conf|json|md|txt)$"
)
_MACHINES = (b"git@", b"hg@")


def _address(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Not ``git@github.com``, ``icon@2x.png`` or ``getty@tty1.service``."""
    address = text[start:end]
    return None if address.startswith(_MACHINES) or _FILE.search(address) else (start, end)


PERSONAL = (
    Rule(
        "email",
        r"\b([A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}\.[A-Za-z]{2,24})\b",
        ("@",),
        _address,
        last=True,
    ),
    Rule(
        "email",
        r"(?i)\b([A-Za-z0-9._+-]{1,64}%40[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}\.[A-Za-z]{2,24})\b",
        ("%40",),
        last=True,
    ),
    Rule("user", r"(?:^|[^\w.])(?:/home/|/Users/)([^/\\\s:'\"<>,;)\]}]+)", ("/home/", "/users/"), last=True),
    Rule("user", r"\\Users\\+([^/\\\s:'\"<>,;)\]}]+)", ("\\users\\",), last=True),
)
"""The rules that come last: what is an address may be part of a connection string."""
