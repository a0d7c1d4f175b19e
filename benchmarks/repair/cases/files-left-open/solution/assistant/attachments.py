"""Attachments of mails, as files of a folder."""


class Attachments:
    """The files of a folder."""

    def __init__(self, folder):
        self._folder = folder

    def names(self):
        """Their names, in order."""
        return sorted(path.name for path in self._folder.iterdir() if path.is_file())

    def sizes(self):
        """Their sizes in bytes by name."""
        return {name: len((self._folder / name).read_bytes()) for name in self.names()}
