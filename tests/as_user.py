"""Becomes an ordinary user and runs a command. A program: ``python tests/as_user.py UID FOLDER… -- COMMAND…``.

The folders stay reachable under their paths, even those beneath a home that is root's alone: in a mount namespace of
this process's own they are mounted again, beneath a folder that everybody may pass.
"""

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x00020000, 4096, 16384, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def main(uid: int, folders: list[Path], command: list[str]) -> None:
    """Does not return."""
    _checked(_libc.unshare(_CLONE_NEWNS))
    _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE)
    closed = {folder: barrier for folder in folders if (barrier := _barrier(folder))}
    held = {folder: os.open(folder, os.O_PATH) for folder in closed}
    for barrier in set(closed.values()):
        _mount(b"none", os.fsencode(barrier), b"tmpfs", 0, b"mode=0755")
    for folder, descriptor in held.items():
        folder.mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}".encode(), os.fsencode(folder), None, _MS_BIND | _MS_REC)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execvp(command[0], command)


def _barrier(folder: Path) -> Path | None:
    """The first folder on the way that others may not pass."""
    return next((one for one in reversed(folder.parents) if not one.stat().st_mode & 0o001), None)


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None = None) -> None:
    _checked(_libc.mount(source, target, kind, flags, data))


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    end = sys.argv.index("--")
    main(int(sys.argv[1]), [Path(one) for one in sys.argv[2:end]], sys.argv[end + 1 :])
