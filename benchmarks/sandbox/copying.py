"""How long the copy of a project's files takes, beside ``cp -r`` and ``shutil.copytree``.

    python benchmarks/sandbox/copying.py [--files 10000] [--rounds 5] [--folder /where/the/state/lies]

The tree has files of 100 bytes to 30 kB in folders of fifty. Best and median of the rounds, which take turns.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from selfimprover.verification.copying import copy_tree  # noqa: E402

_IN_A_FOLDER = 50


def plant(folder: Path, files: int) -> int:
    """Writes the tree and returns its size in bytes."""
    dice, total = random.Random(1), 0  # noqa: S311 - the same tree each time
    for number in range(files):
        place = folder / f"part{number // _IN_A_FOLDER // 10}" / f"sub{number // _IN_A_FOLDER}"
        place.mkdir(parents=True, exist_ok=True)
        size = int(100 * 300 ** dice.random())
        (place / f"file{number}.py").write_bytes(dice.randbytes(size))
        total += size
    return total


def _cp(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)


def _copytree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True)


def _ours(source: Path, target: Path) -> None:
    copy_tree(source, target, without={".git"})


WAYS: Mapping[str, Callable[[Path, Path], None]] = {
    "selfimprover": _ours,
    "cp -r": _cp,
    "shutil.copytree": _copytree,
}


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of each copy, by way."""
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, copy in WAYS.items():
            target = folder / "copy"
            began = time.perf_counter()
            copy(folder / "tree", target)
            seconds[name].append(time.perf_counter() - began)
            shutil.rmtree(target)
    return seconds


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        size = plant(folder / "tree", options.files)
        seconds = measure(folder, options.rounds)
    print(f"{options.files} files, {size / 1e6:.0f} MB, {os.cpu_count()} cores\n")
    print("| way | best, ms | median, ms |\n|---|---|---|")
    for name, values in seconds.items():
        print(f"| {name} | {min(values) * 1000:.0f} | {statistics.median(values) * 1000:.0f} |")


if __name__ == "__main__":
    main()
