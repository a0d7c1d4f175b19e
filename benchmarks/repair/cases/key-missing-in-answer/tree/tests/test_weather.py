import unittest

from assistant.errors import AnswerError
from assistant.weather import forecast, wettest

WET = {"days": [{"date": "a", "rain": {"mm": 1.0}}, {"date": "b", "rain": {"mm": 4.0}}]}


class Weather(unittest.TestCase):
    def test_rain_by_date(self):
        self.assertEqual(forecast(WET), {"a": 1.0, "b": 4.0})

    def test_the_wettest_day(self):
        self.assertEqual(wettest(WET), "b")

    def test_a_broken_answer(self):
        with self.assertRaises(AnswerError):
            forecast({})
