"""Looks after what no limit of the kernel holds as a sum. Part of the supervisor: only what is quick to import.

It looks often where that is cheap, and rests twenty times as long as a look took, so that watching costs 5 % at most.
"""

import errno
import os
import stat
import time

_OFTEN = 0.1
_SHARE = 20
_DEEPEST = 200
"""Folders within folders. Deeper trees can be made so deep that nobody can walk or remove them."""
_ENTRY = 1024
"""Bytes that count for each file besides its content: a file system has to keep its name and its inode."""
_NEW_FILES = 100
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """What a run may use in all: ``memory`` and ``workspace`` in bytes, ``processes`` at once; 0 is no limit."""

    def __init__(self, root: int, *, memory: int, processes: int, folders: list[str], workspace: int) -> None:
        self._root = root
        self._memory = memory
        self._processes = processes
        self._folders = folders
        self._workspace = workspace
        self._next = time.monotonic() + _OFTEN
        self._next_walk = 0.0
        self._at_first = self._room()

    def look(self) -> str:
        """Which limit is exceeded, if it is time to look and one is."""
        began = time.monotonic()
        if began < self._next:
            return ""
        why = self._look_at_processes() or self._look_at_folders()
        self._next = time.monotonic() + max(_OFTEN, _SHARE * (time.monotonic() - began))
        return why

    def look_back(self) -> str:
        """The same once everything has ended: what was written in the last moment counts as well."""
        blocks, files = self._grown()
        if self._workspace and (files > _NEW_FILES or blocks > self._workspace // 8):
            return self._too_large()
        return ""

    # --- memory and processes

    def _look_at_processes(self) -> str:
        if not (self._memory or self._processes):
            return ""
        pids = descendants(self._root)
        if self._processes and len(pids) > self._processes:
            return "processes"
        if self._memory and sum(map(_resident, pids)) > self._memory and sum(map(_share, pids)) > self._memory:
            return "memory"
        return ""

    # --- folders

    def _look_at_folders(self) -> str:
        if not self._workspace:
            return ""
        grown = self._grown()[0]
        if time.monotonic() < self._next_walk and grown < self._workspace // 4:
            return ""
        began = time.monotonic()
        why = self._too_large(nameless=grown > self._workspace // 4)
        self._next_walk = time.monotonic() + max(1.0, _SHARE * (time.monotonic() - began))
        return why

    def _too_large(self, *, nameless: bool = False) -> str:
        total = _nameless(descendants(self._root)) if nameless else 0
        for folder in self._folders:
            try:
                total += size(folder, self._workspace - total)
            except RecursionError:
                return "depth of folders"
            except PermissionError:
                if self._grown()[0] > self._workspace:  # what fills the disk may be in there
                    return "workspace size"
            if total > self._workspace:
                return "workspace size"
        return ""

    def _grown(self) -> tuple[int, int]:
        """Bytes and files by which the file systems have filled up since the beginning, whoever filled them."""
        now = self._room()
        return self._at_first[0] - now[0], self._at_first[1] - now[1]

    def _room(self) -> tuple[int, int]:
        held = [os.statvfs(folder) for folder in self._folders]
        blocks = min((one.f_bfree * one.f_frsize for one in held), default=0)
        return blocks, min((one.f_ffree for one in held), default=0)


def size(folder: str, enough: int) -> int:
    """Bytes on disk of everything beneath ``folder``, counted until there is more than ``enough``.

    Follows no link. Raises ``RecursionError`` where folders are nested too deep, ``PermissionError`` after all else if
    one could not be looked into.
    """
    total, waiting, closed = 0, [(folder, 0)], False
    while waiting and total <= enough:
        place, depth = waiting.pop()
        if depth > _DEEPEST:
            raise RecursionError(place)
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    total += found.st_blocks * 512 + _ENTRY
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append((entry.path, depth + 1))
        except PermissionError:
            closed = True
        except OSError as error:  # else it was removed meanwhile
            if error.errno == errno.ENAMETOOLONG:
                raise RecursionError(place) from error
    if closed and total <= enough:
        raise PermissionError(folder)
    return total


def _nameless(pids: list[int]) -> int:
    """Bytes of files that are open and have no name any more: no walk meets them."""
    found = {}
    for pid in pids:
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                held = os.stat(f"/proc/{pid}/fd/{name}")
                if stat.S_ISREG(held.st_mode) and not held.st_nlink:
                    found[held.st_dev, held.st_ino] = held.st_blocks * 512
        except OSError:
            continue
    return sum(found.values())


# --- /proc, see proc(5)


def descendants(root: int) -> list[int]:
    """Every process beneath ``root``, each after the one that started it."""
    if not os.path.exists(f"/proc/{root}/task/{root}/children"):
        return _descendants_by_parent(root)
    found = [root]
    for pid in found:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    found.extend(map(int, file.read().split()))
        except OSError:  # it ended meanwhile
            continue
    return found[1:]


def _descendants_by_parent(root: int) -> list[int]:
    """The same for a kernel that does not list children: by the parent that each process names."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{int(name)}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError):
            continue
        children.setdefault(parent, []).append(int(name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found[1:]


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def _share(pid: int) -> int:
    """What the process holds alone, and its part of what it shares."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return _resident(pid)
