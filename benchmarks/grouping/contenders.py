"""Who is compared, and how one of them is asked."""

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets import ROOT, Failure

PEERS = Path(__file__).with_name("peers.py")
BIN = ROOT / ".venv" / "bin"


@dataclass(frozen=True)
class Answer:
    """A group and a pattern for each row, and the CPU seconds of the whole command."""

    groups: list[str]
    patterns: list[str]
    seconds: float


@dataclass(frozen=True)
class Contender:
    """A command that groups JSON lines."""

    name: str
    command: tuple[str, ...]
    on_lines: bool = True
    """Whether it means anything for logs, where there is no traceback to choose a text from."""

    def group(self, failures: Sequence[Failure]) -> Answer:
        """Runs it once over all the failures."""
        lines = "".join(json.dumps({"error": one.error, "traceback": one.traceback}) + "\n" for one in failures)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(self.command, input=lines, capture_output=True, text=True, check=False, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{self.name}: {' '.join(self.command)} ended with {done.returncode}:\n{done.stderr[-2_000:]}")
        told = [json.loads(line) for line in done.stdout.splitlines()]
        if len(told) != len(failures):
            sys.exit(f"{self.name}: {len(failures)} lines in, {len(told)} out")
        seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Answer([one["fingerprint"] for one in told], [one["pattern"] or "" for one in told], seconds)


def ours() -> Contender:
    """``selfimprover group`` of this checkout."""
    return Contender("selfimprover group", (str(BIN / "selfimprover"), "group"))


def peer(name: str, *arguments: str, on_lines: bool = True) -> Contender:
    """One of peers.py, with the Python that runs this benchmark."""
    return Contender(name, (sys.executable, str(PEERS), *arguments), on_lines)


MASKED = ("drain3", "--masks", "readme")
STRICT = (*MASKED, "--similarity", "0.7")
RIVAL = "drain3, README masks"
"""The contender that speed is compared with."""


def contenders() -> list[Contender]:
    """All of them, ours first."""
    return [
        ours(),
        peer("GROUP BY error", "exact"),
        peer("digits → #", "digits"),
        peer("drain3, default", "drain3"),
        peer(RIVAL, *MASKED),
        peer("drain3, README masks, .7", *STRICT),
        peer("drain3, our masks, .7", "drain3", "--masks", "ours", "--similarity", "0.7"),
        peer("drain3, README masks, .7, whole text", *STRICT, "--text", "all", on_lines=False),
        peer("drain3, README masks, .7, last line", *STRICT, "--text", "last", on_lines=False),
    ]
