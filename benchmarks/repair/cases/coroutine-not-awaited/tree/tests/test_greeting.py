import asyncio
import unittest

from assistant.greeting import greeting_for
from assistant.store import ProfileStore, UnknownUserError


class Greetings(unittest.TestCase):
    def test_in_a_language_that_is_known(self):
        self.assertEqual(greeting_for({"language": "de", "name": "Ada"}), "Guten Morgen, Ada")

    def test_in_another_language(self):
        self.assertEqual(greeting_for({"language": "eo", "name": "Ada"}), "Hello, Ada")

    def test_an_unknown_user_is_an_error_of_the_store(self):
        with self.assertRaises(UnknownUserError):
            asyncio.run(ProfileStore({}).load("ada"))
