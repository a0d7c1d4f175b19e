"""The address book."""


class UnknownContactError(LookupError):
    """The person named somebody whom the address book does not have."""


class Contact:
    """Somebody one can write to."""

    def __init__(self, name, address):
        self.name = name
        self.address = address


class Contacts:
    """Finds contacts by name."""

    def __init__(self, pairs):
        self._contacts = [Contact(name, address) for name, address in pairs]

    def find(self, name):
        """The contact of that name, or ``None``."""
        return next((one for one in self._contacts if one.name == name), None)

    def phone_line(self, name):
        """For the dialler; raises ``UnknownContactError``."""
        contact = self.find(name)
        if contact is None:
            raise UnknownContactError(name)
        return f"{contact.name}, by phone"
