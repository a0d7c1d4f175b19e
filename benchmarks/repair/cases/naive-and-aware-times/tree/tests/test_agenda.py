import unittest
from datetime import UTC, datetime

from assistant.agenda import upcoming
from assistant.events import read_event
from assistant.reminders import minutes_left

NOW = datetime(2026, 2, 16, 8, 0, tzinfo=UTC)


class Agenda(unittest.TestCase):
    def test_soonest_first(self):
        events = [read_event({"title": hour, "start": f"2026-02-16T{hour}:00:00+00:00"}) for hour in ("10", "09", "07")]
        self.assertEqual(upcoming(events, NOW), ["09", "10"])

    def test_minutes_left(self):
        self.assertEqual(minutes_left(read_event({"title": "x", "start": "2026-02-16T09:30:00+01:00"}), NOW), 30)
