import unittest

from assistant.listing import screens
from assistant.paging import pages


class Paging(unittest.TestCase):
    def test_the_last_page_is_shorter(self):
        self.assertEqual(pages([1, 2, 3], 2), [[1, 2], [3]])

    def test_screens(self):
        self.assertEqual(screens(["a", "b", "c"], 2), ["1: a, b", "2: c"])

    def test_a_size_of_none(self):
        with self.assertRaises(ValueError):
            pages([1], 0)
