"""Mails that wait."""

from assistant.outbox import send


def send_all(server, drafts):
    """Sends drafts (id → text), and returns the ids in the order in which they went out."""
    for mail_id, text in drafts.items():
        send(server, mail_id, text)
    return list(drafts)
