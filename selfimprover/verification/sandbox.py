"""Runs the test command. This version has no isolation: only ``none`` runs anything at all."""

import asyncio
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from selfimprover.errors import SelfImproverError

_SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_GRACE = 2.0
_PATIENCE = 10.0
FILE_LIMIT = 256 * 1024 * 1024


class Sandbox(StrEnum):
    """What the configuration may ask for."""

    AUTO = "auto"
    BWRAP = "bwrap"
    CONTAINER = "container"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use."""

    timeout: float
    """Seconds of wall time."""
    memory: int | None = None
    """Bytes of memory a process."""
    file_size: int = FILE_LIMIT
    """Bytes that any one file of the run, its output too, may grow to."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended; ``status`` is its exit status as a shell tells it, ``None`` if its time ran out."""

    status: int | None
    seconds: float


def environment(expose: Sequence[Path], scratch: Path, report: Path) -> dict[str, str]:
    """The whole environment of the test command: nothing of our own gets in."""
    return {
        "PATH": os.pathsep.join([*(str(folder / "bin") for folder in expose), *_SYSTEM_PATH]),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SELFIMPROVER_JUNIT": str(report),
        "PYTEST_ADDOPTS": shlex.quote(f"--junitxml={report}"),
    }


async def run(command: str, folder: Path, env: Mapping[str, str], output: Path, limits: Limits) -> Ending:
    """Runs ``command`` by ``/bin/sh -c`` in ``folder``; whatever it started has ended when this returns.

    What it prints goes to the file ``output``. When the time runs out, or this is cancelled, the whole tree is ended.
    """
    started = time.monotonic()
    process = _start(command, folder, env, output, limits)
    waiting = asyncio.ensure_future(asyncio.to_thread(process.wait))
    try:
        finished, _ = await asyncio.wait({waiting}, timeout=limits.timeout)
    finally:
        if not waiting.done():
            process.terminate()
            await asyncio.wait({waiting}, timeout=_GRACE + _PATIENCE)
        if not waiting.done():
            process.kill()
    return Ending(waiting.result() if finished else None, time.monotonic() - started)


def _start(command: str, folder: Path, env: Mapping[str, str], output: Path, limits: Limits) -> subprocess.Popen[bytes]:
    supervisor = Path(__file__).with_name("supervisor.py")
    settings = (os.getpid(), _GRACE, limits.file_size, limits.memory or 0)
    arguments = [sys.executable, "-I", "-S", str(supervisor), *map(str, settings), command]
    try:
        with output.open("ab") as file:
            return subprocess.Popen(
                arguments,
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise SelfImproverError(f"the tests cannot be started: {error.strerror}", where=str(folder)) from error
