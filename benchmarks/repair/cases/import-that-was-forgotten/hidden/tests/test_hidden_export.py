import json
import unittest

from assistant.export import export


class Json(unittest.TestCase):
    def test_it_can_be_read_again(self):
        notes = [{"title": "milk"}, {"title": "bread"}]
        self.assertEqual(json.loads(export(notes, "json")), notes)

    def test_what_cannot_be_said_in_json_is_an_error(self):
        with self.assertRaises(TypeError):
            export([{"title": object()}], "json")

    def test_another_form_is_still_an_error(self):
        with self.assertRaises(ValueError):
            export([], "yaml")
