"""What is taken out of every line for a person: secrets of the environment and, once read, of the configuration."""

import os
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfimprover.redaction import Redactor

_configured: set[str] = set()


def forget() -> None:
    """A command begins: nothing is configured yet."""
    _configured.clear()
    _redactor.cache_clear()


def learn(secrets: Iterable[str]) -> None:
    """The configuration is read: from now on its secrets are known."""
    _configured.update(secrets)
    _redactor.cache_clear()


def hide(text: str) -> str:
    """The text without secrets."""
    return _redactor()(text)


@lru_cache(maxsize=1)
def _redactor() -> "Redactor":
    from selfimprover.redaction import Redactor, secrets_in

    return Redactor(os.urandom(16), [*secrets_in(os.environ), *_configured])
