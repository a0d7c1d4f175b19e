"""The operator's container runner, with an image that the operator named. Nothing is ever pulled."""

import hashlib
import itertools
import os
import resource
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from selfimprover.errors import SelfImproverError
from selfimprover.verification import seccomp
from selfimprover.verification.sandbox import Ending, Job, Limits
from selfimprover.verification.supervision import UNPRIVILEGED, Launch, supervise

_SCRATCH = "256m"
_ASKING = 20.0
_OURS = ("PATH", "HOME", "USER", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST")
"""What the runner itself may see of our environment. The job sees nothing of it."""
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
"""Runners hand these on by themselves, and addresses of proxies carry passwords."""
_OTHERS = 8192
"""The kernel counts all processes of a user against this limit, so it is set wide and --pids-limit holds. Left out,
podman asks for more than everybody may give."""
_FIRST = ("-c", '/bin/sh -c "$0"; exit $?')
"""The first process of a container ignores signals that it did not ask for. So that is not the job."""
_numbers = itertools.count(1)


class Container:
    """One of podman and docker; raises ``SelfImproverError`` if it cannot be used or has no such image."""

    def __init__(self, program: str, image: str) -> None:
        self.name = program
        self._image = image
        found = shutil.which(program)
        if found is None:
            raise SelfImproverError(f"{program} is not installed")
        self._program = found
        self._id = self._inspected()

    def key(self) -> str:
        """The runner, and the image as it is now."""
        return f"{self.name} {hashlib.sha256(self._id.encode()).hexdigest()[:12]}"

    async def run(self, job: Job, limits: Limits) -> Ending:
        """Runs the job in a container of its own, which is removed in any case."""
        name = f"selfimprover-{os.getpid()}-{next(_numbers)}-{secrets.token_hex(4)}"
        rules = os.memfd_create("rules")
        try:
            os.write(rules, seccomp.profile(memory_is_counted=True))
            filtered = ("--security-opt", f"seccomp=/proc/{os.getpid()}/fd/{rules}")
            argv = (self._program, "run", "--name", name, *self._isolation(), *filtered, *_limits(limits))
            launch = Launch(
                argv=(*argv, *self._view(job), "--entrypoint", "/bin/sh", self._id, *_FIRST, job.command),
                env=_environment(),
                folder=Path("/"),
                output=job.output,
                watched=job.writable,
                owner=UNPRIVILEGED if os.geteuid() == 0 else 0,
                afterwards=(self._program, "rm", "--force", name),
                engine=True,
            )
            return await supervise(launch, limits)
        finally:
            os.close(rules)

    def _isolation(self) -> Iterator[str]:
        yield from ("--rm", "--pull", "never", "--read-only", "--cap-drop", "ALL", "--log-driver", "none")
        yield from ("--security-opt", "no-new-privileges", "--security-opt", "label=disable")
        yield from ("--hostname", "sandbox", "--shm-size", _SCRATCH)
        yield from ("--tmpfs", f"/tmp:rw,nosuid,nodev,mode=1777,size={_SCRATCH}")  # noqa: S108 - the container's own
        uid, gid = os.geteuid() or UNPRIVILEGED, os.getegid() if os.geteuid() else UNPRIVILEGED
        yield from ("--user", f"{uid}:{gid}")
        if self.name == "podman":
            yield from ("--read-only-tmpfs=false", "--http-proxy=false")
            if os.geteuid():
                yield from ("--userns", "keep-id")

    def _view(self, job: Job) -> Iterator[str]:
        if not job.network:
            yield from ("--network", "none")
        for name in _PROXIES:
            yield from ("--env", f"{name}=", "--env", f"{name.upper()}=")
        for name, value in job.env.items():
            yield from ("--env", f"{name}={value}")
        for folder in job.readable:
            yield from ("--volume", f"{folder}:{folder}:ro")
        for folder in job.writable:
            yield from ("--volume", f"{folder}:{folder}:rw")
        yield from ("--workdir", str(job.folder))

    def _inspected(self) -> str:
        command = [self._program, "image", "inspect", "--format", "{{.Id}}", self._image]
        try:
            answer = subprocess.run(
                command, env=_environment(), capture_output=True, text=True, timeout=_ASKING, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SelfImproverError(f"{self.name} does not answer: {error}") from error
        if answer.returncode:
            said = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
            mend = f"{self.name} pull {self._image}, or build it: nothing is pulled by itself"
            raise SelfImproverError(f"{self.name} cannot use the image {self._image}: {said}", mend=mend)
        return answer.stdout.strip()


def _limits(limits: Limits) -> Iterator[str]:
    yield from ("--pids-limit", str(limits.processes))
    if limits.memory:
        yield from ("--memory", str(limits.memory), "--memory-swap", str(limits.memory))
    for name, most in (("core", 0), ("fsize", limits.file_size), ("nofile", limits.open_files)):
        yield from ("--ulimit", f"{name}={most}:{most}")
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    wide = limits.processes + _OTHERS if hard == resource.RLIM_INFINITY else min(hard, limits.processes + _OTHERS)
    yield from ("--ulimit", f"nproc={wide}:{wide}")
    cpu = int(limits.cpu or limits.timeout * (os.cpu_count() or 1)) + 1
    yield from ("--ulimit", f"cpu={cpu}:{cpu}")


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _OURS if name in os.environ}
