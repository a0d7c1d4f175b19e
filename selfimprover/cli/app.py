"""All commands under one name."""

from importlib.metadata import version
from typing import Annotated

import typer

from selfimprover.cli import (
    check,
    demo,
    findings,
    group,
    identity,
    init,
    memory,
    night,
    prs,
    report,
    run,
    status,
    trigger,
)

app = typer.Typer(
    name="selfimprover",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"selfimprover {version('selfimprover')}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Finds an assistant's repeated errors at night and proposes proven fixes as pull requests."""


app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("run")(run.run)
app.command("night")(night.night)
app.command("trigger")(trigger.trigger)
app.command("status")(status.status)
app.command("report")(report.report)
app.command("prs")(prs.prs)
app.command("group")(group.group)
findings.group.command("split")(identity.split)
findings.group.command("join")(identity.join)
app.add_typer(findings.group, name="findings")
app.add_typer(memory.group, name="memory")
