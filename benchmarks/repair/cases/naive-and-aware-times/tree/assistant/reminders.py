"""Reminds of events."""

from datetime import timedelta


def minutes_left(event, now):
    """Whole minutes until an event begins; negative if it has begun."""
    return (event.start - now) // timedelta(minutes=1)
