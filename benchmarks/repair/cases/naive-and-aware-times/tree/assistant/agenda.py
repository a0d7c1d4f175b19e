"""What is next."""


def upcoming(events, now):
    """The titles of what begins at ``now`` (with a time zone) or later, soonest first."""
    later = [event for event in events if event.start >= now]
    return [event.title for event in sorted(later, key=lambda event: event.start)]
