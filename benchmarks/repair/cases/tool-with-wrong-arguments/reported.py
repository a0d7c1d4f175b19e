import unittest

from assistant.errors import ToolCallError
from assistant.tools import Tools


def add_note(text):
    return f"noted: {text}"


class Reported(unittest.TestCase):
    def test_an_argument_that_a_tool_does_not_take_is_told_to_the_model(self):
        tools = Tools()
        tools.add("add_note", add_note)
        with self.assertRaises(ToolCallError):
            tools.call("add_note", {"text": "milk", "urgent": True})
