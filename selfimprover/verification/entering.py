"""What a new process does before it becomes the job. Part of the supervisor: only what is quick to import."""

import ctypes
import os
import resource
import signal

from selfimprover.verification.group import Group
from selfimprover.verification.orders import Orders

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG = 1
_STAGE = "/tmp"  # noqa: S108 - in a mount namespace of its own, as a mount of its own
_MOUNTING = ("--bind", "--ro-bind")

libc = ctypes.CDLL(None, use_errno=True)


def enter(orders: Orders, group: Group) -> None:
    """Becomes the job: its group, its user, its limits, its program. Returns only by an exception."""
    os.setsid()
    group.join()
    argv = orders.argv
    if orders.uid:
        argv = _staged(argv, orders.sources)
        os.setgroups([])
        os.setresgid(orders.uid, orders.uid, orders.uid)
        os.setresuid(orders.uid, orders.uid, orders.uid)
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for kind, most in orders.rlimits:
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))
    for one in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores both, and the job would inherit that
        signal.signal(one, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvp(argv[0], argv)  # noqa: S606 - where a shell is wanted, argv names it


def give(folder: str, uid: int) -> None:
    """Makes everything beneath ``folder`` belong to ``uid``. No link is followed, and nobody else is at work there."""
    os.lchown(folder, uid, uid)
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                os.lchown(entry.path, uid, uid)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def prctl(option: int, value: int) -> None:
    """Sets an option of this process; the manual has a page about them."""
    rest = (ctypes.c_ulong(0),) * 3
    _checked(libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), *rest), "prctl")


def _staged(argv: list[str], sources: list[str]) -> list[str]:
    """Mounts ``sources`` where every user can reach them, and names them so in ``argv``.

    An unprivileged user cannot pass a parent folder that is its owner's alone, such as /root. In a namespace of our
    own we can put what it may see beside it. A container that lets nobody mount leaves the paths as they are.
    """
    if libc.unshare(_CLONE_NEWNS) != 0:
        return argv
    _mount(None, "/", _MS_REC | _MS_PRIVATE)
    held = [os.open(source, os.O_PATH) for source in sources]
    _checked(libc.mount(b"stage", _STAGE.encode(), b"tmpfs", 0, b"mode=0755"), "mount")
    places = {}
    for number, descriptor in enumerate(held):
        place = places[sources[number]] = f"{_STAGE}/{number}"
        os.mkdir(place)
        _mount(f"/proc/self/fd/{descriptor}", place, _MS_BIND | _MS_REC)
        os.close(descriptor)
    pairs = zip(["", *argv], argv, strict=False)
    return [places.get(word, word) if before in _MOUNTING else word for before, word in pairs]


def _mount(source: str | None, target: str, flags: int) -> None:
    _checked(libc.mount(source and os.fsencode(source), os.fsencode(target), None, flags, None), f"mount {target}")


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
