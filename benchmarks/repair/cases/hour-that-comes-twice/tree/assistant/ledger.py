"""Which digests went out."""


class AlreadyRunError(Exception):
    """The digest of that date went out already: a second one would be a nuisance."""


class Ledger:
    """One digest a local date."""

    def __init__(self):
        self.dates = []

    def begin(self, date):
        """Notes that the digest of a date goes out; raises ``AlreadyRunError``."""
        if date in self.dates:
            raise AlreadyRunError(f"the digest of {date} went out already")
        self.dates.append(date)
