"""Writes the heads of mails."""


def address_line(contacts, name):
    """The line ``To:`` for somebody whom the person named."""
    contact = contacts.find(name)
    return f"To: {contact.name} <{contact.address.lower()}>"
