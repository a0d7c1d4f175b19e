"""Ways out of a sandbox, each tried from inside and looked at from outside. Each tells what got out, or nothing.

An attack that did not even run counts as an escape: every program says ``tried`` last.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selfimprover.verification.sandbox import Ending, Job, Limits, Sandbox

SECRET = "the-secret-of-another"
MIB = 1 << 20


@dataclass(frozen=True)
class Place:
    """A workspace, what a sandbox shows read-only, and what lies outside with nothing but the sandbox before it."""

    sandbox: Sandbox
    python: str
    shown: tuple[Path, ...]
    root: Path

    @property
    def inside(self) -> Path:
        return self.root / "inside"

    @property
    def readable(self) -> Path:
        return self.root / "readable"

    @property
    def outside(self) -> Path:
        return self.root / "outside"

    @property
    def output(self) -> Path:
        return self.root / "output"

    async def run(self, code: str, **limits: float) -> tuple[Ending, str]:
        """Runs a Python program inside; the paths are in its global names."""
        paths = {name: str(getattr(self, name)) for name in ("inside", "readable", "outside")}
        head = "import ctypes, errno, fcntl, json, os, signal, socket, subprocess, sys, time\n"
        (self.inside / "attack.py").write_text(head + "".join(f"{k} = {v!r}\n" for k, v in paths.items()) + code)
        return await self.shell(f"{self.python} -I -S {self.inside}/attack.py", **limits)

    async def shell(self, command: str, **limits: float) -> tuple[Ending, str]:
        """Runs a shell command inside."""
        self.output.unlink(missing_ok=True)
        job = Job(
            command=command,
            folder=self.inside,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.inside), "LANG": "C.UTF-8"},
            output=self.output,
            writable=(self.inside,),
            readable=(*self.shown, self.readable),
        )
        most = Limits(**{"timeout": 20.0, "memory": 256 * MIB, **limits})  # type: ignore[arg-type]
        ending = await self.sandbox.run(job, most)
        return ending, self.output.read_text(errors="replace")[-20_000:]


@contextmanager
def place(sandbox: Sandbox, python: str, shown: tuple[Path, ...]) -> Iterator[Place]:
    """Everything is open to every user of this machine."""
    holder = tempfile.TemporaryDirectory(prefix="sandbox-test-")
    root = Path(holder.name)
    made = Place(sandbox, python, shown, root)
    for folder in (made.inside, made.readable, made.outside):
        folder.mkdir()
        folder.chmod(0o777)
    root.chmod(0o755)
    for folder in (made.readable, made.outside):
        (folder / "file").write_text(SECRET if folder == made.outside else "shown")
        (folder / "file").chmod(0o666)
    try:
        yield made
    finally:
        holder.cleanup()  # whatever a job left there, it has to be removable


def files(folder: Path) -> dict[str, str]:
    return {str(one.relative_to(folder)): one.read_text() for one in sorted(folder.rglob("*")) if one.is_file()}


Attack = Callable[[Place], Awaitable[str]]


def _tried(printed: str) -> str:
    return "" if printed.rstrip().endswith("tried") else f"was not tried: {printed[-300:]}"


async def symbolic_links(place: Place) -> str:
    _, printed = await place.run("""
os.symlink(outside + "/file", "link")
os.symlink(outside, "folder")
for path in ("link", "folder/file", "../outside/file"):
    for mode in ("r", "w"):
        try:
            with open(path, mode) as file:
                print(file.read() if mode == "r" else file.write("changed"))
        except OSError:
            pass
print("tried")
""")
    if SECRET in printed or files(place.outside) != {"file": SECRET}:
        return "a link led outside"
    return _tried(printed)


async def proc_roots(place: Place) -> str:
    _, printed = await place.run("""
for entry in os.listdir("/proc"):
    for way in ("root" + outside, "cwd" + "/../" * 20 + outside):
        try:
            print(open(f"/proc/{entry}/{way}/file").read())
        except OSError:
            pass
print("tried")
""")
    return "a secret by /proc" if SECRET in printed else _tried(printed)


async def environments(place: Place) -> str:
    other = await asyncio.create_subprocess_exec("/bin/sleep", "60", env={"KEY": SECRET})
    try:
        _, printed = await place.run("""
for entry in os.listdir("/proc"):
    for name in ("environ", "cmdline"):
        try:
            for one in open(f"/proc/{entry}/{name}", errors="replace").read().split("\\0"):
                if one.startswith("KEY="):
                    print(one)
        except OSError:
            pass
print("tried")
""")
    finally:
        other.kill()
        await other.wait()
    return "another's environment" if SECRET in printed else _tried(printed)


async def writes_to_readable(place: Place) -> str:
    before = files(place.readable)
    _, printed = await place.run("""
def attempt(action, *arguments):
    try:
        action(*arguments)
    except OSError:
        pass
MS_REMOUNT_BIND = 32 | 4096
attempt(ctypes.CDLL(None).mount, None, readable.encode(), None, MS_REMOUNT_BIND, None)
attempt(os.chmod, readable, 0o777)
attempt(os.link, readable + "/file", inside + "/linked")
attempt(os.rename, readable + "/file", readable + "/renamed")
attempt(os.unlink, readable + "/file")
for path in (readable + "/file", readable + "/code.pth", readable + "/sitecustomize.py", inside + "/linked"):
    attempt(lambda: open(path, "w").write("import os; os.system('id')"))
print("tried")
""")
    return "a read-only folder was changed" if files(place.readable) != before else _tried(printed)


async def a_repository_outside(place: Place) -> str:
    """Git runs what its folder says: fsmonitor, hooks, filters."""
    repository = place.outside / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@t"]
    await asyncio.to_thread(subprocess.run, ["git", "init", "-q", str(repository)], check=True)
    await asyncio.to_thread(subprocess.run, ["chmod", "-R", "a+rwX", str(repository)], check=True)
    _, printed = await place.run("""
