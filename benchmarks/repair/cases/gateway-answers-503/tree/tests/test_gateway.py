import unittest

from assistant.gateway import GatewayError, summarise
from assistant.mails import short


class Gateway:
    def __init__(self, status=200):
        self.status = status

    def post(self, path, text):
        return self.status, text.upper()


class Asking(unittest.TestCase):
    def test_a_summary(self):
        self.assertEqual(short(Gateway(), {"subject": "Tea", "text": "at five"}), "Tea: AT FIVE")

    def test_whatever_is_no_success_is_told(self):
        with self.assertRaises(GatewayError):
            summarise(Gateway(500), "x")
