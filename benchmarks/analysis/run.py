"""What a night's analysis costs on large telemetry, beside the two plain queries that it replaces, in one run.

The contenders take turns, each in a process of its own, and the best of the rounds counts. All of them work on the same
file without any index, which was read as a whole just before (its pages are in the memory of the system).

    python benchmarks/analysis/run.py [--folder DIR] [--rows 10000000] [--rounds 3] [--file FILE]

10,000,000 rows need 4 GB beneath the folder (default: the temporary one); what was made there is deleted at the end.
"""

import argparse
import asyncio
import importlib
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from generate import END, write
from meter import Meter, Result

DAYS = 90
BYTES_PER_ROW = 420
DAY = END.date().isoformat()
AS_WRITTEN = (
    "SELECT status, COUNT(*) FROM tasks WHERE date(created_at) = date(:day) GROUP BY status",
    (
        "SELECT error, COUNT(*) AS count FROM tasks WHERE date(created_at) >= date(:day, '-7 days') "
        "AND status = 'failed' GROUP BY error ORDER BY count DESC"
    ),
)
SARGABLE = tuple(
    query.replace("date(created_at) =", "created_at >=").replace("date(created_at)", "created_at")
    for query in AS_WRITTEN
)
PLAIN = {"the two queries as written": AS_WRITTEN, "the two queries, sargable": SARGABLE}
OURS = {
    "whole night, dry run": "whole_night",
    "reading alone, 7 days": "seven_days",
    "reading alone, 1 day": "one_day",
    "texts": "texts",
}


def queries(path: Path, statements: Iterable[str]) -> Result:
    """Plain statements in the sqlite3 module, answers fetched as a whole."""
    meter = Meter()
    with closing(sqlite3.connect(path)) as connection:
        answers = [connection.execute(statement, {"day": DAY}).fetchall() for statement in statements]
    return meter.result(answers=sum(map(len, answers)))


def child(name: str, path: Path) -> None:
    """Runs one contender and prints its result."""
    if name in PLAIN:
        result = queries(path, PLAIN[name])
    else:  # imported by the children that need it alone: its modules take memory
        ours = importlib.import_module("ours")
        result = asyncio.run(getattr(ours, OURS[name])(path))
    print(json.dumps(result))


def measured(name: str, path: Path) -> Result:
    """One contender in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--file", str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    answer: Result = json.loads(done.stdout.splitlines()[-1])
    return answer


def best(names: Iterable[str], path: Path, rounds: int) -> dict[str, Result]:
    """The least of each measure, over rounds in which all take turns."""
    results: dict[str, list[Result]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, so_far in results.items():
            so_far.append(measured(name, path))
    return {name: {key: min(one[key] for one in many) for key in many[0]} for name, many in results.items()}


def warm(path: Path) -> float:
    """Reads the file once, so that every contender finds it in memory; seconds."""
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 24):
            pass
    return time.perf_counter() - began


def compare(path: Path, rows: int, rounds: int) -> None:
    """The tables of one file."""
    print(f"\n{rows:,} rows, {path.stat().st_size / 1e9:.1f} GB, no index; read once in {warm(path):.1f} s\n")
    found = best([*PLAIN, *OURS], path, rounds)
    print("| | wall, s | CPU, s | million rows/s | peak RSS, MB | longest stall, ms |")
    print("|---|---|---|---|---|---|")
    for name in [*PLAIN, *OURS][:-1]:
        one = found[name]
        stall = f"{one['stall'] * 1000:.0f}" if one["stall"] else ""
        print(
            f"| {name} | {one['wall']:.2f} | {one['cpu']:.2f} | {rows / one['wall'] / 1e6:.1f} | {one['rss']:.0f}"
            f" | {stall} |"
        )
    night, week, text = found["whole night, dry run"], found["reading alone, 7 days"], found["texts"]
    print(f"\nOf the night, telemetry to findings: {night['analysis']:.2f} s; {night['findings']:.0f} findings.")
    print(
        f"Reading: {week['tasks']:,.0f} tasks counted in {week['counts_wall']:.2f} s; {week['failures']:,.0f} failures"
    )
    print(f"in {week['failures_wall']:.2f} s, {week['failures_cpu']:.2f} CPU s, without redaction.")
    print(f"Redaction of a distinct message: {text['redact_us']:.0f} µs ({text['messages']:,.0f}). Fingerprint of")
    print(
        f"a distinct failure: {text['message_us']:.0f} µs; of a row, with what is remembered: {text['row_us']:.0f} µs."
    )


def main() -> None:
    """Makes the files, prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the files are made; default: the temporary folder")
    parser.add_argument("--rows", type=int, default=10_000_000, help="over 90 days; beside a tenth of it over 9 days")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--own-tracebacks", action="store_true", help="each traceback ends with its own error text")
    parser.add_argument("--file", type=Path, help="measure this file of --rows rows alone")
    parser.add_argument("--child", choices=[*PLAIN, *OURS], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.file)
        return
    print(f"{platform.system()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, ", end="")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, best of {chosen.rounds}")
    if chosen.file:
        compare(chosen.file, chosen.rows, chosen.rounds)
        return
    with tempfile.TemporaryDirectory(dir=chosen.folder) as made:
        if shutil.disk_usage(made).free < chosen.rows * 1.1 * BYTES_PER_ROW:
            parser.error(f"{made} has no room for {chosen.rows * 1.1 * BYTES_PER_ROW / 1e9:.1f} GB; choose a --folder")
        for rows, days in ((chosen.rows // 10, DAYS / 10), (chosen.rows, DAYS)):
            path = Path(made) / f"{rows}.db"
            write(path, rows, days, own_tracebacks=chosen.own_tracebacks)
            compare(path, rows, chosen.rounds)


if __name__ == "__main__":
    main()
