import unittest

from assistant.notes import Notes
from assistant.pool import Pool, PoolExhaustedError


class Connection:
    def run(self, text):
        return [f"note about {text}"]


class Reading(unittest.TestCase):
    def test_many_searches(self):
        notes = Notes(Pool(Connection, size=1))
        self.assertEqual([notes.search("tea") for _ in range(3)], [["note about tea"]] * 3)

    def test_a_pool_has_an_end(self):
        pool = Pool(Connection, size=1)
        pool.acquire()
        with self.assertRaises(PoolExhaustedError):
            pool.acquire()
