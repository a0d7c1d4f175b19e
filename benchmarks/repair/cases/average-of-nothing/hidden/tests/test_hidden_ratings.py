import unittest

from assistant.numbers import mean
from assistant.ratings import report, text


class NoRatings(unittest.TestCase):
    def test_there_is_no_mean(self):
        self.assertIsNone(mean([]))

    def test_the_topic_is_still_there(self):
        self.assertEqual(report({"a": [], "b": [2]}), {"a": (None, None), "b": (2.0, 2)})

    def test_the_line_says_so(self):
        self.assertEqual(text({"a": []}), "a: no ratings yet")

    def test_zeros_are_ratings(self):
        self.assertEqual(mean([0, 0]), 0.0)

    def test_what_is_no_number_is_still_an_error(self):
        with self.assertRaises(TypeError):
            mean(["4", "5"])
