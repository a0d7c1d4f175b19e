"""Options that every command takes."""

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Default: $SELFIMPROVER_CONFIG, config.toml, /etc/selfimprover/config.toml."
    ),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Log more, and show tracebacks.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
