import unittest

from assistant.inbox import unread_subjects
from assistant.retrying import retried
from assistant.status import status


class Server:
    def __init__(self, failures=0):
        self.failures = failures

    def fetch(self):
        if self.failures:
            self.failures -= 1
            raise TimeoutError("slow")
        return [{"subject": "Hello"}]


class Inbox(unittest.TestCase):
    def test_subjects(self):
        self.assertEqual(unread_subjects(Server()), ["Hello"])

    def test_a_slow_server_is_asked_again(self):
        self.assertEqual(status(Server(failures=2)), "1 unread")

    def test_other_errors_are_not_tried_again(self):
        with self.assertRaises(ZeroDivisionError):
            retried(lambda: 1 / 0)
