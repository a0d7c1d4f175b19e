import unittest

from assistant.export import export
from assistant.share import share


class Exporting(unittest.TestCase):
    def test_text(self):
        self.assertEqual(export([{"title": "a"}, {"title": "b"}], "text"), "a\nb")

    def test_another_form(self):
        with self.assertRaises(ValueError):
            export([], "xml")

    def test_sharing(self):
        self.assertEqual(share([{"title": "a"}]), "Your notes:\na")
