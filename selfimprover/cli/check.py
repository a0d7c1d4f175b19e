"""``selfimprover check``: looks at every part, one by one, and writes nothing anywhere."""

import json

import typer

from selfimprover.cli.handler import handled, run
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption


@handled
def check(as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """Check config, state, telemetry, memory, forge, model and sandbox; say how to mend what is wrong."""
    from rich.console import Console
    from rich.markup import escape

    from selfimprover.checkup import examine

    results = run(examine(config))
    if as_json:
        documents = [{"part": one.part, "ok": one.ok, "what": one.what, "mend": one.mend} for one in results]
        typer.echo(json.dumps(documents, indent=2, ensure_ascii=False))
    else:
        console = Console()
        for one in results:
            mark = "[green]ok[/green]  " if one.ok else "[red]FAIL[/red]"
            mend = f" → {one.mend}" if one.mend else ""
            console.print(f"{mark} {escape(f'{one.part}: {one.what}{mend}')}", soft_wrap=True)
    if not all(one.ok for one in results):
        raise typer.Exit(1)