git = outside + "/repository/.git"
mark = outside + "/marked"
for path, text, mode in (
    (git + "/hooks/pre-commit", f"#!/bin/sh\\ntouch {mark}\\n", 0o777),
    (git + "/config", f"[core]\\nfsmonitor = touch {mark}\\n[filter \\"f\\"]\\nclean = touch {mark}\\n", 0o666),
    (outside + "/repository/.gitattributes", "* filter=f\\n", 0o666),
):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(text)
        os.chmod(path, mode)
    except OSError:
        pass
print("tried")
""")
    (repository / "new").write_text("new")
    for command in (["status"], ["add", "."], ["commit", "-qm", "new", "--allow-empty"]):
        await asyncio.to_thread(subprocess.run, [*git, *command], check=False, capture_output=True)
    return "git ran what was planted" if (place.outside / "marked").exists() else _tried(printed)


async def privileges(place: Place) -> str:
    """No capability, and no program that gives any."""
    _, printed = await place.run("""
said = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({name: said[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "NoNewPrivs", "Seccomp")}))
print("tried")
""")
    first = printed.splitlines()[0] if printed.startswith("{") else "{}"
    said = {name: int(value, 16) for name, value in json.loads(first).items()}
    expected = {"CapEff": 0, "CapPrm": 0, "CapInh": 0, "CapAmb": 0, "NoNewPrivs": 1, "Seccomp": 2}
    return f"it may: {said}" if said != expected else _tried(printed)


async def devices(place: Place) -> str:
    """Nothing but what programs need: no disk, no memory, no log of the kernel; and none can be made."""
    _, printed = await place.run("""
import stat
found = []
for folder, _, names in os.walk("/dev"):
    for name in names:
        held = os.lstat(os.path.join(folder, name))
        if stat.S_ISBLK(held.st_mode) or stat.S_ISCHR(held.st_mode):
            found.append(name)
try:
    os.mknod("disk", 0o666 | stat.S_IFBLK, os.makedev(254, 0))
    found.append("made one")
except OSError:
    pass
known = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
print(json.dumps(sorted(set(found) - known)))
print("tried")
""")
    return f"devices: {printed}" if not printed.startswith("[]") else _tried(printed)


async def terminals(place: Place) -> str:
    """Nobody types into a terminal, neither ours nor one of its own."""
    _, printed = await place.run("""
def attempt(name, opened):
    try:
        fcntl.ioctl(opened(), 0x5412, b"x")
        print(name, "typed", flush=True)
    except OSError as error:
        print(name, errno.errorcode[error.errno], flush=True)
def own():
    terminal = os.openpty()[1]
    fcntl.ioctl(terminal, 0x540E, 0)
    return terminal
child = os.fork()
if child == 0:
    os.setsid()
    attempt("own", own)
    os._exit(0)
os.waitpid(child, 0)
attempt("tty", lambda: os.open("/dev/tty", os.O_RDWR))
attempt("input", lambda: 0)
attempt("output", lambda: 1)
print("tried")
""")
    refused = "own EPERM" in printed and "typed" not in printed
    return _tried(printed) if refused else f"it could type: {printed}"


async def system_calls(place: Place) -> str:
    """Kernel keys, kernel programs, rings, handles, foreign mounts, sockets to the hypervisor: refused, all of them."""
    numbers = {"keyctl": (250, 219), "bpf": (321, 280), "io_uring_setup": (425, 425), "userfaultfd": (323, 282)}
    numbers |= {"unshare": (272, 97), "mount": (165, 40), "setns": (308, 268), "ptrace": (101, 117)}
    numbers |= {"process_vm_readv": (310, 270), "perf_event_open": (298, 241), "open_tree": (428, 428)}
    _, printed = await place.run(f"""
libc = ctypes.CDLL(None, use_errno=True)
column = 0 if os.uname().machine == "x86_64" else 1
for name, numbers in {numbers!r}.items():
    ctypes.set_errno(0)
    if libc.syscall(numbers[column], 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM:
        print("got", name, errno.errorcode.get(ctypes.get_errno()))
for family in (socket.AF_VSOCK, socket.AF_ALG, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_RAW if family == socket.AF_PACKET else socket.SOCK_STREAM)
        print("got", family)
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT:
            print("got", family, error)
print("tried")
""")
    return f"allowed: {printed}" if "got" in printed else _tried(printed)


ESCAPES: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        *(symbolic_links, proc_roots, environments, writes_to_readable, a_repository_outside),
        *(privileges, devices, terminals, system_calls),
    )
}
"""What a bare run lets through, every one."""


def lives(folder: Path) -> bool:
    """Whether something still changes the files ``beat-…`` in ``folder``."""
    before = {one: one.read_text() for one in folder.glob("beat-*")}
    assert before, "nothing ever lived"
    time.sleep(0.15)
    return any(one.read_text() != text for one, text in before.items())


BEATING = """
def beat():
    count = 0
    while True:
        count += 1
        with open(f"beat-{os.getpid()}", "w") as file:
            file.write(str(count))
        time.sleep(0.01)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
"""
DAEMONS = (
    BEATING
    + """
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 100)
    beat()
if os.fork() == 0:
    beat()
"""
)


async def beating(folder: Path) -> None:
    """All three processes of ``DAEMONS`` and ``beat()`` live."""
    assert await asyncio.to_thread(_beat, folder, time.monotonic() + 20)


def _beat(folder: Path, until: float) -> bool:
    while len(list(folder.glob("beat-*"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    return len(list(folder.glob("beat-*"))) == 3


def ends(folder: Path) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not lives(folder):
            return True
    return False
