import unittest

from assistant.threads import Threads


class Belonging(unittest.TestCase):
    def test_an_answer_belongs_to_what_it_answers(self):
        self.assertEqual(Threads({"c": "b", "b": "a"}).root("c"), "a")

    def test_all_of_a_thread(self):
        self.assertEqual(Threads({"c": "b", "b": "a", "z": "y"}).thread("b"), ["a", "b", "c"])

    def test_a_mail_by_itself(self):
        self.assertEqual(Threads({}).thread("a"), ["a"])
