"""Reports on a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from selfimprover.domain import NightReport
from selfimprover.reporting.night_view import Table, view

_SHORT = frozenset({"Day", "Tasks", "Count", "Type", "Finding", "State", "Status", "Checks", "PR", "Last seen"})
"""Columns that are never broken, whatever the width."""


def print_night(console: Console, report: NightReport) -> None:
    """The whole report of a night."""
    shown = view(report)
    console.print(f"[bold]{escape(shown.headline)}[/bold]: {escape(shown.summary)}", highlight=False)
    for table in shown.tables:
        print_table(console, table)
    for note in shown.notes:
        console.print(f"\n[yellow]note[/yellow] {escape(note)}", highlight=False)
    for problem in shown.problems:
        console.print(f"\n[red]error[/red] {escape(problem)}", highlight=False)


def print_table(console: Console, table: Table) -> None:
    """One table, as wide as the terminal allows."""
    rich = RichTable(
        title=table.title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False
    )
    for index, column in enumerate(table.columns):
        rich.add_column(escape(column), overflow="fold", no_wrap=index == 0 or column in _SHORT)
    for row in table.rows:
        rich.add_row(*(escape(cell) for cell in row))
    console.print()
    console.print(rich)
