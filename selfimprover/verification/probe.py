"""Proves a sandbox before anything is run in it, by what is seen from outside, never by an exit code.

The targets are real: sockets that listen, files and a process with secrets in them. A program inside goes for each.
What arrived, what was written, what still runs is seen here. An attempt that was not made counts as one that worked.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfimprover.errors import SelfImproverError
from selfimprover.verification.sandbox import Ending, Job, Limits, Sandbox

_PROGRAM = Path(__file__).with_name("probe_inside.py")
_MIB = 1 << 20
_MEMORY = 192 * _MIB
_ALONE, _SHARE = 384 * _MIB, 96 * _MIB
"""What one process tries to hold, and each of four: more than all may together, and less than one may."""
_PROCESSES = 24
_TRIED = 3 * _PROCESSES
_LONGEST, _LONGER, _SHORT = 20.0, 3.0, 0.4
_PATIENCE = 0.08
_SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock")
_SYSTEM = ("/etc/shadow", "/proc/1/environ", "/proc/1/root/etc/shadow")
_HOME_FILES = 30
_NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Probed:
    """One line of the proof."""

    name: str
    held: bool
    detail: str


async def probe(sandbox: Sandbox, python: str, readable: tuple[Path, ...]) -> tuple[Probed, ...]:
    """Tries everything. ``python`` runs inside, where ``readable`` makes it available."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="selfimprover-probe-"))
    try:
        with _Outside.made(folder) as outside:
            runner = _Runner(sandbox, python, readable, folder)
            first, together, last = await asyncio.gather(
                runner.run("attempts", json.dumps(outside.targets())),
                runner.run("share", str(_SHARE)),
                _staying(runner, folder / "stay"),
            )
            results = await asyncio.to_thread(_results, folder / "attempts")
            if results is None:
                return (Probed("start", held=False, detail=_no_start(folder / "attempts.out", first)),)
            shared = _together(folder / "share", together)
            return (*outside.judge(results), _processes(results, first), shared, last)
    except SelfImproverError as error:
        return (Probed("start", held=False, detail=error.what),)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


class _Runner:
    """Runs the program inside, each time in a folder of its own."""

    def __init__(self, sandbox: Sandbox, python: str, readable: tuple[Path, ...], folder: Path) -> None:
        self._sandbox = sandbox
        self._python = python
        self._folder = folder
        self._code = folder / "code"
        self._code.mkdir()
        shutil.copy(_PROGRAM, self._code)
        self._readable = (*readable, self._code)

    async def run(self, *arguments: str, timeout: float = _LONGEST) -> Ending:  # noqa: ASYNC109 - of the job, not ours
        place = self._folder / arguments[0]
        place.mkdir(exist_ok=True)
        command = [self._python, "-I", "-S", str(self._code / _PROGRAM.name), *arguments]
        job = Job(
            command=shlex.join(command),
            folder=place,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(place), "LANG": "C.UTF-8"},
            output=self._folder / f"{arguments[0]}.out",
            writable=(place,),
            readable=self._readable,
        )
        limits = Limits(timeout=timeout, memory=_MEMORY, processes=_PROCESSES, workspace=64 * _MIB)
        return await self._sandbox.run(job, limits)


@dataclass(frozen=True)
class _Outside:
    """Everything that must not be reached, and whether it was."""

    folder: Path
    canary: str
    tcp: socket.socket
    udp: socket.socket
    abstract: socket.socket
    path: socket.socket
    neighbour: "subprocess.Popen[bytes]"

    @classmethod
    @contextlib.contextmanager
    def made(cls, folder: Path) -> "Iterator[_Outside]":
        """In ``folder``, where nothing but the sandbox keeps anybody out."""
        folder.chmod(0o755)
        place = folder / "outside"
        place.mkdir()
        place.chmod(0o777)
        canary = secrets.token_hex(16)
        (place / "secret").write_text(canary)
        with contextlib.ExitStack() as stack:
            tcp, abstract, path = (
                stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                for family in (socket.AF_INET, socket.AF_UNIX, socket.AF_UNIX)
            )
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            tcp.bind(("127.0.0.1", 0))
            udp.bind(("127.0.0.1", 0))
            abstract.bind(f"\0selfimprover-{canary[:12]}")
            path.bind(str(place / "socket"))
            (place / "socket").chmod(0o777)
            for one in (tcp, abstract, path):
                one.listen()
            for one in (tcp, udp, abstract, path):
                one.setblocking(False)
            environment = {"SELFIMPROVER_CANARY": canary, "PATH": os.defpath}
            neighbour = stack.enter_context(subprocess.Popen(["sleep", "60"], env=environment))
            stack.callback(neighbour.kill)
            yield cls(place, canary, tcp, udp, abstract, path, neighbour)

    def targets(self) -> Mapping[str, object]:
        """What the program inside needs to know: never the secret itself."""
        return {
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "abstract": self.abstract.getsockname()[1:].decode(),
            "sockets": [str(self.folder / "socket"), *_SOCKETS],
            "writes": self.writes(),
            "reads": [str(self.folder / "secret"), *_SYSTEM, *_files_at_home()],
            "pid": self.neighbour.pid,
            "memory": _ALONE,
            "processes": _TRIED,
        }

    def writes(self) -> list[str]:
        """Files that must not come into being: beside what is mounted, and in what is mounted read-only."""
        return [str(self.folder / "new"), str(self.folder.parent / "code" / "new")]

    def judge(self, results: Mapping[str, Any]) -> Iterator[Probed]:
        """What came of each attempt."""
        said = _Said(results)
        yield _line("network, TCP", said.text("tcp"), arrived=_arrived(self.tcp))
        yield _line("network, UDP", said.text("udp"), arrived=_arrived(self.udp), harmless=("sent",))
        yield _line("abstract sockets", said.text("abstract"), arrived=_arrived(self.abstract))
        connected = [path for path, came in said.each("sockets") if came == "connected"]
        yield _absent("sockets in the file system", connected, arrived=_arrived(self.path), tried="sockets" in results)
        written = [path for path in self.writes() if Path(path).exists()]
        yield _absent("writes outside", written, arrived=False, tried="writes" in results)
        read = [path for path, came in said.each("reads") if came.startswith("read: ") and _is_ours(path, came)]
        known = self.canary in json.dumps(results.get("reads"))
        yield _absent("secrets in files", read, arrived=known, tried="reads" in results)
        seen = results.get("environments", [])
        yield _absent("environment of others", seen and ["a secret"], arrived=False, tried="environments" in results)
        yield _line("signals to others", said.text("signal"), arrived=self.neighbour.poll() is not None)
        for name, key in (
            ("nested namespaces", "namespace"),
            ("ptrace", "ptrace"),
            ("memory of one process", "memory"),
        ):
            yield _line(name, said.text(key), arrived=False)


