"""Bubblewrap: namespaces of its own, a file tree made from nothing, a filter of system calls.

Started by root, the job runs as a user that owns nothing: the kernel holds no limit on processes against root.
"""

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selfimprover.errors import SelfImproverError
from selfimprover.verification import cgroups, seccomp
from selfimprover.verification.sandbox import Ending, Job, Limits
from selfimprover.verification.supervision import UNPRIVILEGED, Launch, supervise

_INSIDE = "1000"
_SCRATCH = 256 << 20
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC = (
    *("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "os-release"),
    *("debian_version", "mime.types", "protocols", "services", "locale.alias", "fonts"),
    *("ssl/certs", "ssl/openssl.cnf", "ca-certificates", "pki/tls/certs", "pki/ca-trust/extracted", "crypto-policies"),
    *("python3", *(f"python3.{minor}" for minor in range(8, 21))),
    *(f"java-{major}-openjdk" for major in (11, 17, 21, 25)),
)
"""What programs read there without belonging to this machine. Never a list of users, keys, or other configuration."""
_FILES = {
    "/etc/passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\ntests:x:{_INSIDE}:{_INSIDE}:tests:/tmp:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "/etc/group": f"root:x:0:\ntests:x:{_INSIDE}:\nnogroup:x:65534:\n",
    "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_LIMITED = 'ulimit -u "$0" 2>/dev/null || ulimit -p "$0" || exit 125; exec /bin/sh -c "$1"'
"""Set inside: there the kernel counts the processes of this sandbox alone. One letter is bash's, one is dash's."""


class Bubblewrap:
    """What ``bwrap`` of this machine can do; raises ``SelfImproverError`` if there is none that will do."""

    name = "bubblewrap"

    def __init__(self, program: str = "bwrap") -> None:
        found = shutil.which(program)
        if found is None:
            raise SelfImproverError("bubblewrap is not installed", mend="install the package bubblewrap")
        if not seccomp.supported(platform.machine()):
            raise SelfImproverError(f"there is no filter of system calls for {platform.machine()}")
        self._program = found
        self._groups = cgroups.parents()
        cgroups.sweep(self._groups)
        self._help = _help(found)
        self._filter = seccomp.program(platform.machine(), memory_is_counted="memory" in self._groups)

    def key(self) -> str:
        """The program, its version and the filter."""
        digest = hashlib.sha256(self._help + self._filter).hexdigest()[:12]
        return f"{self.name} {digest}"

    async def run(self, job: Job, limits: Limits) -> Ending:
        """Runs the job in a sandbox of its own."""
        root = os.geteuid() == 0
        with _held(self._files(job)) as fds:
            argv = [self._program, *self._isolation(), *self._tree(job, fds), *_environment(job)]
            command = ["/bin/sh", "-c", _LIMITED, str(limits.processes), job.command]
            launch = Launch(
                argv=(*argv, "--chdir", str(job.folder), "--", *command),
                env={},
                folder=Path("/"),
                output=job.output,
                watched=job.writable,
                fds=tuple(fds.values()),
                uid=UNPRIVILEGED if root else 0,
                owner=UNPRIVILEGED if root else 0,
                sources=(*job.writable, *job.readable) if root else (),
                groups=self._groups,
                limit_processes="pids" in self._groups,
            )
            return await supervise(launch, limits)

    def _isolation(self) -> Iterator[str]:
        """No name of its own: a hardened service may not set one, and the machine's tells nobody outside anything."""
        yield from ("--unshare-all", "--unshare-user", "--uid", _INSIDE, "--gid", _INSIDE)
        yield from ("--die-with-parent", "--new-session", "--cap-drop", "ALL")
        if b"--disable-userns" in self._help:  # the filter refuses nested namespaces as well
            yield "--disable-userns"

    def _files(self, job: Job) -> dict[str, bytes]:
        """What the sandbox reads from open files: the filter, under "", and files of its own."""
        files = {"": self._filter, **{name: text.encode() for name, text in _FILES.items()}}
        if job.network and (resolver := Path("/etc/resolv.conf")).exists():
            files["/etc/resolv.conf"] = resolver.read_bytes()
        return files

    def _tree(self, job: Job, fds: dict[str, int]) -> Iterator[str]:
        if job.network:
            yield "--share-net"
        yield from ("--seccomp", str(fds[""]))
        yield from ("--ro-bind", "/usr", "/usr")
        for name in _LINKS:
            yield from _system(Path("/", name))
        for name in _ETC:
            yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        for name in fds.keys() - {""}:
            yield from ("--perms", "0444", "--file", str(fds[name]), name)
        yield from ("--proc", "/proc", "--dev", "/dev")
        for folder in ("/dev/shm", "/tmp"):  # noqa: S108 - the sandbox's own
            yield from ("--size", str(_SCRATCH), "--perms", "1777", "--tmpfs", folder)
        yield from ("--dir", "/run", "--dir", "/var", "--symlink", "/tmp", "/var/tmp")  # noqa: S108
        mounts = [(path, "--ro-bind") for path in job.readable] + [(path, "--bind") for path in job.writable]
        for path, how in sorted(mounts, key=lambda mount: len(mount[0].parts)):
            yield from (how, str(path), str(path))
        yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def _help(program: str) -> bytes:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, timeout=10, check=True).stdout
        return said + subprocess.run([program, "--help"], capture_output=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SelfImproverError(f"{program} cannot be run: {error}") from error


def _system(path: Path) -> Iterator[str]:
    """A folder of the system: a link into /usr on most machines, a folder of its own on some."""
    if path.is_symlink():
        yield from ("--symlink", str(path.readlink()), str(path))
    elif path.is_dir():
        yield from ("--ro-bind", str(path), str(path))


def _environment(job: Job) -> Iterator[str]:
    yield "--clearenv"
    for name, value in job.env.items():
        yield from ("--setenv", name, value)


@contextmanager
def _held(files: dict[str, bytes]) -> Iterator[dict[str, int]]:
    """Each content as an open file, at its beginning."""
    with ExitStack() as stack:
        fds = {}
        for name, content in files.items():
            fds[name] = os.memfd_create("sandbox")
            stack.callback(os.close, fds[name])
            os.write(fds[name], content)
            os.lseek(fds[name], 0, os.SEEK_SET)
        yield fds
