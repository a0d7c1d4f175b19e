"""Reports on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from selfimprover.domain import NightReport
from selfimprover.reporting.night_view import view
from selfimprover.reporting.pull_view import PullRow, links, pulls_table
from selfimprover.reporting.table import Table
from selfimprover.reporting.widths import fitted

_SHORT = frozenset({"Day", "Tasks", "Count", "Type", "Finding", "State", "PR", "Last seen"})
"""Columns that are never broken, whatever the width."""

_GAP = 2
"""Cells between two columns."""


def print_night(console: Console, report: NightReport) -> None:
    """The whole report of a night."""
    shown = view(report)
    console.print(Text.assemble((shown.headline, "bold"), f": {shown.summary}"))
    for table in shown.tables:
        print_table(console, table)
    for note in shown.notes:
        console.print(Text.assemble("\n", ("note", "yellow"), f" {note}"))
    for problem in shown.problems:
        console.print(Text.assemble("\n", ("error", "red"), f" {problem}"))


def print_pulls(console: Console, rows: Sequence[PullRow]) -> None:
    """The pull requests, and where to find those that wait for somebody."""
    print_table(console, pulls_table(rows))
    if addresses := links(rows):
        console.print()
    for address in addresses:
        console.print(Text(address), soft_wrap=True)


def print_table(console: Console, table: Table) -> None:
    """One table, as wide as the terminal allows."""
    rich = RichTable(
        title=table.title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False
    )
    whole = {index for index, column in enumerate(table.columns) if index == 0 or column in _SHORT}
    room = console.width - (len(table.columns) - 1) * _GAP
    widths = fitted([table.columns, *table.rows], room, whole)
    for index, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
        rich.add_column(Text(column), overflow="fold", no_wrap=index in whole, width=width)
    for row in table.rows:
        rich.add_row(*(Text(cell) for cell in row))  # no markup and no emoji codes in what others wrote
    console.print()
    console.print(rich)
