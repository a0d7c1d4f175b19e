import unittest

from assistant.drafts import send_all
from assistant.outbox import send
from assistant.server import AlreadySentError, Server


class Line:
    def __init__(self, silent=0, says="accepted"):
        self.silent = silent
        self.says = says

    def request(self, verb, mail_id, text):
        if self.silent:
            self.silent -= 1
            raise TimeoutError("no answer")
        return self.says


class Outbox(unittest.TestCase):
    def test_one_try(self):
        self.assertEqual(send(Server(Line()), "a", "x"), 1)

    def test_no_answer_is_tried_again(self):
        self.assertEqual(send(Server(Line(silent=2)), "a", "x"), 3)

    def test_no_answer_at_all(self):
        with self.assertRaises(TimeoutError):
            send(Server(Line(silent=9)), "a", "x")

    def test_all_drafts(self):
        self.assertEqual(send_all(Server(Line()), {"a": "x", "b": "y"}), ["a", "b"])

    def test_a_duplicate(self):
        with self.assertRaises(AlreadySentError):
            Server(Line(says="duplicate")).submit("a", "x")
