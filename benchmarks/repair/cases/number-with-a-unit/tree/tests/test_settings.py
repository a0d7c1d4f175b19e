import unittest

from assistant.errors import SettingsError
from assistant.settings import read
from assistant.start import start


class Settings(unittest.TestCase):
    def test_defaults(self):
        self.assertEqual(read({}), {"language": "en", "timeout": 60})

    def test_a_language_that_is_not_known(self):
        with self.assertRaises(SettingsError):
            read({"language": "la"})

    def test_the_person_is_told(self):
        self.assertEqual(start({"timeout": 0}), "Please look at your settings: timeout: it must be at least one second")
