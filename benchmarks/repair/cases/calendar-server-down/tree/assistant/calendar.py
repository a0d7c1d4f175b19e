"""Asks the office's calendar (docs/operations.md)."""

TRIES = 3


class CalendarUnavailableError(Exception):
    """The office's calendar does not answer."""


def events(server, date):
    """The titles of a date's events; raises ``CalendarUnavailableError`` after three tries."""
    for _ in range(TRIES):
        try:
            return [event["title"] for event in server.get(f"/events/{date}")]
        except ConnectionResetError as error:
            last = error
    raise CalendarUnavailableError(f"no answer after {TRIES} tries: {last}")
