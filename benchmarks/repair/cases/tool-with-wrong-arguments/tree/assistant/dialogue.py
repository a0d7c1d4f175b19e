"""Talks to the language model."""

from assistant.errors import ToolCallError


def answer_call(tools, name, arguments):
    """What goes back to the model for a call of a tool."""
    try:
        return str(tools.call(name, arguments))
    except ToolCallError as error:
        return f"That did not work: {error}"
