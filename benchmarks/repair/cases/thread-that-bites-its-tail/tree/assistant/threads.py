"""Which mails belong together (docs/threads.md)."""


class Threads:
    """Threads of mails by id; ``answers`` says which mail each one answers."""

    def __init__(self, answers):
        self._answers = answers

    def root(self, mail):
        """The mail that the thread of a mail begins at."""
        earlier = self._answers.get(mail)
        return mail if earlier is None else self.root(earlier)

    def thread(self, mail):
        """All mails of a mail's thread, in alphabetical order."""
        known = {mail, *self._answers, *self._answers.values()} - {None}
        return sorted(other for other in known if self.root(other) == self.root(mail))
