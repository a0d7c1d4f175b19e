"""The hand-written part: one TOML file a family, one table a cause."""

import tomllib
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

FAMILIES = Path(__file__).with_name("families")
HELD_OUT_OF = 3


@dataclass(frozen=True)
class Cause:
    """What one fix would end, and how it shows.

    A Python cause has a ``type``, ``messages`` and ``places`` (frames, outermost first); any other one has whole
    ``errors``, each with the ``tracebacks`` entry of the same position, if there are any.
    """

    label: str
    why: str
    family: str
    type: str = ""
    messages: tuple[str, ...] = ("",)
    places: tuple[tuple[str, ...], ...] = ()
    before: str = ""
    """What stands above the traceback: the exception that this one was raised from."""
    hint: str = ""
    """What newer interpreters add in the traceback, but not in ``str(error)``: a suggestion."""
    hint_since: int = 10
    since: int = 9
    """The first Python 3.x in which this can be seen."""
    errors: tuple[str, ...] = ()
    tracebacks: tuple[str, ...] = ()
    form: str = "typed"
    """How the assistant fills its error column: ``typed``, ``message``, ``repr``, ``whole`` (the traceback in it)."""
    always_traceback: bool = False
    """Without a traceback nobody could tell the cause."""
    plain: bool = False
    """Rows are as written: no log prefix, nothing cut off."""
    rows: int = 0
    """How many rows; 0 lets the label decide."""

    @property
    def part(self) -> str:
        """``held_out`` for about a third, by the label, so that nobody can choose."""
        digest = int.from_bytes(blake2b(self.label.encode(), digest_size=8).digest(), "big")
        return "dev" if digest % HELD_OUT_OF else "held_out"


def tupled(value: Any) -> Any:
    """The same with tuples for lists."""
    return tuple(tupled(one) for one in value) if isinstance(value, list) else value


@cache
def causes() -> tuple[Cause, ...]:
    """All causes, family by family."""
    found = []
    for path in sorted(FAMILIES.glob("*.toml")):
        tables = tomllib.loads(path.read_text("utf-8"))["cause"]
        found += [Cause(family=path.stem, **{key: tupled(one) for key, one in table.items()}) for table in tables]
    return tuple(found)
