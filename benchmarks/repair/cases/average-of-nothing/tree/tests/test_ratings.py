import unittest

from assistant.numbers import highest, lowest, mean
from assistant.ratings import text


class Ratings(unittest.TestCase):
    def test_mean(self):
        self.assertEqual(mean([4, 5]), 4.5)

    def test_no_values(self):
        self.assertIsNone(highest([]))
        self.assertIsNone(lowest([]))

    def test_lines(self):
        self.assertEqual(text({"search": [4, 5]}), "search: 4.5 (at best 5)")
