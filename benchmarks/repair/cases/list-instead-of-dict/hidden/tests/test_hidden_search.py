import json
import unittest

from assistant.search import SearchError, titles


class PlainLists(unittest.TestCase):
    def test_a_plain_list_holds_the_hits(self):
        self.assertEqual(titles('[{"title": "b"}, {"title": "a"}]'), ["b", "a"])

    def test_an_empty_list_has_none(self):
        self.assertEqual(titles("[]"), [])

    def test_a_hit_named_error_is_a_hit(self):
        self.assertEqual(titles('[{"title": "error"}]'), ["error"])

    def test_a_refusal_is_still_told(self):
        with self.assertRaisesRegex(SearchError, "quota"):
            titles('{"error": "quota"}')

    def test_an_object_without_hits_is_no_empty_answer(self):
        with self.assertRaises((KeyError, SearchError)):
            titles(json.dumps({"next": "p2"}))
