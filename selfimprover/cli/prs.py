"""``selfimprover prs``: the pull requests as their forge tells them now."""

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption
from selfimprover.domain import CaseFile, PullRequest

if TYPE_CHECKING:
    from selfimprover.bootstrap import App
    from selfimprover.reporting.pull_view import PullRow


@handled
def prs(as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Show our pull requests, refreshed: number, issue, status, checks, reviews, outcome."""
    from rich.console import Console

    from selfimprover.reporting.terminal import print_pulls

    rows = run(_rows(open_app(config)))
    if as_json:
        typer.echo(json.dumps([_document(row) for row in rows], indent=2, ensure_ascii=False))
    elif rows:
        print_pulls(Console(), rows)
    else:
        say("no pull requests yet")


def _document(row: "PullRow") -> dict[str, Any]:
    from selfimprover.reporting.documents import outcome_document, pull_request_document, standing_document

    return {
        "project": row.project,
        **pull_request_document(row.pull),
        **standing_document(row.pull),
        "issue": row.case.finding.title if row.case else None,
        "outcome": outcome_document(row.outcome) if row.outcome else None,
    }


async def _rows(app: "App") -> "list[PullRow]":
    from datetime import UTC, datetime

    from selfimprover.reporting.pull_view import PullRow

    cases: dict[str, CaseFile] = {}
    if app.has_memory():
        async with app.reading() as memory:
            cases = {case.finding.id: case for case in await memory.cases()}
    now = datetime.now(UTC)
    rows: list[PullRow] = []
    for project in app.projects():
        known = [
            case.pull_request.number
            for case in cases.values()
            if case.project == project.name and case.pull_request is not None
        ]
        async with app.forge(project, app.redactor(os.urandom(16)), read_only=True) as forge:
            pulls = await forge.pull_requests(now, known)
        for pull in pulls:
            case = cases.get(pull.finding_id)
            rows.append(PullRow(project=project.name, pull=_with_reviews(pull, case), case=case))
    return rows


def _with_reviews(pull: PullRequest, case: CaseFile | None) -> PullRequest:
    """A forge is not asked what people said of an ended pull request; the memory may know."""
    known = case.pull_request if case else None
    if pull.reviews or known is None or known.number != pull.number:
        return pull
    return replace(pull, reviews=known.reviews)
