"""What a pull request costs on GitHub: calls, bytes and our own time, against the tests' fake GitHub on loopback.

Counted from the proven draft to the open pull request, in a repository of a thousand files; labels, assignee and
reviewers come on top, one call each. The time is without the second between two writes that GitHub asks for.

    python benchmarks/publish/run.py [--findings 20]
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from selfimprover.domain import ChecksState, Commit, Edit, Proposal  # noqa: E402
from selfimprover.forges.github.archives import Archives  # noqa: E402
from selfimprover.forges.github.auth import TokenAuth  # noqa: E402
from selfimprover.forges.github.client import GitHub  # noqa: E402
from selfimprover.forges.github.forge import GitHubForge  # noqa: E402
from tests.fakes.github import FakeGitHub  # noqa: E402

AT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
AUTHOR = "selfimprover <selfimprover@localhost>"


@dataclass(frozen=True)
class Cost:
    """One pull request."""

    calls: int
    up: int
    down: int
    seconds: float


async def publish(hub: FakeGitHub, forge: GitHubForge, edits: Sequence[Edit], number: int) -> Cost:
    """Pushes and opens one fix, as a night does."""
    base = await forge.base_commit()
    finding = f"{number:012x}"
    branch = f"selfimprover/fix-{finding}"
    hub.log.clear()
    began = time.perf_counter()
    head = await forge.push(_commit(branch, base, edits))
    await forge.open(
        Proposal(
            finding_id=finding,
            fingerprints=(finding + "0000",),
            branch=branch,
            head_commit=head,
            title="Fix it",
            body=f"Because.\n\n<!-- selfimprover finding={finding} fingerprints={finding}0000 -->\n",
            draft=True,
            checks=ChecksState.PASSING,
            opened_at=AT,
        )
    )
    return Cost(len(hub.log), hub.log.bytes_up(), hub.log.bytes_down(), time.perf_counter() - began)


def _commit(branch: str, base: str, edits: Sequence[Edit]) -> Commit:
    return Commit(branch=branch, base_commit=base, edits=tuple(edits), message="Fix it\n", author=AUTHOR, date=AT)


async def measure(files: int, rounds: int) -> list[Cost]:
    """Several fixes of so many files each, in a repository of a thousand files."""
    tree = {f"package_{number % 20}/module_{number}.py": f"value = {number}\n" * 20 for number in range(1000)}
    with FakeGitHub() as hub, tempfile.TemporaryDirectory() as folder:
        hub.repository("octo/app", tree)
        async with GitHub(hub.url, TokenAuth(hub.token()), write_interval=0) as client:
            forge = GitHubForge(client, "octo/app", base="main", archives=Archives(Path(folder)), redact=str)
            costs = []
            for number in range(rounds):
                paths = list(tree)[number * files : (number + 1) * files]
                edits = [Edit(path, tree[path], tree[path] + "fixed = True\n") for path in paths]
                costs.append(await publish(hub, forge, edits, number))
    return costs


async def main(rounds: int) -> str:
    """The table."""
    lines = ["| fix | calls | bytes sent | bytes received | our time, ms |", "|---|---|---|---|---|"]
    for files in (1, 3):
        costs = await measure(files, rounds)
        name = f"{files} file{'s' * (files > 1)}"
        lines.append(_row(f"{name}, the first of a night", costs[:1]))
        lines.append(_row(f"{name}, each further one", costs[1:]))
    return "\n".join(lines)


def _row(name: str, costs: Sequence[Cost]) -> str:
    counts = [statistics.median(getattr(cost, what) for cost in costs) for what in ("calls", "up", "down")]
    milliseconds = 1000 * statistics.median(cost.seconds for cost in costs)
    return "| " + " | ".join([name, *(f"{number:.0f}" for number in (*counts, milliseconds))]) + " |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--findings", type=int, default=20, help="how many of each, two at least")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # nobody reads the logs of thousands of calls
    print(asyncio.run(main(parser.parse_args().findings)))
