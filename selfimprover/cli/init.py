"""``selfimprover init``: the first configuration of a machine."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.options import DebugOption

_DEFAULT = "config.toml"

FileOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The file to write; default: $SELFIMPROVER_CONFIG, config.toml."),
]


@handled
def init(
    telemetry: Annotated[str | None, typer.Option(metavar="FILE", help="The assistant's SQLite file.")] = None,
    table: Annotated[str | None, typer.Option(metavar="NAME", help="Its table or view of tasks.")] = None,
    repository: Annotated[str | None, typer.Option(metavar="DIR", help="The assistant's git repository.")] = None,
    base: Annotated[str | None, typer.Option(metavar="BRANCH", help="The branch that fixes are made for.")] = None,
    test: Annotated[str | None, typer.Option(metavar="COMMAND", help='How its tests are run, or "none".')] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What reports call it.")] = None,
    state: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the memory is kept.")] = None,
    bare_tests: Annotated[
        bool, typer.Option("--bare-tests", help="Run tests without a sandbox, as this user.")
    ] = False,
    llm: Annotated[bool, typer.Option("--llm", help="Let a language model see redacted errors and code.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take what is found and ask nothing.")] = False,
    config: FileOption = None,
    debug: DebugOption = False,  # noqa: ARG001  (read by the handler)
) -> None:
    """Write a commented configuration from what is found on this machine, in observe mode, and check it."""
    from rich.console import Console

    from selfimprover.checkup import examine
    from selfimprover.cli.asking import Asking
    from selfimprover.cli.check import print_results
    from selfimprover.cli.interview import Flags, interview
    from selfimprover.cli.summary import print_summary
    from selfimprover.settings.first import configuration
    from selfimprover.settings.save import require_free, save

    file = config or Path(os.environ.get("SELFIMPROVER_CONFIG") or _DEFAULT)
    if not force:
        require_free(file)
    asking = Asking(person=not yes and sys.stdin.isatty() and sys.stderr.isatty())
    flags = Flags(telemetry, table, repository, base, test, name, state, bare_tests, llm)
    found = interview(asking, flags, file, lambda: run(_isolates()))
    print_summary(Console(stderr=True), found)
    save(configuration(found.choices), file, replace=force)
    say(f"Written to {file}, publish mode observe. Now `selfimprover check`:")
    results = run(examine(file))
    print_results(results)
    good = all(one.ok for one in results)
    say(f"Next{'' if good else ', once that is mended'}: selfimprover night --dry-run{_option(config)}")
    if not good:
        raise typer.Exit(1)


async def _isolates() -> bool:
    from selfimprover.verification.choosing import choose
    from selfimprover.verification.sandbox import Kind

    return (await choose(Kind.AUTO)).sandbox is not None


def _option(config: Path | None) -> str:
    """What the next command needs to find the file: nothing where it looks by itself."""
    return "" if config is None or config == Path(_DEFAULT) else f" --config {shlex.quote(str(config))}"
