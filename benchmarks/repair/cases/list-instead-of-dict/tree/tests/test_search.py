import json
import unittest

from assistant.search import SearchError, next_page, titles


class Search(unittest.TestCase):
    def test_titles_in_order(self):
        self.assertEqual(titles(json.dumps({"hits": [{"title": "b"}, {"title": "a"}]})), ["b", "a"])

    def test_a_refusal(self):
        with self.assertRaises(SearchError):
            titles('{"error": "too long"}')

    def test_the_next_page(self):
        self.assertEqual(next_page('{"hits": [], "next": "p2"}'), "p2")
