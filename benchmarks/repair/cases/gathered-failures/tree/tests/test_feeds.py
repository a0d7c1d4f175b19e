import asyncio
import unittest

from assistant.briefing import Briefing
from assistant.feeds import collect


class Feeds(unittest.TestCase):
    def test_items_come_in_the_order_of_the_sources(self):
        async def load(name):
            return {"items": [name, name.upper()]}

        self.assertEqual(asyncio.run(collect(load, ["a", "b"])).items, ["a", "A", "b", "B"])

    def test_a_source_that_failed_is_named(self):
        briefing = Briefing()
        briefing.failed["news"] = TimeoutError("slow")
        self.assertEqual(briefing.text(), "(news could not be asked: slow)")
