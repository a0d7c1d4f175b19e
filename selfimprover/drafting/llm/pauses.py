"""How long to wait before a request is repeated. Pure, but for the jitter."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST = 0.5


def wait_of(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds that an answer asks to wait, ``None`` if it does not say; names of headers are in lower case.

    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3; the milliseconds are a habit of model servers.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    if said is None or seconds is not None:
        return seconds
    try:
        until = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def pause(tries: int, wait: float | None) -> float:
    """Seconds before the next try after ``tries`` of them: what the server asks and a little more, or ever longer."""
    backoff: float = _FIRST * 2**tries * random.uniform(0.5, 1.0)  # noqa: S311  (no secret)
    if wait is None:
        return backoff
    return wait + min(backoff, 1.0)  # those who were told the same moment should not come together


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
