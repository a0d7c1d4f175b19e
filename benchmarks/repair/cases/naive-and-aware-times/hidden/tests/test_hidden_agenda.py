import unittest
from datetime import UTC, datetime

from assistant.agenda import upcoming
from assistant.events import read_event
from assistant.reminders import minutes_left

NOW = datetime(2026, 2, 16, 8, 0, tzinfo=UTC)


def event(start):
    return read_event({"title": start, "start": start})


class WithoutAnOffset(unittest.TestCase):
    def test_they_are_in_the_agenda(self):
        self.assertEqual(upcoming([event("2026-02-16T09:00:00"), event("2026-02-16T07:59:00")], NOW), ["2026-02-16T09:00:00"])

    def test_they_can_be_counted_down_to(self):
        self.assertEqual(minutes_left(event("2026-02-16T08:45:00"), NOW), 45)

    def test_they_are_utc_beside_others(self):
        found = upcoming([event("2026-02-16T09:00:00"), event("2026-02-16T09:30:00+01:00")], NOW)
        self.assertEqual(found, ["2026-02-16T09:30:00+01:00", "2026-02-16T09:00:00"])

    def test_an_offset_is_kept(self):
        self.assertEqual(event("2026-02-16T09:30:00+01:00").start, datetime(2026, 2, 16, 8, 30, tzinfo=UTC))

    def test_what_is_no_time_is_still_an_error(self):
        with self.assertRaises(ValueError):
            event("tomorrow")
