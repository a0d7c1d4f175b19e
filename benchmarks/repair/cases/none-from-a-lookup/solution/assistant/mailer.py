"""Writes the heads of mails."""

from assistant.contacts import UnknownContactError


def address_line(contacts, name):
    """The line ``To:`` for somebody whom the person named; raises ``UnknownContactError``."""
    contact = contacts.find(name)
    if contact is None:
        raise UnknownContactError(name)
    return f"To: {contact.name} <{contact.address.lower()}>"
