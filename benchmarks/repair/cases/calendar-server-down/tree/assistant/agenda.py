"""The day at a glance."""

from assistant.calendar import events


def agenda(server, date):
    """The day's events in one line; an empty day is said to be free."""
    return ", ".join(events(server, date)) or "free"
