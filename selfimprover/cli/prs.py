"""``selfimprover prs``: the pull requests as their forge tells them now."""

import json
import os
from typing import TYPE_CHECKING

import typer

from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption
from selfimprover.domain import CaseFile, PullRequest

if TYPE_CHECKING:
    from selfimprover.bootstrap import App


@handled
def prs(as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Show our pull requests, refreshed: number, issue, status, checks, outcome."""
    from rich.console import Console

    from selfimprover.reporting.case_view import pulls_table
    from selfimprover.reporting.documents import outcome_document, pull_request_document
    from selfimprover.reporting.terminal import print_table

    rows = run(_rows(open_app(config)))
    if as_json:
        documents = [
            {
                "project": project,
                **pull_request_document(pull),
                "issue": case.finding.title if case else None,
                "outcome": outcome_document(case.outcome) if case and case.outcome else None,
            }
            for project, pull, case in rows
        ]
        typer.echo(json.dumps(documents, indent=2, ensure_ascii=False))
    elif rows:
        print_table(Console(), pulls_table(rows))
    else:
        say("no pull requests yet")


async def _rows(app: "App") -> list[tuple[str, PullRequest, CaseFile | None]]:
    from datetime import UTC, datetime

    cases: dict[str, CaseFile] = {}
    if app.has_memory():
        async with app.reading() as memory:
            cases = {case.finding.id: case for case in await memory.cases()}
    now = datetime.now(UTC)
    rows: list[tuple[str, PullRequest, CaseFile | None]] = []
    for project in app.projects():
        known = [
            case.pull_request.number
            for case in cases.values()
            if case.project == project.name and case.pull_request is not None
        ]
        async with app.forge(project, app.redactor(os.urandom(16)), read_only=True) as forge:
            pulls = await forge.pull_requests(now, known)
        rows += [(project.name, pull, cases.get(pull.finding_id)) for pull in pulls]
    return rows
