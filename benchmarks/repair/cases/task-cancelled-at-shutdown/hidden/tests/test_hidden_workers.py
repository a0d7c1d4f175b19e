import asyncio
import unittest

from assistant.shutdown import shut_down
from assistant.workers import Workers


async def give(value):
    await asyncio.sleep(0)
    return value


async def fail():
    await asyncio.sleep(0)
    raise ValueError("broken")


class Stopping(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.cleaned = []

    async def slow(self):
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            self.cleaned.append("slow")

    async def test_what_still_runs_is_left_out(self):
        workers = Workers()
        workers.start("a", give(1))
        workers.start("slow", self.slow())
        self.assertEqual(await workers.stop(patience=0.05), {"a": 1})

    async def test_it_was_given_time_to_clean_up(self):
        workers = Workers()
        workers.start("slow", self.slow())
        await workers.stop(patience=0.05)
        self.assertEqual(self.cleaned, ["slow"])

    async def test_an_error_is_raised(self):
        workers = Workers()
        workers.start("bad", fail())
        with self.assertRaises(ValueError):
            await workers.stop(patience=5)

    async def test_the_log_names_what_is_done(self):
        workers = Workers()
        workers.start("a", give(1))
        workers.start("slow", self.slow())
        self.assertEqual(await shut_down(workers), "done: a")
