"""Which mails belong together (docs/threads.md)."""


class Threads:
    """Threads of mails by id; ``answers`` says which mail each one answers."""

    def __init__(self, answers):
        self._answers = answers

    def root(self, mail):
        """The mail that the thread of a mail begins at."""
        seen = {}
        while mail is not None and mail not in seen:
            seen[mail] = len(seen)
            mail = self._answers.get(mail)
        way = list(seen)
        return way[-1] if mail is None else min(way[seen[mail] :])

    def thread(self, mail):
        """All mails of a mail's thread, in alphabetical order."""
        known = {mail, *self._answers, *self._answers.values()} - {None}
        return sorted(other for other in known if self.root(other) == self.root(mail))
