import asyncio
import unittest

from assistant.cache import Cache


class Reported(unittest.TestCase):
    def test_a_value_that_is_dropped_while_its_use_is_told_is_still_the_answer(self):
        async def main():
            cache = Cache()
            cache.put("rates", 1.1)

            async def log(key):
                cache.drop(key)

            return await cache.get_or_load("rates", load=None, log=log)

        self.assertEqual(asyncio.run(main()), 1.1)
