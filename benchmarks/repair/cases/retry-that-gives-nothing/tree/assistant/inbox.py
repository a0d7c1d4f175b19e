"""The unread mails."""

from assistant.retrying import retried


def unread_subjects(server):
    """The subjects of the unread mails; raises ``GaveUpError`` if the server does not answer."""
    return [mail["subject"] for mail in retried(server.fetch)]
