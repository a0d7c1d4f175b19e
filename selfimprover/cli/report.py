"""``selfimprover report``: what a night found and did."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption
from selfimprover.domain import NightReport
from selfimprover.errors import UsageError

if TYPE_CHECKING:
    from selfimprover.bootstrap import App


@handled
def report(
    night: Annotated[str | None, typer.Option(metavar="KEY", help="Such as 2026-02-16; default: the last.")] = None,
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print it as Markdown.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as one HTML page.")] = None,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001  (read by the handler)
) -> None:
    """Show what a night found and did."""
    from rich.console import Console

    from selfimprover.reporting import pages
    from selfimprover.reporting.documents import night_document
    from selfimprover.reporting.terminal import print_night

    if as_json + markdown + (html is not None) > 1:
        raise UsageError("--json, --markdown and --html exclude one another", mend="choose one")
    found = run(_load(open_app(config), night))
    if as_json:
        typer.echo(json.dumps(night_document(found), indent=2, ensure_ascii=False))
    elif markdown:
        typer.echo(pages.markdown(found), nl=False)
    elif html is not None:
        _write(html, pages.html(found))
        say(f"written to {html}")
    else:
        print_night(Console(), found)


async def _load(app: "App", key: str | None) -> NightReport:
    if not app.has_memory():
        raise UsageError("no night has run yet", mend="run `selfimprover night`")
    async with app.reading() as memory:
        found = await memory.report(key)
        if found is not None:
            return found
        known = ", ".join((await memory.nights())[-5:])
    raise UsageError(f"there is no report of night {key}" if key else "no night has ended yet", mend=f"known: {known}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"it cannot be written: {error.strerror}", where=str(path), mend="choose another file"
        ) from error
