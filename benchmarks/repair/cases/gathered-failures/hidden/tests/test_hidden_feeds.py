import asyncio
import unittest

from assistant.feeds import collect


async def load(name):
    if name == "news":
        raise TimeoutError("slow")
    if name == "gone":
        raise asyncio.CancelledError
    if name == "odd":
        return {}
    return {"items": [name]}


class Failures(unittest.TestCase):
    def test_the_others_still_count(self):
        self.assertEqual(asyncio.run(collect(load, ["mail", "news", "todo"])).items, ["mail", "todo"])

    def test_a_failure_is_told_with_its_error(self):
        failed = asyncio.run(collect(load, ["mail", "news"])).failed
        self.assertEqual(list(failed), ["news"])
        self.assertIsInstance(failed["news"], TimeoutError)

    def test_an_answer_without_items_is_still_an_error(self):
        with self.assertRaises(KeyError):
            asyncio.run(collect(load, ["mail", "odd"]))
