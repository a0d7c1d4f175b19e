import unittest

from assistant.inbox import unread_subjects
from assistant.retrying import GaveUpError, retried
from assistant.status import status


class Server:
    def __init__(self):
        self.asked = 0

    def fetch(self):
        self.asked += 1
        raise TimeoutError("slow")


class GivingUp(unittest.TestCase):
    def test_it_is_told_with_its_cause(self):
        with self.assertRaises(GaveUpError) as caught:
            unread_subjects(Server())
        self.assertIsInstance(caught.exception.__cause__, TimeoutError)

    def test_the_person_is_told(self):
        self.assertEqual(status(Server()), "the mail server does not answer")

    def test_three_times_is_enough(self):
        server = Server()
        with self.assertRaises(GaveUpError):
            retried(server.fetch)
        self.assertEqual(server.asked, 3)

    def test_an_action_may_well_return_none(self):
        self.assertIsNone(retried(lambda: None))
