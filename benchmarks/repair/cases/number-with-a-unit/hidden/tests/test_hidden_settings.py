import unittest

from assistant.errors import SettingsError
from assistant.settings import read
from assistant.start import start


class WrongTimeouts(unittest.TestCase):
    def test_a_unit_is_not_guessed(self):
        with self.assertRaises(SettingsError) as caught:
            read({"timeout": "30s"})
        self.assertEqual(caught.exception.key, "timeout")

    def test_what_is_no_text_either(self):
        for wrong in (None, [30], {}):
            with self.subTest(wrong), self.assertRaises(SettingsError):
                read({"timeout": wrong})

    def test_the_person_is_told(self):
        self.assertTrue(start({"timeout": "soon"}).startswith("Please look at your settings: timeout:"))

    def test_digits_as_text_are_a_number(self):
        self.assertEqual(read({"timeout": "30"})["timeout"], 30)