def _files_at_home() -> list[str]:
    """Files of our own home: their names are enough to see whether they can be opened."""
    with contextlib.suppress(OSError, RuntimeError):
        return [entry.path for entry in os.scandir(Path.home()) if entry.is_file()][:_HOME_FILES]
    return []


def _is_ours(path: str, said: str) -> bool:
    """Whether what was read there is what we have there: a sandbox may well have a file of its own under that path."""
    with contextlib.suppress(OSError), Path(path).open("rb") as file:
        return said == "read: " + file.read(64).decode("latin-1")
    return False


def _arrived(listening: socket.socket) -> bool:
    try:
        if listening.type == socket.SOCK_DGRAM:
            listening.recv(16)
        else:
            listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


class _Said:
    """What the program inside said, which may be less than it was asked."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._results = results

    def text(self, name: str) -> str:
        return str(self._results.get(name, _NOT_TRIED))

    def each(self, name: str) -> list[tuple[str, str]]:
        return [(str(one), str(came)) for one, came in dict(self._results.get(name, {})).items()]


def _line(name: str, said: str, *, arrived: bool, harmless: tuple[str, ...] = ()) -> Probed:
    """An attempt that has to be refused inside, and must not be seen outside."""
    held = not arrived and said.startswith(("refused", "no such process", *harmless))
    if said in harmless and held:
        said = "nothing arrived"
    return Probed(name, held=held, detail=f"{said}, and seen from outside" if arrived else said)


def _absent(name: str, reached: list[str], *, arrived: bool, tried: bool) -> Probed:
    if not tried:
        return Probed(name, held=False, detail=_NOT_TRIED)
    held = not reached and not arrived
    return Probed(
        name, held=held, detail="refused" if held else f"reached: {', '.join(reached) or 'seen from outside'}"
    )


def _processes(results: Mapping[str, Any], ending: Ending) -> Probed:
    count = results.get("processes")
    if count is None:  # the last attempt: whoever makes too many may be ended as a whole
        return Probed("processes", held=ending.why == "processes", detail=f"ended: {ending.why or _NOT_TRIED}")
    return Probed("processes", held=0 < count <= _PROCESSES, detail=f"{count} of {_TRIED} could be started")


def _together(place: Path, ending: Ending) -> Probed:
    if (place / "together").exists():
        return Probed("memory together", held=False, detail=f"4 times {_SHARE // _MIB} MB were held at once")
    began = (place / "began").exists()
    return Probed(
        "memory together", held=began, detail=f"ended: {ending.why or ending.status}" if began else _NOT_TRIED
    )


async def _staying(runner: _Runner, place: Path) -> Probed:
    """What lives when the time of a run is over. A runner that needs longer to start gets longer."""
    for timeout in (_SHORT, _LONGER):
        ending = await runner.run("stay", timeout=timeout)
        beats = await _alive(place)
        if beats[0]:
            break
    return _dead(beats, ending)


async def _alive(place: Path) -> tuple[int, int]:
    """How many processes showed that they lived, and how many still do."""
    before = await asyncio.to_thread(_beats, place)
    await asyncio.sleep(_PATIENCE)
    after = await asyncio.to_thread(_beats, place)
    return len(before), sum(after[path] != text for path, text in before.items())


def _beats(place: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in place.glob("beat-*")}


def _dead(beats: tuple[int, int], ending: Ending) -> Probed:
    lived, living = beats
    held = lived >= 2 and not living and ending.status is None  # noqa: PLR2004 - the process, and its orphan
    return Probed("after the time is over", held=held, detail=f"{living} of {lived} processes live")


def _results(place: Path) -> Mapping[str, Any] | None:
    try:
        return dict(json.loads((place / "results").read_text()))
    except (OSError, ValueError):
        return None


def _no_start(output: Path, ending: Ending) -> str:
    said = output.read_text(errors="replace").strip().splitlines() if output.exists() else []
    return (said[-1][:200] if said else f"exit status {ending.status} {ending.why}").strip()
