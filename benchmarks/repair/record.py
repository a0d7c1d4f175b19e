"""Writes the telemetry of cases from the errors that their own code really raises.

Each ``trigger.py`` is run against the case's tree; what it raises is recorded as an assistant in ``/srv/assistant``
would have recorded it, a few times over the week, between tasks that went well. A test holds both together.

    python benchmarks/repair/record.py CASE …
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from benchmarks.repair.casefile import Case, read_case  # noqa: E402

_RAISES = HERE / "raising.py"
_FAILURES = ((0.4, 2), (1.3, 1), (2.2, 1), (4.6, 1))
"""Days ago, and how often."""
_DONE = ((0.5, 20), (1.5, 20), (2.5, 20), (5.5, 20))


@dataclass(frozen=True)
class Raised:
    """An error as a task's row has it."""

    error: str
    traceback: str
    frames: tuple[tuple[str, int, str], ...]
    """Of the case's own code: path in the tree, line, function."""


def raised(case: Case) -> Raised:
    """What the trigger of a case raises now."""
    command = [sys.executable, "-I", str(_RAISES), str(case.tree), str(case.folder / "trigger.py")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    return Raised(told["error"], told["traceback"], tuple((path, line, name) for path, line, name in told["frames"]))


def rows(case: Case, error: Raised) -> Iterator[dict[str, object]]:
    """The week: what failed, and what went well."""
    for days_ago, times in _DONE:
        yield {"kind": case.name, "status": "done", "days_ago": days_ago, "times": times}
    for days_ago, times in _FAILURES:
        told = {"error": error.error, "traceback": error.traceback}
        yield {"kind": case.name, "status": "failed", "days_ago": days_ago, "times": times, **told}


def record(folder: Path) -> None:
    """Writes ``telemetry.jsonl`` anew."""
    file = folder / "telemetry.jsonl"
    file.touch()
    case = read_case(folder.resolve())
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(case, raised(case))), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record(Path(name))
