"""Mails in short."""

from assistant.gateway import summarise


def short(gateway, mail):
    """Subject and summary."""
    return f"{mail['subject']}: {summarise(gateway, mail['text'])}"
