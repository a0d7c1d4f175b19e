import unittest

from assistant.dialogue import answer_call
from assistant.errors import ToolCallError
from assistant.tools import Tools


def greet(name, *, loudly=False):
    return f"Hello {name.upper() if loudly else name}"


def broken(value):
    return value + 1


def anything(**more):
    return sorted(more)


class Arguments(unittest.TestCase):
    def setUp(self):
        self.tools = Tools()
        for tool in (greet, broken, anything):
            self.tools.add(tool.__name__, tool)

    def test_one_that_the_tool_does_not_take(self):
        with self.assertRaises(ToolCallError):
            self.tools.call("greet", {"name": "Ada", "urgent": True})

    def test_one_that_is_missing(self):
        with self.assertRaises(ToolCallError):
            self.tools.call("greet", {})

    def test_the_model_is_told_of_it(self):
        self.assertIn("urgent", answer_call(self.tools, "greet", {"name": "Ada", "urgent": True}))

    def test_one_that_may_be_left_out(self):
        self.assertEqual(self.tools.call("greet", {"name": "Ada"}), "Hello Ada")
        self.assertEqual(self.tools.call("greet", {"name": "Ada", "loudly": True}), "Hello ADA")

    def test_a_tool_that_takes_everything(self):
        self.assertEqual(self.tools.call("anything", {"b": 1, "a": 2}), ["a", "b"])

    def test_an_error_within_the_tool_is_ours(self):
        with self.assertRaises(TypeError):
            self.tools.call("broken", {"value": "x"})
