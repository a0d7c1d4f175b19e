import unittest

from assistant.plan import PlanError, read_plan
from assistant.work import first_step


class Plans(unittest.TestCase):
    def test_a_plan(self):
        self.assertEqual(read_plan('{"steps": ["a", "b"]}'), ["a", "b"])

    def test_words_before_it(self):
        self.assertEqual(read_plan('Sure: {"steps": ["a"]}'), ["a"])

    def test_no_plan(self):
        with self.assertRaises(PlanError):
            read_plan("I cannot do that")

    def test_without_a_plan_the_person_is_asked(self):
        self.assertEqual(first_step("no"), "ask: what shall I do?")
