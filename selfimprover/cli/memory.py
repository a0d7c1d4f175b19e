"""``selfimprover memory``: the evidence store."""

from typing import TYPE_CHECKING

import typer

from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption

if TYPE_CHECKING:
    from selfimprover.bootstrap import App


group = typer.Typer(no_args_is_help=True, help="The evidence store.")


@group.callback()
def _group() -> None:
    """Keeps ``export`` a subcommand while it is the only one."""


@group.command()
@handled
def export(config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Print the evidence as JSON lines; each carries the SHA-256 of the line before."""
    run(_export(open_app(config)))


async def _export(app: "App") -> None:
    if not app.has_memory():
        say("no night has run yet: there is no evidence")
        return
    async with app.reading() as memory:
        async for line in memory.export():
            typer.echo(line)
