"""Shares notes."""

from assistant.export import export


def share(notes):
    """What is put into a mail."""
    return "Your notes:\n" + export(notes, "text")
