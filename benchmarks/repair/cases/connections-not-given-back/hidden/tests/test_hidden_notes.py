import unittest

from assistant.notes import Notes, QueryError
from assistant.pool import Pool, PoolExhaustedError


class Connection:
    def run(self, text):
        if text == "(":
            raise QueryError(text)
        if text == "stop":
            raise KeyboardInterrupt
        return [text]


class Failing(unittest.TestCase):
    def test_queries_that_fail_do_not_use_the_pool_up(self):
        notes = Notes(Pool(Connection, size=2))
        for _ in range(5):
            with self.assertRaises(QueryError):
                notes.search("(")
        self.assertEqual(notes.search("tea"), ["tea"])

    def test_whatever_ends_a_query_gives_its_connection_back(self):
        pool = Pool(Connection, size=1)
        with self.assertRaises(KeyboardInterrupt):
            Notes(pool).search("stop")
        self.assertEqual(pool.used, 0)

    def test_a_connection_is_given_back_once(self):
        pool = Pool(Connection, size=2)
        Notes(pool).search("tea")
        self.assertEqual(pool.used, 0)

    def test_the_pool_has_its_end_still(self):
        pool = Pool(Connection, size=2)
        pool.acquire(), pool.acquire()
        with self.assertRaises(PoolExhaustedError):
            Notes(pool).search("tea")
