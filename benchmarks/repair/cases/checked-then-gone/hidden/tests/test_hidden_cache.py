import asyncio
import unittest

from assistant.cache import Cache


class Meanwhile(unittest.TestCase):
    def run_with(self, value, meanwhile):
        """What a kept value is read as, if ``meanwhile(cache)`` happens while its use is told."""

        async def main():
            cache = Cache()
            cache.put("k", value)
            told = []

            async def log(key):
                told.append(key)
                meanwhile(cache)

            async def load(key):
                raise AssertionError("it was there")

            return await cache.get_or_load("k", load, log), told

        return asyncio.run(main())

    def test_dropped_meanwhile(self):
        self.assertEqual(self.run_with(5, lambda cache: cache.drop("k")), (5, ["k"]))

    def test_replaced_meanwhile(self):
        self.assertEqual(self.run_with(5, lambda cache: cache.put("k", 6)), (5, ["k"]))

    def test_a_kept_none_is_a_value(self):
        self.assertEqual(self.run_with(None, lambda cache: cache.drop("k")), (None, ["k"]))

    def test_an_error_of_loading_is_the_callers(self):
        async def load(key):
            raise KeyError("no such rate")

        with self.assertRaises(KeyError):
            asyncio.run(Cache().get_or_load("k", load, None))
