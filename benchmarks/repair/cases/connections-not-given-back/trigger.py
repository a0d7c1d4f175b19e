from assistant.notes import Notes, QueryError
from assistant.pool import Pool


class Connection:
    def run(self, text):
        raise QueryError(text)


notes = Notes(Pool(Connection, size=2))
for _ in range(3):
    try:
        notes.search("(")
    except QueryError:
        pass
