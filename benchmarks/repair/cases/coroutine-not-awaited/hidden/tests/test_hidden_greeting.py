import asyncio
import unittest

from assistant.greeting import greet
from assistant.store import ProfileStore, UnknownUserError

STORE = ProfileStore({"ada": {"name": "Ada", "language": "en"}})


class Greets(unittest.TestCase):
    def test_a_user_by_name(self):
        self.assertEqual(asyncio.run(greet(STORE, "ada")), "Good morning, Ada")

    def test_nobody_who_is_not_known(self):
        with self.assertRaises(UnknownUserError):
            asyncio.run(greet(STORE, "eve"))

    def test_the_store_stays_asynchronous(self):
        self.assertEqual(asyncio.run(STORE.load("ada"))["name"], "Ada")
