"""Loads the named statements of ``queries.sql``."""

import functools
import re
from collections.abc import Mapping
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@functools.cache
def named() -> Mapping[str, str]:
    """Name → statement or fragment, with its comments; what stands before the first name is left out."""
    text = files("selfimprover.telemetry").joinpath("queries.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def fragment(name: str, column: str, **parts: str) -> str:
    """The fragment ``name`` about ``column`` (an SQL expression), without its comments; ``parts`` are others in it."""
    lines = [line for line in named()[name].splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(lines).format(column=column, **parts)


def instant(column: str) -> str:
    """The fragment ``instant`` about ``column``."""
    return fragment("instant", column, moment=fragment("moment", column), local=fragment("local", column))
