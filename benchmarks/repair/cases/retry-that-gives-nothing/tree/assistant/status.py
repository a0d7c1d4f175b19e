"""One line for the person."""

from assistant.inbox import unread_subjects
from assistant.retrying import GaveUpError


def status(server):
    """How many mails are unread, or that nobody knows."""
    try:
        return f"{len(unread_subjects(server))} unread"
    except GaveUpError:
        return "the mail server does not answer"
