import unittest
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from assistant.ledger import AlreadyRunError, Ledger
from assistant.schedule import Daily

DAILY = Daily("02:30", ZoneInfo("Europe/Berlin"))


class Clocks(unittest.TestCase):
    def test_a_time_that_comes_twice_counts_once(self):
        later = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
        self.assertEqual(DAILY.next(later), datetime(2026, 10, 26, 1, 30, tzinfo=UTC))

    def test_it_is_the_first_of_both(self):
        before = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
        self.assertEqual(DAILY.next(before), datetime(2026, 10, 25, 0, 30, tzinfo=UTC))

    def test_a_time_that_is_left_out_is_due_after_the_jump(self):
        jumped = datetime(2026, 3, 29, 1, 10, tzinfo=UTC)
        self.assertEqual(DAILY.next(jumped), datetime(2026, 3, 29, 1, 30, tzinfo=UTC))

    def test_other_days_are_as_they_were(self):
        self.assertEqual(DAILY.next(datetime(2026, 7, 1, 12, tzinfo=UTC)), datetime(2026, 7, 2, 0, 30, tzinfo=UTC))

    def test_the_ledger_still_refuses_a_second_digest(self):
        ledger = Ledger()
        ledger.begin(date(2026, 10, 25))
        with self.assertRaises(AlreadyRunError):
            ledger.begin(date(2026, 10, 25))
