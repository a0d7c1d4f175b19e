"""Errors of the assistant."""


class ToolCallError(Exception):
    """The language model called a tool in a way that cannot work; the text is told to it."""
