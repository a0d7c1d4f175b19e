"""What the daemon costs while it waits for its night, beside a bare process that imports the same libraries.

Both are started in turn, several times. Measured from outside: the time from exec to READY=1, the resident memory a
while after it (the daemon has looked at every part by then), and the processor time of a minute of idling.

    python benchmarks/idle/run.py [--rounds 5] [--idle 60]
"""

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from selfimprover.demo.stage import Stage

HERE = Path(__file__).parent
SETTLE = 2.0
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """One run of one process."""

    ready: float
    """Seconds from exec to READY=1."""
    resident: float
    """MiB."""
    ticks: int
    """Clock ticks of processor time while idling."""
    switches: int
    """Times that it woke up while idling."""


def measure(command: list[str], folder: Path, idle: float) -> Measured:
    """Starts the command, waits for READY=1, lets it settle and idle, and ends it."""
    address = folder / "notify"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(address))
        began = time.monotonic()
        process = subprocess.Popen(
            command, env={**os.environ, "NOTIFY_SOCKET": str(address)}, stderr=subprocess.DEVNULL, cwd=folder
        )
        while b"READY=1" not in channel.recv(4096):
            pass
        ready = time.monotonic() - began
        time.sleep(SETTLE)
        before = _used(process.pid)
        time.sleep(idle)
        after = _used(process.pid)
        resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * PAGE / 2**20
        process.send_signal(signal.SIGTERM)
        process.wait()
    return Measured(ready, resident, after[0] - before[0], after[1] - before[1])


def _used(pid: int) -> tuple[int, int]:
    """Processor time in ticks, and voluntary context switches, of all threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    switches = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        status = (thread / "status").read_text()
        switches += int(status.split("voluntary_ctxt_switches:")[1].split()[0])
    return int(fields[11]) + int(fields[12]), switches


def waiting(folder: Path) -> Path:
    """The configuration of a project whose last night is too long ago to be caught up with."""
    stage = Stage(folder / "stage")
    stage.set()
    stage.database.touch()
    text = stage.config.read_text()
    hour = f"{datetime.now(UTC) - timedelta(hours=22):%H:%M}"
    stage.config.write_text(text.replace("[schedule]\n", f'[schedule]\nat = "{hour}"\n'))
    return stage.config


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=60.0)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="idle-"))
    try:
        config = waiting(folder)
        bare = [sys.executable, str(HERE / "bare.py")]
        daemon = [sys.executable, "-m", "selfimprover", "run", "--config", str(config)]
        runs: dict[str, list[Measured]] = {"bare": [], "daemon": []}
        for number in range(chosen.rounds + 1):
            for name, command in (("bare", bare), ("daemon", daemon)):
                idle = chosen.idle if number == chosen.rounds else 0.0
                made = measure(command, folder, idle)
                if number:  # the first one of each warms the disk's cache
                    runs[name].append(made)
                print(f"  {name}: {made}", file=sys.stderr)
    finally:
        shutil.rmtree(folder)
    print(_table(runs, chosen.idle))


def _table(runs: dict[str, list[Measured]], idle: float) -> str:
    ready = {name: statistics.median(run.ready for run in made) for name, made in runs.items()}
    resident = {name: statistics.median(run.resident for run in made) for name, made in runs.items()}
    last = {name: made[-1] for name, made in runs.items()}
    lines = ["| | bare | daemon | ratio |", "|---|---|---|---|"]
    for what, values in (("exec to READY, s", ready), ("resident before the first night, MiB", resident)):
        bare, daemon = values["bare"], values["daemon"]
        lines.append(f"| {what} (median of {len(runs['bare'])}) | {bare:.2f} | {daemon:.2f} | {daemon / bare:.2f} |")
    for what, field in (("clock ticks", "ticks"), ("wake-ups", "switches")):
        bare, daemon = getattr(last["bare"], field), getattr(last["daemon"], field)
        lines.append(f"| {what} in {idle:.0f} s of idling | {bare} | {daemon} | |")
    lines.append(f"\nA clock tick is {1000 // TICK} ms.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
