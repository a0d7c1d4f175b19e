import unittest

from assistant.errors import AnswerError
from assistant.weather import forecast, wettest

MIXED = {"days": [{"date": "a"}, {"date": "b", "rain": {"mm": 0.5}}]}


class DryDays(unittest.TestCase):
    def test_a_day_without_rain_is_dry_and_still_there(self):
        self.assertEqual(forecast(MIXED), {"a": 0.0, "b": 0.5})

    def test_the_wettest_of_a_mixed_week(self):
        self.assertEqual(wettest(MIXED), "b")

    def test_an_answer_without_days_stays_broken(self):
        with self.assertRaises(AnswerError):
            forecast({"city": "Bergen"})

    def test_a_day_without_a_date_is_no_dry_day(self):
        with self.assertRaises((KeyError, AnswerError)):
            forecast({"days": [{"rain": {"mm": 1.0}}]})
