"""Structured logs on stderr: readable on a terminal, JSON lines anywhere else."""

import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]


def set_up(redact: Callable[[str], str] | None = None, *, debug: bool = False, quiet: bool = False) -> None:
    """Routes every log line through ``redact``; ``quiet`` keeps warnings and errors only."""
    level = 10 if debug else 30 if quiet else 20
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
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # looked up late: who embeds us may redirect it
        cache_logger_on_first_use=False,
    )


def _redacting(redact: Callable[[str], str]) -> Callable[[Any, str, Event], Event]:
    def process(_logger: Any, _method: str, event: Event) -> Event:
        return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}

    return process
