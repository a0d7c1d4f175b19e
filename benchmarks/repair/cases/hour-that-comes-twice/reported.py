import unittest
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from assistant.digest import run_due
from assistant.ledger import Ledger
from assistant.schedule import Daily


class Reported(unittest.TestCase):
    def test_the_hour_that_comes_twice_has_one_digest(self):
        ledger, daily = Ledger(), Daily("02:30", ZoneInfo("Europe/Berlin"))
        run_due(daily, ledger, datetime(2026, 10, 24, 22, 0, tzinfo=UTC))
        run_due(daily, ledger, datetime(2026, 10, 25, 1, 10, tzinfo=UTC))
        self.assertEqual(ledger.dates, [date(2026, 10, 25), date(2026, 10, 26)])
