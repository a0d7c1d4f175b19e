"""What is done every minute."""


def tidy(sessions, now):
    """A line for the log."""
    return f"{sessions.expire(now)} sessions are open"
