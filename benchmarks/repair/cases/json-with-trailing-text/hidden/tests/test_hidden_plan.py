import unittest

from assistant.plan import PlanError, read_plan
from assistant.work import first_step


class Talkative(unittest.TestCase):
    def test_words_after_it(self):
        self.assertEqual(read_plan('{"steps": ["a"]} That is all.'), ["a"])

    def test_words_with_braces_after_it(self):
        self.assertEqual(read_plan('{"steps": ["a {b}"]} Use {curly} braces.'), ["a {b}"])

    def test_broken_json_is_no_plan(self):
        with self.assertRaises(PlanError):
            read_plan('{"steps": ["a", ')

    def test_with_broken_json_the_person_is_asked(self):
        self.assertEqual(first_step('{"steps": ['), "ask: what shall I do?")

    def test_an_object_without_steps_is_no_plan(self):
        with self.assertRaises(PlanError):
            read_plan('{"note": "x"}')

    def test_no_object_at_all_is_no_plan(self):
        with self.assertRaises(PlanError):
            read_plan("nothing }{ of the kind")
