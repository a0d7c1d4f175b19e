"""Runs one command and lets nothing of it survive. A program of its own: ``python -I -S supervisor.py …``.

It adopts every process that the command orphans, even one in a session of its own, so that everything beneath it is
known to belong to the command. On SIGTERM, and when its parent dies, it ends the whole tree; it always does so before
it exits. Its exit status is that of the command as a shell tells it. Linux only: prctl(2), /proc.

Arguments: parent's pid, seconds of grace, bytes per file, bytes of memory per process (0: no limit), the command.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SIGNALS = (signal.SIGCHLD, *_STOPPING)
_LAST_PATIENCE = 5.0


def main(parent: int, grace: float, file_limit: int, memory_limit: int, command: str) -> int:
    """Runs ``command`` by the shell and returns its exit status; 125 if the parent is gone already."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        return 125
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, file_limit)
    if memory_limit:
        _limit(
            resource.RLIMIT_DATA, memory_limit
        )  # not RLIMIT_AS: that breaks runtimes that reserve what they never use
    shell = os.posix_spawn(
        "/bin/sh",
        ["/bin/sh", "-c", command],
        os.environ,
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores both, and children would inherit that
    )
    status = _wait(shell)
    _end_all(grace)
    code = 128 + signal.SIGTERM if status is None else os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _prctl(option: int, value: int) -> None:
    rest = (ctypes.c_ulong(0),) * 3
    if ctypes.CDLL(None).prctl(ctypes.c_int(option), ctypes.c_ulong(value), *rest) != 0:
        raise OSError(f"prctl({option}) failed")


def _limit(kind: int, wanted: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (value, value))


def _wait(shell: int) -> int | None:
    """The status with which the shell ended; ``None`` if we were told to stop first."""
    while True:
        for pid, status in _reaped():
            if pid == shell:
                return status
        if signal.sigwait(_SIGNALS) in _STOPPING:
            return None


def _reaped() -> Iterator[tuple[int, int]]:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def _end_all(grace: float) -> None:
    """Ends every descendant: politely first, then without asking until none is left."""
    _signal_all(signal.SIGTERM)
    kill_at = time.monotonic() + grace
    while _any_left() and time.monotonic() < kill_at + _LAST_PATIENCE:
        if time.monotonic() >= kill_at:
            _signal_all(signal.SIGSTOP)  # what is stopped cannot fork away from what follows
            _signal_all(signal.SIGKILL)
        signal.sigtimedwait([signal.SIGCHLD], 0.02)


def _any_left() -> bool:
    """Reaps who is dead. An orphan becomes our child, so no child means no descendant."""
    for _ in _reaped():
        pass
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _signal_all(which: signal.Signals) -> None:
    for pid in _descendants(os.getpid()):
        try:
            os.kill(pid, which)
        except (ProcessLookupError, PermissionError):
            continue  # it ended by itself, or became somebody else's by a setuid program


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        children.setdefault(int(after_name[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found[1:]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
