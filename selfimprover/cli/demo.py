"""``selfimprover demo``: the whole loop on the example assistant."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from selfimprover.cli.handler import handled, run
from selfimprover.cli.options import ConfigOption, DebugOption
from selfimprover.cli.progress import shown


@handled
def demo(
    keep: Annotated[Path | None, typer.Option(metavar="DIR", help="A new folder in which everything stays.")] = None,
    config: ConfigOption = None,  # noqa: ARG001  (taken by every command; the demo writes its own)
    debug: DebugOption = False,
) -> None:
    """Play the whole loop on an example assistant: no network, no key, no configuration."""
    from rich.console import Console

    from selfimprover import logs
    from selfimprover.demo.play import play

    logs.set_up(debug=debug, quiet=not debug)
    with shown() as progress, tempfile.TemporaryDirectory(prefix="selfimprover-demo-") as folder:
        reports = run(play(keep or Path(folder), Console(), progress, kept=keep is not None))
    if any(report.errors for report in reports):
        raise typer.Exit(1)
