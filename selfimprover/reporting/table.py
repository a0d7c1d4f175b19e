"""A table of text, which the terminal, Markdown and HTML each show in their own way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table of text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
