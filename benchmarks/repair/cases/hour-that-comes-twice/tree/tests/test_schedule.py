import unittest
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from assistant.digest import run_due
from assistant.ledger import AlreadyRunError, Ledger
from assistant.schedule import Daily

DAILY = Daily("07:30", ZoneInfo("Europe/Berlin"))


class Schedule(unittest.TestCase):
    def test_the_same_day(self):
        self.assertEqual(DAILY.next(datetime(2026, 2, 16, 5, tzinfo=UTC)), datetime(2026, 2, 16, 6, 30, tzinfo=UTC))

    def test_the_next_day(self):
        due = datetime(2026, 2, 16, 6, 30, tzinfo=UTC)
        self.assertEqual(DAILY.next(due), datetime(2026, 2, 17, 6, 30, tzinfo=UTC))

    def test_a_digest_is_noted(self):
        ledger = Ledger()
        run_due(DAILY, ledger, datetime(2026, 2, 16, 5, tzinfo=UTC))
        self.assertEqual(ledger.dates, [date(2026, 2, 16)])

    def test_there_is_no_second_digest_of_a_date(self):
        ledger = Ledger()
        ledger.begin(date(2026, 2, 16))
        with self.assertRaises(AlreadyRunError):
            ledger.begin(date(2026, 2, 16))
