"""``selfimprover memory``: the evidence store."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption
from selfimprover.errors import UsageError

if TYPE_CHECKING:
    from selfimprover.bootstrap import App


group = typer.Typer(no_args_is_help=True, help="The evidence store.")


@group.command()
@handled
def export(config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Print the evidence as JSON lines; each carries the SHA-256 of the line before."""
    run(_export(open_app(config)))


@group.command()
@handled
def verify(as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Check the database, the chain of the evidence, and every backup against it; exit 1 if anything is wrong."""
    from selfimprover.memory import file
    from selfimprover.memory.audit import audit

    app = open_app(config)
    path = app.memory_file
    if file.is_gone(path):
        raise _none_yet(app)
    found = audit(path, app.backups.all())
    if as_json:
        document = {
            "entries": found.entries,
            "backups": found.backups,
            "restores": list(found.restores),
            "problems": list(found.problems),
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for restored in found.restores:
            say(f"restored once: {restored}")
        for problem in found.problems:
            say(f"problem: {problem} → `selfimprover memory restore` puts the newest good backup in its place")
        if not found.problems:
            agree = "1 backup agrees" if found.backups == 1 else f"{found.backups} backups agree"
            say(f"whole: {found.entries} entries of evidence, each fits the one before; {agree}")
    if found.problems:
        raise typer.Exit(1)


@group.command()
@handled
def backup(
    target: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A new file; default: the backups of the state folder.")
    ] = None,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Copy the memory, checked, and print where; safe beside a running night."""
    app = open_app(config)
    if not app.has_memory():
        raise _none_yet(app)
    typer.echo(app.back_up(target))


@group.command()
@handled
def restore(
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A backup; default: the newest good one.")
    ] = None,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Put a backup in the place of the memory, which is kept beside it; the daemon must not be running."""
    app = open_app(config)
    with app.instance(), app.folder.work(app.memory_file):
        chosen = source or next(app.backups.good(), None)
        if chosen is None:
            mend = "name a file that `selfimprover memory backup FILE` made"
            raise UsageError("there is no good backup", where=str(app.folder.backups), mend=mend)
        say(app.backups.restore(chosen, datetime.now(UTC), "a person asked for it").sentence)


def _none_yet(app: "App") -> UsageError:
    return UsageError("there is none yet", where=f"memory {app.memory_url}", mend="run `selfimprover night`")


async def _export(app: "App") -> None:
    if not app.has_memory():
        say("no night has run yet: there is no evidence")
        return
    async with app.reading() as memory:
        async for line in memory.export():
            typer.echo(line)
