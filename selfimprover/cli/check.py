"""``selfimprover check``: looks at every part, one by one, and writes nothing anywhere."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from selfimprover.cli.handler import handled, run
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption

if TYPE_CHECKING:
    from selfimprover.domain import Examined

_LONGEST_LINE = 10_000


@handled
def check(as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Check config, state, telemetry, memory, forge, model and sandbox; say how to mend what is wrong."""
    from selfimprover.checkup import examine

    results = run(examine(config))
    if as_json:
        documents = [{"part": one.part, "ok": one.ok, "what": one.what, "mend": one.mend} for one in results]
        typer.echo(json.dumps(documents, indent=2, ensure_ascii=False))
    else:
        print_results(results)
    if not all(one.ok for one in results):
        raise typer.Exit(1)


def print_results(results: Sequence["Examined"]) -> None:
    """One line a part. Names of files and tables are foreign text: nothing in them acts on the terminal."""
    from rich.console import Console
    from rich.markup import escape

    from selfimprover.reporting.safe import one_line

    console = Console()
    for one in results:
        mark = "[green]ok[/green]  " if one.ok else "[red]FAIL[/red]"
        mend = f" → {one.mend}" if one.mend else ""
        console.print(f"{mark} {escape(one_line(f'{one.part}: {one.what}{mend}', _LONGEST_LINE))}", soft_wrap=True)
