import unittest

from assistant.outbox import send
from assistant.server import Server


class SlowLine:
    def __init__(self):
        self.accepted = set()

    def request(self, verb, mail_id, text):
        if mail_id in self.accepted:
            return "duplicate"
        self.accepted.add(mail_id)
        raise TimeoutError("the receipt did not come")


class Reported(unittest.TestCase):
    def test_a_mail_whose_receipt_got_lost_is_out(self):
        self.assertEqual(send(Server(SlowLine()), "m-17", "Hello"), 2)
