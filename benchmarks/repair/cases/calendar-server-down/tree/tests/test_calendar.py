import unittest

from assistant.agenda import agenda
from assistant.calendar import CalendarUnavailableError, events


class Server:
    def __init__(self, failures=0):
        self.failures = failures

    def get(self, path):
        if self.failures:
            self.failures -= 1
            raise ConnectionResetError("reset")
        return [{"title": "Call"}] if path.endswith("16") else []


class Calendar(unittest.TestCase):
    def test_a_day(self):
        self.assertEqual(agenda(Server(), "2026-02-16"), "Call")

    def test_an_empty_day(self):
        self.assertEqual(agenda(Server(), "2026-02-17"), "free")

    def test_it_is_asked_three_times(self):
        self.assertEqual(events(Server(failures=2), "2026-02-16"), ["Call"])

    def test_and_then_it_is_told(self):
        with self.assertRaises(CalendarUnavailableError):
            events(Server(failures=3), "2026-02-16")
