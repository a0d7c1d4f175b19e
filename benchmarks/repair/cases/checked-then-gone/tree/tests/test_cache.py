import asyncio
import unittest

from assistant.cache import Cache
from assistant.rates import rate


async def quiet(key):
    pass


class Caching(unittest.TestCase):
    def test_a_value_is_loaded_once(self):
        loads = []

        async def load(key):
            loads.append(key)
            return 1.23456

        async def twice():
            cache = Cache()
            return [await rate(cache, "EUR", load, quiet) for _ in range(2)]

        self.assertEqual(asyncio.run(twice()), [1.2346, 1.2346])
        self.assertEqual(loads, ["EUR"])
