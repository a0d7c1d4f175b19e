import unittest

from assistant.outbox import send
from assistant.server import AlreadySentError, Server


class Line:
    """Takes a mail; the first ``lost`` receipts get lost."""

    def __init__(self, lost=0, known=()):
        self.lost = lost
        self.accepted = list(known)

    def request(self, verb, mail_id, text):
        if mail_id in self.accepted:
            return "duplicate"
        self.accepted.append(mail_id)
        if self.lost:
            self.lost -= 1
            raise TimeoutError("the receipt got lost")
        return "accepted"


class LostReceipts(unittest.TestCase):
    def test_a_mail_that_is_out_is_a_success(self):
        self.assertEqual(send(Server(Line(lost=1)), "a", "x"), 2)

    def test_it_went_out_once(self):
        line = Line(lost=1)
        send(Server(line), "a", "x")
        self.assertEqual(line.accepted, ["a"])

    def test_an_id_of_another_mail_is_an_error(self):
        with self.assertRaises(AlreadySentError):
            send(Server(Line(known=["a"])), "a", "x")

    def test_the_server_itself_says_what_it_said(self):
        with self.assertRaises(AlreadySentError):
            Server(Line(known=["a"])).submit("a", "x")
