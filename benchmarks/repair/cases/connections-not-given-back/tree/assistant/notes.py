"""The notes, in a database."""


class QueryError(Exception):
    """The database does not understand a query."""


class Notes:
    """Reads notes."""

    def __init__(self, pool):
        self._pool = pool

    def search(self, text):
        """The notes with a text; raises ``QueryError``."""
        connection = self._pool.acquire()
        found = connection.run(text)
        self._pool.release(connection)
        return found
