"""The control groups of one job. Part of the supervisor: only what is quick to import."""

import os
import time

_PATIENCE = 1.0


class Group:
    """A group beneath each of the folders that ``cgroups.parents`` found; of both versions of control groups."""

    def __init__(self, above: dict[str, str], name: str, processes: int, memory: int) -> None:
        self._folders = {controller: f"{folder}/{name}" for controller, folder in above.items()}
        for folder in set(self._folders.values()):
            os.mkdir(folder)
        if pids := self._folders.get("pids"):
            _write(f"{pids}/pids.max", processes)
        if (folder := self._folders.get("memory", "")) and memory:
            first = "memory.max" if os.path.exists(f"{folder}/memory.max") else "memory.limit_in_bytes"
            _write(f"{folder}/{first}", memory)
            for swap, most in (("memory.swap.max", 0), ("memory.memsw.limit_in_bytes", memory)):
                if os.path.exists(f"{folder}/{swap}"):
                    _write(f"{folder}/{swap}", most)

    def warm_up(self) -> None:
        """Lets a process join and end, while its parent goes on.

        The first process that joins any group waits for a grace period of the kernel, some ten milliseconds; whoever
        comes right after it does not. So the job need not wait for what can happen while other modules are imported.
        """
        if self._folders and not os.fork():
            try:
                self.join()
            finally:
                os._exit(0)

    def join(self) -> None:
        """Puts the calling process into it."""
        for folder in set(self._folders.values()):
            _write(f"{folder}/cgroup.procs", 0)

    def exceeded(self) -> str:
        """The limit that ended something, if one did."""
        return "memory" if self._count("memory", ("memory.events", "memory.oom_control"), "oom_kill") else ""

    def refused(self) -> str:
        """The limit that kept something from beginning, if one did."""
        return "processes" if self._count("pids", ("pids.events",), "max") else ""

    def _count(self, controller: str, files: tuple[str, ...], key: str) -> int:
        for name in files:
            try:
                with open(f"{self._folders[controller]}/{name}") as file:
                    return int(dict(line.split(" ", 1) for line in file)[key])
            except (KeyError, OSError):
                continue
        return 0

    def remove(self) -> None:
        """Gone once the last process in it is, which takes the kernel a moment."""
        until = time.monotonic() + _PATIENCE
        for folder in set(self._folders.values()):
            while os.path.exists(folder) and time.monotonic() < until:
                try:
                    os.rmdir(folder)
                except OSError:
                    time.sleep(0.002)


def _write(path: str, value: int) -> None:
    with open(path, "w") as file:
        file.write(str(value))
