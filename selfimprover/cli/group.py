"""``selfimprover group``: the grouping of errors for anybody's log."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from selfimprover.cli.handler import handled
from selfimprover.cli.options import ConfigOption, DebugOption
from selfimprover.domain import Pattern
from selfimprover.errors import UsageError


@handled
def group(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Lines or JSON lines; without it, or with -: stdin.")
    ] = None,
    config: ConfigOption = None,  # noqa: ARG001
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Group error texts: one line in, one JSON line out, with the fingerprint and the pattern of each.

    A line that is a JSON object with `error` (and perhaps `traceback`) is read as such, any other as text.
    """
    from selfimprover.patterns.fingerprints import CachedFingerprinter, ErrorFingerprinter
    from selfimprover.patterns.grouping import group as grouped

    fingerprinter = CachedFingerprinter(ErrorFingerprinter())
    found = [fingerprinter.fingerprint(error, traceback) for error, traceback in map(_task, _lines(file))]
    patterns = grouped({(one.value, one.template, one.place): one for one in found}.values())
    answers = {value: _answer(pattern) for value, pattern in patterns.items()}
    sys.stdout.writelines(answers[one.value] for one in found)


def _answer(pattern: Pattern) -> str:
    shown = pattern.fingerprint
    document = {"fingerprint": shown.value, "error_type": shown.error_type, "pattern": shown.template}
    return json.dumps(document, ensure_ascii=False) + "\n"


def _lines(file: Path | None) -> Iterator[str]:
    """The lines as text, whatever their bytes."""
    if file is None or str(file) == "-":
        yield from _decoded(sys.stdin.buffer)
        return
    try:
        with file.open("rb") as opened:
            yield from _decoded(opened)
    except OSError as error:
        raise UsageError(error.strerror or str(error), where=str(file), mend="name a file that can be read") from error


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _task(line: str) -> tuple[str | None, str | None]:
    """Error and traceback of one line."""
    if line.lstrip()[:1] == "{":
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict) and "error" in told:
            return _text(told["error"]), _text(told.get("traceback"))
    return line, None


def _text(value: object) -> str | None:
    """As telemetry would tell it: any value as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
