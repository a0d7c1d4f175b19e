"""How long a limited caller waits: pure arithmetic on headers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST_WAIT = 60.0
_LONGEST_WAIT = 86_400.0
_DIGITS = 16


def wait_for(headers: Mapping[str, str], now: datetime, attempt: int) -> float:
    """How many seconds a limited caller waits, from 1 to a day; ``attempt`` counts from 0 how often it was limited.

    ``retry-after`` first, then ``x-ratelimit-reset`` if nothing remains, else a minute that doubles. Times are measured
    from the answer's own ``date`` where it has one, so that this machine's clock may be wrong.
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    there = http_date(headers.get("date")) or now
    retry_after = headers.get("retry-after", "").strip()
    seconds: float | None = number(retry_after)
    if seconds is None and (until := http_date(retry_after)) is not None:
        seconds = (until - there).total_seconds()
    if seconds is None and number(headers.get("x-ratelimit-remaining")) == 0:
        reset = number(headers.get("x-ratelimit-reset"))
        seconds = None if reset is None else reset - there.timestamp() + 1  # whole seconds: the limit ends within it
    if seconds is None:
        seconds = _FIRST_WAIT * 2 ** min(max(attempt, 0), 20)
    return min(max(float(seconds), 1.0), _LONGEST_WAIT)


def number(text: str | None) -> int | None:
    """The whole number that a header holds, if it does."""
    return int(text) if text and len(text) < _DIGITS and text.isascii() and text.isdigit() else None


def http_date(text: str | None) -> datetime | None:
    """The time that a header holds, if it does.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    """
    try:
        date = parsedate_to_datetime(text or "")
        return (date.replace(tzinfo=UTC) if date.tzinfo is None else date).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
