"""Where this process may make control groups, which hold a job's processes and memory as a sum.

Both versions: kernel documentation, admin-guide/cgroup-v2.rst and cgroup-v1/. Where systemd manages the groups, only a
folder that it has delegated is touched. ``group.py`` makes them.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

PREFIX = "selfimprover-"
"""Of the names of groups; the pid of the process that started the supervisor follows."""
_NEEDED = ("pids", "memory")


def parents(root: Path = Path("/")) -> dict[str, str]:
    """The folder in which a group can be made, for each of ``pids`` and ``memory`` that can be held at all."""
    try:
        own, mounts = _own(root), _mounts(root)
    except OSError:
        return {}
    found = {}
    for place, mount_root, kind, options in mounts:
        for controller in _NEEDED:
            name = "" if kind == "cgroup2" else controller
            if name not in own or (kind == "cgroup" and controller not in options):
                continue
            folder: Path | None = place / os.path.relpath(own[name], mount_root)
            if kind == "cgroup2":
                folder = _with_controller(place / os.path.relpath(own[name], mount_root), controller)
            if folder and ".." not in folder.parts and _ours(folder, systemd=(root / "run/systemd/system").exists()):
                found[controller] = str(folder)
    return found


def sweep(above: Mapping[str, str]) -> None:
    """Removes empty groups of supervisors that were killed before they could."""
    for folder in set(above.values()):
        for group in Path(folder).glob(f"{PREFIX}*-*"):
            starter = group.name.removeprefix(PREFIX).partition("-")[0]
            if not Path("/proc", starter).exists():
                with contextlib.suppress(OSError):  # not empty: then it is in use
                    group.rmdir()


def _own(root: Path) -> dict[str, str]:
    """Our group in each hierarchy, by controller; that of version 2 has no name (cgroups(7))."""
    lines = (root / "proc/self/cgroup").read_text().splitlines()
    fields = [line.split(":", 2) for line in lines]
    return {name: path for _, names, path in fields for name in names.split(",")}


def _mounts(root: Path) -> list[tuple[Path, str, str, list[str]]]:
    """Every mounted hierarchy: where, which part of it, version, controllers (proc(5), mountinfo)."""
    found = []
    for line in (root / "proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind in {"cgroup", "cgroup2"}:
            fields = before.split(" ")
            found.append((root / fields[4].lstrip("/"), fields[3], kind, options.split(",")))
    return found


def _with_controller(own: Path, controller: str) -> Path | None:
    """The group of version 2 that hands ``controller`` down: our own, or (with DelegateSubgroup=) the one above."""
    for folder in (own, own.parent):
        with contextlib.suppress(OSError):
            if controller in (folder / "cgroup.subtree_control").read_text().split():
                return folder
    return None


def _ours(folder: Path, *, systemd: bool) -> bool:
    try:
        read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False
    return not read_only and os.access(folder, os.W_OK | os.X_OK) and (not systemd or _delegated(folder))


def _delegated(folder: Path) -> bool:
    for name in ("trusted.delegate", "user.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"1":
                return True
    return False
