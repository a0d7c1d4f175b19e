"""Reads events of the calendar service."""

from datetime import datetime


class Event:
    """Something that begins at an instant."""

    def __init__(self, title, start):
        self.title = title
        self.start = start
        """With its time zone."""


def read_event(data):
    """An event of the service. Times are ISO 8601; those without an offset are UTC."""
    return Event(data["title"], datetime.fromisoformat(data["start"]))
