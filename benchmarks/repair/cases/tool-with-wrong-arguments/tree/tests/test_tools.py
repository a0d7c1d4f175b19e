import unittest

from assistant.dialogue import answer_call
from assistant.errors import ToolCallError
from assistant.tools import Tools

TOOLS = Tools()
TOOLS.add("double", lambda number: 2 * number)


class Calling(unittest.TestCase):
    def test_a_call(self):
        self.assertEqual(TOOLS.call("double", {"number": 4}), 8)

    def test_no_such_tool(self):
        with self.assertRaises(ToolCallError):
            TOOLS.call("triple", {})

    def test_the_model_is_told(self):
        self.assertEqual(answer_call(TOOLS, "triple", {}), "That did not work: there is no tool triple")
