"""``selfimprover demo``: the whole loop on the example assistant."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfimprover.cli.handler import handled, run
from selfimprover.cli.options import ConfigOption, DebugOption
from selfimprover.cli.progress import shown
from selfimprover.errors import UsageError

if TYPE_CHECKING:
    from selfimprover.settings import Llm

_HOW = (
    'write model = "…" below [llm] of a config.toml, with base_url = "…" for a server that is not OpenAI\'s, or set'
    " SELFIMPROVER_LLM__MODEL and SELFIMPROVER_LLM__BASE_URL; a key is SELFIMPROVER_LLM__API_KEY or a secret file"
)


@handled
def demo(
    keep: Annotated[Path | None, typer.Option(metavar="DIR", help="A new folder in which everything stays.")] = None,
    llm: Annotated[bool, typer.Option("--llm", help="Let the configured language model draft as well.")] = False,
    config: ConfigOption = None,
    debug: DebugOption = False,
) -> None:
    """Play the whole loop on an example assistant: no network, no key, no configuration, unless with --llm."""
    from rich.console import Console

    from selfimprover import logs
    from selfimprover.demo.play import play
    from selfimprover.redaction import Redactor, secrets_in

    model = _model(config) if llm else None
    key = [model.api_key.get_secret_value()] if model is not None and model.api_key else []
    logs.set_up(Redactor(os.urandom(16), [*key, *secrets_in(os.environ)]), debug=debug, quiet=not debug)
    with shown() as progress, tempfile.TemporaryDirectory(prefix="selfimprover-demo-") as folder:
        reports = run(play(keep or Path(folder), Console(), progress, kept=keep is not None, llm=model))
    if any(report.errors for report in reports):
        raise typer.Exit(1)


def _model(config: Path | None) -> "Llm":
    """The section [llm] of the configuration that would be in force; the demo brings everything else along."""
    from selfimprover.settings import load_llm

    llm = load_llm(config)
    if not llm.enabled:
        raise UsageError("[llm] enabled = false switches the model off", where="demo --llm", mend="set it to true")
    if llm.model is None:
        raise UsageError("no language model is named: [llm] model is missing", where="demo --llm", mend=_HOW)
    return llm
