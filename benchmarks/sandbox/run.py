"""What a sandbox costs per run, beside a bare run of the same command. Both in turn, so that load hits both alike.

    .venv/bin/python benchmarks/sandbox/run.py [--rounds 40] [--image IMAGE]

Measured around ``Sandbox.run``: what the verifier waits. At the end, the probe that proves a sandbox each night.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from selfimprover.errors import SelfImproverError
from selfimprover.verification.bare import Bare
from selfimprover.verification.bubblewrap import Bubblewrap
from selfimprover.verification.container import Container
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.probe import probe
from selfimprover.verification.sandbox import Job, Limits, Sandbox

COMMANDS = {"true": "true", "python -c pass": f"{sys.executable} -c pass"}
SHOWN = exposed([Path(sys.prefix)])


async def once(sandbox: Sandbox, command: str, folder: Path) -> float:
    """Milliseconds of one run; raises if it did not end well."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    job = Job(
        command=command,
        folder=work,
        env={"PATH": "/usr/bin:/bin", "HOME": str(work)},
        output=folder / "output",
        writable=(work,),
        readable=() if isinstance(sandbox, Container) else SHOWN,
    )
    began = time.perf_counter()
    ending = await sandbox.run(job, Limits(timeout=60, memory=1 << 30))
    if ending.status:
        raise SystemExit(f"{sandbox.name}: {command} ended with {ending}: {job.output.read_text()}")
    return (time.perf_counter() - began) * 1000


def row(name: str, figures: list[float], bare: list[float]) -> str:
    """One line of the table."""
    extra = statistics.median(one - other for one, other in zip(figures, bare, strict=True))
    quarters = statistics.quantiles(figures, n=10)
    return f"| {name} | {statistics.median(figures):.1f} | {quarters[0]:.1f} | {quarters[-1]:.1f} | {extra:+.1f} |"


async def measure(sandboxes: list[Sandbox], rounds: int) -> None:
    """Prints a table for each command."""
    with tempfile.TemporaryDirectory() as place:
        for name, command in COMMANDS.items():
            figures: dict[str, list[float]] = {sandbox.name: [] for sandbox in sandboxes}
            chosen = {sandbox.name: command for sandbox in sandboxes}
            chosen |= {one.name: name.replace("python", "python3") for one in sandboxes if isinstance(one, Container)}
            for number in range(rounds + 2):
                for sandbox in sandboxes:
                    figure = await once(sandbox, chosen[sandbox.name], Path(place))
                    if number >= 2:  # noqa: PLR2004 - the first ones warm up
                        figures[sandbox.name].append(figure)
            print(f"\n`{name}`, ms:\n\n| | median | 10 % | 90 % | median of (it - bare) |\n|---|---|---|---|---|")
            for sandbox in sandboxes:
                print(row(sandbox.name, figures[sandbox.name], figures["none"]))


async def prove(sandboxes: list[Sandbox]) -> None:
    """Prints how long each takes to prove itself."""
    for sandbox in sandboxes[1:]:
        python = "python3" if isinstance(sandbox, Container) else sys.executable
        took = []
        for _ in range(5):
            began = time.perf_counter()
            probed = await probe(sandbox, python, () if isinstance(sandbox, Container) else SHOWN)
            took.append(time.perf_counter() - began)
        held = sum(line.held for line in probed)
        print(f"\nprobe of {sandbox.name}: {statistics.median(took):.2f} s, {held} of {len(probed)} held")


async def main() -> None:
    """Measures bare, bubblewrap and, with an image, podman."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--image", help="an image with python3 that podman has")
    options = parser.parse_args()
    sandboxes: list[Sandbox] = [Bare(), Bubblewrap()]
    try:
        sandboxes += [Container("podman", options.image)] if options.image else []
    except SelfImproverError as error:
        raise SystemExit(str(error)) from error
    await measure(sandboxes, options.rounds)
    await prove(sandboxes)


if __name__ == "__main__":
    asyncio.run(main())
