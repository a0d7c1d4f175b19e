"""The first configuration of a machine: what was chosen, and its text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from selfimprover.settings.toml import toml


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a first configuration says of the machine and of one project; paths are absolute."""

    state: Path
    timezone: str | None
    """A name of the time zone database; ``None`` leaves it to the machine."""
    llm: bool
    name: str
    telemetry: Path
    table: str
    columns: Mapping[str, str]
    """Our name → their column, where they differ."""
    failed: tuple[str, ...]
    repository: Path
    base: str
    github: str | None
    """``owner/repo`` of the remote."""
    test: str | None
    expose: tuple[Path, ...]
    bare_tests: bool
    """Whether tests run without a sandbox."""


def configuration(choices: Choices) -> str:
    """The text of config.toml with its comments, publish mode *observe*.

    Raises ``UsageError`` for a name that TOML cannot say.
    """
    environment = Environment(  # noqa: S701  (TOML, not HTML: the filter `toml` makes values harmless)
        loader=PackageLoader("selfimprover.settings"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = toml
    return environment.get_template("config.toml.j2").render(c=choices)
