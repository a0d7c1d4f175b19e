"""Runs one command and lets nothing of it survive. A program of its own, started by ``supervision.py``.

It adopts every process that the command orphans, even one in a session of its own, so that everything beneath it is
known to belong to the command. On SIGTERM, when its parent dies, and when a limit is exceeded, it ends the whole tree;
it always does so before it exits. Its exit status is that of the command as a shell tells it. Linux only: prctl(2),
/proc. Modules that it imports are quick to import: it is started for every run.
"""

import os
import signal
import sys
import time

from selfimprover.verification.group import Group
from selfimprover.verification.orders import Orders, account

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes a while to import
    from selfimprover.verification.watch import Watch

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SIGNALS = (signal.SIGCHLD, *_STOPPING)
_LOOK = 0.05
_LAST_PATIENCE = 5.0
_CLEANING = 20.0
_GONE = 125
_KILLED = 128 + signal.SIGKILL
_STOPPED = 128 + signal.SIGTERM


def main(descriptor: int) -> int:
    """Obeys the orders in the open file ``descriptor``, leaves an account there, and returns the exit status."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    os.set_inheritable(descriptor, False)
    orders = Orders.load(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
    status, why, fault = _GONE, "", ""
    try:
        group = Group(orders.groups, orders.group_name, orders.processes, orders.memory)
        try:
            group.warm_up()
            status, why = _obey(orders, group)
        finally:
            group.remove()
    except OSError as error:
        fault = error.strerror or str(error)
    if orders.afterwards:
        _clean(orders.afterwards)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, account(why, fault), 0)
    return status


def _obey(orders: Orders, group: Group) -> tuple[int, str]:
    """The exit status, and which limit ended the run."""
    from selfimprover.verification.entering import give, prctl
    from selfimprover.verification.watch import Watch

    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != orders.parent:
        return _GONE, ""
    if orders.owner:
        for folder in orders.watched:
            give(folder, orders.owner)
    watch = Watch(
        os.getpid(),
        memory=0 if "memory" in orders.groups else orders.memory,
        processes=0 if "pids" in orders.groups else orders.processes,
        folders=orders.watched,
        workspace=orders.workspace,
    )
    try:
        status, why = _wait(_start(orders, group), watch, group)
    finally:
        _end_all(orders.grace)
    why = why or group.exceeded() or watch.look_back()
    return (_KILLED, why) if status is None else (status, why or (group.refused() if status else ""))


def _start(orders: Orders, group: Group) -> int:
    """The new process; raises ``OSError`` if it could not become the job."""
    from selfimprover.verification.entering import enter

    reading, writing = os.pipe()
    job = os.fork()
    if not job:
        try:
            enter(orders, group)
        except OSError as error:
            os.write(writing, (error.strerror or str(error)).encode())
        finally:
            os._exit(_GONE)
    os.close(writing)
    with open(reading, "rb") as pipe:
        if fault := pipe.read():  # closed by a successful exec
            raise OSError(fault.decode())
    return job


def _wait(job: int, watch: "Watch", group: Group) -> tuple[int | None, str]:
    """The exit status of the job; ``None`` and the limit if it has to be ended, or no limit if we were told to stop."""
    while True:
        for pid, status in _reaped():
            if pid == job:
                code = os.waitstatus_to_exitcode(status)
                return 128 - code if code < 0 else code, ""
        if why := watch.look() or group.exceeded():
            return None, why
        got = signal.sigtimedwait(_SIGNALS, _LOOK)
        if got and got.si_signo in _STOPPING:
            return _STOPPED, ""


def _reaped() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not pid:
            return found
        found.append((pid, status))


def _end_all(grace: float) -> None:
    """Ends every descendant: politely first if there is time, then without asking until none is left."""
    kill_at = time.monotonic() + grace
    if grace:
        _signal_all(signal.SIGTERM)
    while _any_left() and time.monotonic() < kill_at + _LAST_PATIENCE:
        if time.monotonic() >= kill_at:
            _signal_all(signal.SIGSTOP)  # what is stopped cannot fork away from what follows
            _signal_all(signal.SIGKILL)
        signal.sigtimedwait([signal.SIGCHLD], 0.02)


def _any_left() -> bool:
    """Reaps who is dead. An orphan becomes our child, so no child means no descendant."""
    _reaped()
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _signal_all(which: signal.Signals) -> None:
    from selfimprover.verification.watch import descendants

    for pid in descendants(os.getpid()):
        try:
            os.kill(pid, which)
        except (ProcessLookupError, PermissionError):
            continue  # it ended by itself, or became somebody else's by a setuid program


def _clean(command: list[str]) -> None:
    """Runs ``command`` for a while; what it says is of no use to anybody."""
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, nothing, target) for target in (0, 1, 2)]
    os.posix_spawnp(command[0], command, os.environ, file_actions=actions, setsigmask=[])
    until = time.monotonic() + _CLEANING
    while _any_left() and time.monotonic() < until:
        signal.sigtimedwait([signal.SIGCHLD], 0.05)
    _end_all(0.0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
