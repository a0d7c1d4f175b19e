"""``selfimprover night``: one night now, or as of an instant."""

import json
import sys
from typing import Annotated

import typer

from selfimprover.cli.handler import handled, run
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption
from selfimprover.cli.progress import shown


@handled
def night(
    at: Annotated[str | None, typer.Option(metavar="ISO8601", help="The instant it stands for; default: now.")] = None,
    project: Annotated[str | None, typer.Option(metavar="NAME", help="Only this project.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Up to the drafts of recipes; writes nothing.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    debug: DebugOption = False,
) -> None:
    """Run one night: find repeated errors, draft and prove fixes, open pull requests, remember, report."""
    from contextlib import nullcontext
    from dataclasses import replace

    from rich.console import Console

    from selfimprover.bootstrap import nights
    from selfimprover.domain import NightReport
    from selfimprover.interfaces import Progress
    from selfimprover.reporting.documents import night_document
    from selfimprover.reporting.terminal import print_night

    app = open_app(config)
    app.log(debug=debug, quiet=sys.stderr.isatty())
    instant = app.instant(at)

    async def one_night(progress: Progress) -> NightReport:
        if dry_run:
            async with nights.night(app, project=project, dry_run=True, progress=progress) as (built, _, _):
                return await built.run(instant, dry_run=True)
        due = replace(app.clock.latest(instant), required=False) if at is None and project is None else None
        return await nights.hold(app, instant, due=due, project=project, progress=progress, tell=at is None)

    with nullcontext() if dry_run else app.instance(), shown(quiet=as_json) as progress:
        report = run(one_night(progress))
    if as_json:
        typer.echo(json.dumps(night_document(report), indent=2, ensure_ascii=False))
    else:
        print_night(Console(), report)
    if report.errors:
        raise typer.Exit(1)
