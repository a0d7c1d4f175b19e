import asyncio
import unittest

from assistant.shutdown import shut_down
from assistant.workers import Workers


async def give(value):
    await asyncio.sleep(0)
    return value


class Working(unittest.IsolatedAsyncioTestCase):
    async def test_results_by_name(self):
        workers = Workers()
        workers.start("a", give(1))
        workers.start("b", give(2))
        self.assertEqual(await workers.stop(patience=5), {"a": 1, "b": 2})

    async def test_nothing_to_stop(self):
        self.assertEqual(await shut_down(Workers()), "done: nothing")
