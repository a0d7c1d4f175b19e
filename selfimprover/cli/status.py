"""``selfimprover status``: whether the daemon lives, and whether its nights come."""

import json

import typer

from selfimprover.cli.handler import handled
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption


@handled
def status(as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Tell whether the daemon runs, and its last and next night; exit 1 if it does not, or no night ended in 26 h."""
    from datetime import UTC, datetime

    from selfimprover.health import document, lines, look

    app = open_app(config)
    health = look(app, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(document(health), indent=2, ensure_ascii=False))
    else:
        for line in lines(health):
            typer.echo(line)
    if health.problems:
        raise typer.Exit(1)
