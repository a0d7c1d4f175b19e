"""Starts the supervisor for one run, waits for it, and ends it in time."""

import asyncio
import itertools
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from selfimprover.errors import SelfImproverError
from selfimprover.verification.cgroups import PREFIX
from selfimprover.verification.orders import Orders, read_account
from selfimprover.verification.sandbox import Ending, Limits

UNPRIVILEGED = 60900
"""A uid of no account and of no service: systemd's list of uids leaves 60578 to 61183 unused."""
_PATIENCE = 30.0
_ROOT = Path(__file__).parents[2]
_PROGRAM = (
    f"import sys; sys.path.append({str(_ROOT)!r}); "
    "from selfimprover.verification.supervisor import main; sys.exit(main(int(sys.argv[1])))"
)
_numbers = itertools.count(1)
_BY_SIGNAL = {128 + 25: "file size", 128 + 24: "processor time"}
"""How a shell tells the end by SIGXFSZ and SIGXCPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One command as the kernel starts it, and what the supervisor does around it."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    output: Path
    watched: tuple[Path, ...]
    """Folders that count for the limit on the workspace."""
    grace: float = 0.0
    fds: tuple[int, ...] = ()
    """Open files that the command inherits."""
    uid: int = 0
    """Whom it runs as; 0: as ourselves."""
    owner: int = 0
    """Who gets the watched folders; 0: they stay ours."""
    sources: tuple[Path, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    afterwards: tuple[str, ...] = ()
    limit_processes: bool = True
    """Whether processes are to be counted; not where something else holds them."""
    engine: bool = False
    """Whether the command asks an engine to run the job: its own limits are then no limits of the job's."""


async def supervise(launch: Launch, limits: Limits) -> Ending:
    """Runs it; whatever it started has ended when this returns or is cancelled."""
    started = time.monotonic()
    report = os.memfd_create("orders")
    try:
        os.pwrite(report, _orders(launch, limits).dump(), 0)
        process = _start(launch, report)
        waiting = asyncio.ensure_future(asyncio.to_thread(process.wait))
        try:
            finished, _ = await asyncio.wait({waiting}, timeout=limits.timeout)
        finally:
            if not waiting.done():
                process.terminate()
                await asyncio.wait({waiting}, timeout=launch.grace + _PATIENCE)
            if not waiting.done():
                process.kill()
        seconds = time.monotonic() - started
        if not finished:
            return Ending(None, seconds)
        why, fault = _account(report, launch)
        if fault:
            raise SelfImproverError(f"the command cannot be started: {fault}", where=str(launch.folder))
        status = waiting.result()
        return Ending(status, seconds, why or _told_by(status, launch.output, limits))
    finally:
        os.close(report)


def _orders(launch: Launch, limits: Limits) -> Orders:
    return Orders(
        parent=os.getpid(),
        argv=list(launch.argv),
        grace=launch.grace,
        rlimits=_rlimits(limits)[:2] if launch.engine else _rlimits(limits),
        group_name=f"{PREFIX}{os.getpid()}-{next(_numbers)}",
        groups=dict(launch.groups),
        memory=0 if launch.engine else limits.memory or 0,
        processes=limits.processes if launch.limit_processes and not launch.engine else 0,
        watched=[str(folder) for folder in launch.watched],
        workspace=limits.workspace or 0,
        uid=launch.uid,
        owner=launch.owner,
        sources=[str(source) for source in launch.sources],
        afterwards=list(launch.afterwards),
    )


def _rlimits(limits: Limits) -> list[tuple[int, int]]:
    cpu = limits.cpu or limits.timeout * (os.cpu_count() or 1)
    chosen = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CPU, math.ceil(cpu) + 1),
    ]
    if limits.memory:  # not RLIMIT_AS: that breaks runtimes that reserve what they never use
        chosen.append((resource.RLIMIT_DATA, limits.memory))
    return chosen


def _start(launch: Launch, report: int) -> subprocess.Popen[bytes]:
    try:
        with launch.output.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(report)],
                cwd=launch.folder,
                env=dict(launch.env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(report, *launch.fds),
            )
    except OSError as error:
        reason = error.strerror or str(error)
        raise SelfImproverError(f"the command cannot be started: {reason}", where=str(launch.folder)) from error


def _account(report: int, launch: Launch) -> tuple[str, str]:
    try:
        return read_account(os.pread(report, os.fstat(report).st_size, 0))
    except (ValueError, TypeError, EOFError) as error:  # still our own orders: it was ended before it could answer
        raise SelfImproverError("what watches over the command was ended", where=str(launch.folder)) from error


def _told_by(status: int, output: Path, limits: Limits) -> str:
    if status and output.stat().st_size >= limits.file_size:
        return "output"
    return _BY_SIGNAL.get(status, "")
