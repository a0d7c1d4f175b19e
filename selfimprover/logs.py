"""Structured logs on stderr: readable on a terminal, JSON lines anywhere else. Libraries' own logs go the same way."""

import contextlib
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

from selfimprover.redaction import names_secret

Event = MutableMapping[str, Any]
_PLAIN = (int, float, bool, type(None))
_HIDDEN = "[REDACTED]"


def set_up(redact: Callable[[str], str] | None = None, *, debug: bool = False, quiet: bool = False) -> None:
    """Routes every log line through ``redact``; ``quiet`` keeps warnings and errors only."""
    level = logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO
    interactive = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # before redaction: a traceback is text like any other
            *([_redacting(redact)] if redact else []),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if interactive
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )
    for clients in ("httpx", "httpx2"):
        logging.getLogger(clients).setLevel(logging.WARNING)  # they tell every address
    libraries = logging.INFO if debug else logging.WARNING  # below that they tell every statement and every byte
    logging.basicConfig(handlers=[_Library()], level=libraries, force=True)


class _Lines:
    """Writes to stderr, whatever that is when a line is logged. A log that cannot be written must not end a night."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            print(message, file=sys.stderr, flush=True)  # noqa: T201

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


class _Library(logging.Handler):
    """Makes lines of ours from what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger().bind(library=record.name)
        log.log(record.levelno, "library.message", message=record.getMessage(), exc_info=record.exc_info)


def _hidden(name: str) -> bool:
    """Whether a field of this name holds a secret whatever it looks like; our own *key* is that of a night."""
    return name != "key" and names_secret(name)


def _redacting(redact: Callable[[str], str]) -> Callable[[Any, str, Event], Event]:
    def clean(value: Any) -> Any:
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, Mapping):
            return {str(clean(name)): field(str(name), one) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [clean(one) for one in value]
        return redact(str(value))

    def field(name: str, value: Any) -> Any:
        return _HIDDEN if _hidden(name) and value and not isinstance(value, _PLAIN) else clean(value)

    def process(_logger: Any, _method: str, event: Event) -> Event:
        return {name: field(name, value) for name, value in event.items()}

    return process
