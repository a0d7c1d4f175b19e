"""The seam between the checks and what isolates the code that they run."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

_SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_MIB = 1 << 20
FILE_LIMIT = 256 * _MIB


class Kind(StrEnum):
    """What the configuration may ask for."""

    AUTO = "auto"
    BWRAP = "bwrap"
    CONTAINER = "container"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. ``docs/sandbox.md`` tells what holds each."""

    timeout: float
    """Seconds of wall time."""
    memory: int | None = None
    """Bytes of memory of all its processes together, and of each."""
    file_size: int = FILE_LIMIT
    """Bytes that any one file of the run, its output too, may grow to."""
    processes: int = 512
    """Processes and threads at once."""
    cpu: float | None = None
    """Seconds of processor time of one process; ``None``: what all cores could give it in its wall time."""
    open_files: int = 4096
    """Files that one process may have open."""
    workspace: int | None = 4096 * _MIB
    """Bytes that the writable folders may hold in all, the copy of the project included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command and what it gets to see."""

    command: str
    """Run by ``/bin/sh -c``."""
    folder: Path
    """Its working directory: one of ``writable``, or beneath one."""
    env: Mapping[str, str]
    """Its whole environment."""
    output: Path
    """The file that takes what it prints; outside of everything that it can write to."""
    writable: tuple[Path, ...]
    """Folders that it sees under their own path, and may write to."""
    readable: tuple[Path, ...] = ()
    """Folders that it sees under their own path, read-only; ``interpreters.exposed`` completes virtual environments."""
    network: bool = False
    """Whether it may use the network. Only the set-up of dependencies ever does."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended; ``status`` is its exit status as a shell tells it, ``None`` if its time ran out."""

    status: int | None
    seconds: float
    why: str = ""
    """The limit that ended it, where one is known to have: memory, processes, file size, output, workspace size …"""


class Sandbox(Protocol):
    """Runs jobs. Raises ``SelfImproverError`` if one cannot be started."""

    name: str
    """Goes into verdicts and pull requests: bubblewrap, podman, docker, none."""

    def key(self) -> str:
        """Names everything about it that a verdict depends on."""
        ...

    async def run(self, job: Job, limits: Limits) -> Ending:
        """Runs the job; whatever it started has ended when this returns, or is cancelled."""
        ...


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
