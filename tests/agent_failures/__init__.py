"""Hand-labelled failures of AI assistants: what errors look like, and which of them are one cause.

A cause is what one fix would end. Each is written by hand, in the format that its library documents, in a file of
``families``; README.md says how. A small expander varies what really varies (machine, Python version, ids, line
numbers, how the assistant records) and is the same in every run. Nothing here was written from what the grouping does.
"""

from tests.agent_failures.causes import FAMILIES, Cause, causes
from tests.agent_failures.expansion import Row, rows_of
from tests.agent_failures.recording import Failure

__all__ = ["FAMILIES", "Cause", "Failure", "Row", "causes", "labelled"]


def labelled(part: str = "all") -> list[Row]:
    """The rows of ``dev``, ``held_out`` or ``all`` causes, in the order of the files."""
    return [row for cause in causes() if part in ("all", cause.part) for row in rows_of(cause)]
