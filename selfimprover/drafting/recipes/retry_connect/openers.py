"""What a name tells about a call: that it opens a connection, or that it tries again by itself."""

import re

CONSTRUCTING = frozenset({"__init__", "__new__", "__call__"})
"""The functions in which a call that constructs an object shows on the stack."""
RETRY = re.compile(r"retry|retries|backoff|back_off|tenacity|stamina", re.IGNORECASE)
RETRY_OPTION = re.compile(r"retry|retries|backoff|back_off|attempt|tries", re.IGNORECASE)

_OPENERS = frozenset(
    {"open_connection", "create_connection", "open_unix_connection", "IMAP4", "IMAP4_SSL", "SMTP", "SMTP_SSL"}
    | {"POP3", "POP3_SSL", "FTP", "FTP_TLS"}
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CONNECT_WORDS = frozenset({"connect", "reconnect"})
_MAKING_WORDS = frozenset({"open", "create", "make", "new", "establish"})
_OTHER_WORDS = frozenset(
    {"on", "is", "has", "was", "and", "callback", "handler", "hook", "event", "lost", "made", "close", "release"}
    | {"sock", "disconnect", "count", "check", "test", "get", "set", "list", "log", "socket"}
)


def connects(name: str) -> bool:
    """Whether a function of this name opens a connection, as far as a name can tell."""
    if name in _OPENERS:
        return True
    words = {word.lower() for word in _WORDS.findall(name)}
    makes = "connection" in words and bool(words & _MAKING_WORDS)
    return (makes or bool(words & _CONNECT_WORDS)) and not words & _OTHER_WORDS
