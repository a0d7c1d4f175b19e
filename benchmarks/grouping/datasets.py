"""What is grouped: the project's own labelled failures, and Loghub-2k from a folder."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.agent_failures import Failure, causes, labelled  # noqa: E402
from tests.agent_failures.expansion import rows_of  # noqa: E402

PARTS = ("dev", "held_out", "all")


@dataclass(frozen=True)
class Dataset:
    """Failures, and the true group of each."""

    name: str
    failures: tuple[Failure, ...]
    truth: tuple[str, ...]


def own(part: str) -> Dataset:
    """The labelled failures of ``dev``, ``held_out`` or ``all`` causes."""
    rows = labelled(part)
    return Dataset(part, tuple(row.failure for row in rows), tuple(row.label for row in rows))


def more(rows_of_each: int) -> Dataset:
    """The same causes with so many rows each: other values, for measuring speed."""
    rows = [row for cause in causes() for row in rows_of(cause, rows_of_each)]
    return Dataset(f"{rows_of_each} of each", tuple(row.failure for row in rows), tuple(row.label for row in rows))


def loghub(folder: Path) -> list[Dataset]:
    """The systems of Loghub-2k with corrected templates; the truth is ``EventTemplate``."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        failures = tuple(Failure(row["Content"], None) for row in rows)
        found.append(Dataset(path.stem, failures, tuple(row["EventTemplate"] for row in rows)))
    return found
