"""The tools that the language model may call."""

from assistant.errors import ToolCallError


class Tools:
    """Functions by name."""

    def __init__(self):
        self._tools = {}

    def add(self, name, function):
        """Adds a tool; its parameters are those of the function, by keyword."""
        self._tools[name] = function

    def call(self, name, arguments):
        """What the tool returns; raises ``ToolCallError`` for a call that cannot work, and what the tool raises."""
        if name not in self._tools:
            raise ToolCallError(f"there is no tool {name}")
        return self._tools[name](**arguments)
