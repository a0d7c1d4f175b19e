"""What ``init`` found and why, as lines for a person."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape

from selfimprover.cli.interview import Interview
from selfimprover.cli.secrets import hide
from selfimprover.reporting.safe import one_line
from selfimprover.settings.first import Choices
from selfimprover.telemetry.discovery import FoundTable
from selfimprover.telemetry.names import failing

_LABEL_WIDTH = 13
_MOST_STATUSES = 5


class _Line(NamedTuple):
    label: str
    value: str
    reason: str = ""


def print_summary(console: Console, found: Interview) -> None:
    """One line for each part. Names of files, tables and branches are foreign text, and made harmless."""
    for line in (*_project(found), *_decisions(found.choices)):
        reason = f"  [dim]({escape(one_line(line.reason, 400))})[/dim]" if line.reason else ""
        value = escape(one_line(line.value, 1_000))
        console.print(f"[bold]{line.label:<{_LABEL_WIDTH}}[/bold]{value}{reason}", soft_wrap=True, highlight=False)


def _project(found: Interview) -> Iterator[_Line]:
    choices, table, repository = found.choices, found.table, found.repository
    renamed = ", ".join(f"{ours} = {theirs}" for ours, theirs in choices.columns.items())
    yield _Line("project", choices.name)
    yield _Line("telemetry", str(choices.telemetry), f"table {table.name}, {table.rows:,} rows")
    yield _Line("columns", ", ".join(table.columns), renamed or "all by our names")
    for other in found.passed_over:
        if other.unreadable:
            yield _Line("passed over", str(other.path), other.why)
    yield _Line("failed", ", ".join(choices.failed), _doubt(table))
    origin = f"origin is at {repository.remote.host}" if repository.remote else "no remote named origin"
    yield _Line("repository", str(choices.repository), origin)
    if choices.github:
        yield _Line("on GitHub", choices.github, "noted in the file; pull requests stay in the repository itself")
    yield _Line("base branch", choices.base, repository.reason if choices.base == repository.base else "")
    yield _Line("tests", choices.test or "none", found.test_reason)
    for folder in choices.expose:
        yield _Line("environment", str(folder), "comes first on the PATH of the tests")


def _decisions(choices: Choices) -> Iterator[_Line]:
    if choices.bare_tests:
        yield _Line("sandbox", "none", "tests run bare, as this user")
    else:
        yield _Line("sandbox", "auto", "no test is run without one that proves itself")
    if choices.llm:
        yield _Line("model", "on", "redacted error texts and code are sent to the base_url that you set")
    else:
        yield _Line("model", "off", "nothing leaves this machine")
    yield _Line("state", str(choices.state))
    yield _Line("time zone", choices.timezone or "UTC", "" if choices.timezone else "this machine names none")


def _doubt(table: FoundTable) -> str:
    """Why the statuses that mean failure may be other ones. A status may hold anything, secrets too."""
    if failing(table.statuses):
        return ""
    if not table.statuses:
        return "the usual one; no status was seen"
    seen = ", ".join(one_line(hide(status), 30) for status in table.statuses[:_MOST_STATUSES])
    return f"none of its statuses sounds like failure: {seen}; correct `failed` in the file"
