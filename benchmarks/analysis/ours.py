"""What is measured of selfimprover itself, built as a night builds it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from generate import END  # noqa: E402
from meter import Meter, Result, metered  # noqa: E402

from selfimprover.bootstrap import nights, open_app  # noqa: E402
from selfimprover.domain import TaskRecord, Window  # noqa: E402
from selfimprover.interfaces import TelemetrySource  # noqa: E402

CONFIG = """\
[state]
dir = "{state}"
[schedule]
timezone = "UTC"
[[projects]]
name = "assistant"
[projects.telemetry]
path = "{file}"
[projects.repository]
forge = "local"
path = "{repository}"
[projects.verify]
sandbox = "none"
"""
READING = {"read", "analyze"}


async def whole_night(path: Path) -> Result:
    """A dry run of a night: everything from the telemetry to findings, triage and the drafts of recipes."""
    steps: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        app = open_app(configuration(Path(folder), path))
        app.log(debug=False, quiet=True)
        async with metered() as meter:
            note = lambda step, _="": steps.append((step, time.perf_counter()))  # noqa: E731
            async with nights.night(app, dry_run=True, progress=note) as (night, _, _):
                report = await night.run(END, dry_run=True)
            note("end")
            result = meter.result(findings=len(report.findings))
    assert not report.errors, report.errors
    began = next(at for step, at in steps if step in READING)
    ended = next(at for step, at in steps if at > began and step not in READING)
    return result | {"analysis": ended - began}


async def reading(path: Path, days: int) -> Result:
    """The reading part alone: the counts of the days, and every failure of them as a record."""
    with tempfile.TemporaryDirectory() as folder:
        app = open_app(configuration(Path(folder), path))
        source = app.telemetry(app.projects()[0], str)  # type: ignore[arg-type]
        async with metered() as meter:
            counts = await source.task_counts(app.calendar.days(END, days))
            counted = time.perf_counter()
            failures = 0
            began = time.perf_counter(), time.process_time()
            async for batch in source.failures(app.calendar.last(END, days)):
                failures += len(batch)
            spent = time.perf_counter() - began[0], time.process_time() - began[1]
            result = meter.result(failures=failures, failures_wall=spent[0], failures_cpu=spent[1])
            tasks = sum(count.total() for count in counts)
            return result | {"tasks": tasks, "counts_wall": result["wall"] - (time.perf_counter() - counted)}


async def texts(path: Path) -> Result:
    """Redaction and fingerprints: for each distinct failure, and for each row with what is remembered."""
    with tempfile.TemporaryDirectory() as folder:
        app = open_app(configuration(Path(folder), path))
        rows = await records(app.telemetry(app.projects()[0], str), app.calendar.last(END, 7))  # type: ignore[arg-type]
        pairs = list(dict.fromkeys((row.error, row.traceback) for row in rows))
        messages = list(dict.fromkeys(row.error for row in rows if row.error))
        async with nights.night(app, dry_run=True) as (_, parts, _):
            meter = Meter()
            redacting = seconds(lambda: [parts.redact(message) for message in messages])
            distinct = seconds(lambda: [parts.fingerprinter.fingerprint(*pair) for pair in pairs])
            again = seconds(lambda: [parts.fingerprinter.fingerprint(row.error, row.traceback) for row in rows])
        return meter.result(
            redact_us=redacting / len(messages) * 1e6,
            message_us=distinct / len(pairs) * 1e6,
            row_us=(distinct + again) / len(rows) * 1e6,
            messages=len(messages),
            failures=len(rows),
        )


async def records(source: TelemetrySource, window: Window) -> list[TaskRecord]:
    """All failures of a window."""
    return [row async for batch in source.failures(window) for row in batch]


def seconds(work: Callable[[], object]) -> float:
    """How much CPU time it takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def configuration(folder: Path, path: Path) -> Path:
    """A configuration for the file, with a small repository."""
    repository = folder / "repository"
    (repository / "agent").mkdir(parents=True)
    (repository / "agent/mail.py").write_text("def poll():\n    return None\n")
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-qb", "main"), ("add", "."), (*settings, "commit", "-qm", "begin")):
        subprocess.run(["git", "-C", str(repository), *command], check=True)
    config = folder / "config.toml"
    config.write_text(CONFIG.format(state=folder / "state", file=path, repository=repository))
    return config


async def seven_days(path: Path) -> Result:
    """The reading of the error window."""
    return await reading(path, 7)


async def one_day(path: Path) -> Result:
    """The reading of a short window."""
    return await reading(path, 1)
