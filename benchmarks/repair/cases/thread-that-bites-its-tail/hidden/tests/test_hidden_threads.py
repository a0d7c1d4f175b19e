import unittest

from assistant.threads import Threads

LOOP = Threads({"d": "c", "c": "b", "b": "c", "x": "d"})


class Loops(unittest.TestCase):
    def test_a_mail_that_answers_itself(self):
        self.assertEqual(Threads({"a": "a"}).root("a"), "a")

    def test_a_loop_begins_at_its_first_mail(self):
        self.assertEqual([LOOP.root(mail) for mail in "bcdx"], ["b", "b", "b", "b"])

    def test_it_stays_together(self):
        self.assertEqual(LOOP.thread("x"), ["b", "c", "d", "x"])

    def test_a_long_thread_is_no_loop(self):
        long = Threads({f"m{number:05}": f"m{number - 1:05}" for number in range(1, 5000)})
        self.assertEqual(long.root("m04999"), "m00000")

    def test_threads_without_a_loop_are_as_they_were(self):
        self.assertEqual(Threads({"c": "b", "b": "a"}).root("b"), "a")
