"""The state folder: everything that selfimprover keeps on this machine, and the locks that keep processes apart.

Two locks, both of the kernel, so that a dead holder holds nothing. ``lock`` makes a process the one instance of the
folder: a daemon has it for life. ``memory.db.lock`` is held while the memory is written: by a night, and by the
commands of a person who acts between the nights beside the daemon.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selfimprover.domain import DaemonState
from selfimprover.errors import BusyError, UsageError
from selfimprover.memory.codec import decode, encode

DAEMON = "daemon"
"""The role of an instance that answers to signals."""


_GLANCE = 0.5
"""Seconds for which an instance waits for the lock: whoever looks for its holder takes it for a moment."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the folder, as it wrote itself down."""

    pid: int
    role: str


class StateFolder:
    """``memory.db``, the locks, ``backups/``, this installation's redaction key, and what the daemon says of itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backups = path / "backups"
        self.trees = path / "trees"
        self._lock = path / "lock"
        self._descriptor = -1
        self._state = path / "daemon.json"

    def prepare(self) -> None:
        """Creates the folder, private to its owner, if there is none; raises ``UsageError`` if it cannot be used."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.path / f".probe-{os.getpid()}"
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def lock(self, role: str = "command") -> Iterator[None]:
        """This process as the one instance of the folder; raises ``BusyError`` if another one is."""
        with self._opened(self._lock) as descriptor:
            if not _taken(descriptor, patience=_GLANCE):
                raise self._held()
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()} {role}\n".encode(), 0)
            except OSError as error:
                raise self._unusable(error) from error
            self._descriptor = descriptor
            yield

    @contextmanager
    def work(self, memory: Path) -> Iterator[None]:
        """The right to write the memory; raises ``BusyError`` if somebody else is writing it now.

        The lock is beside the memory, for two state folders may have one.
        """
        with self._opened(memory.with_name(f"{memory.name}.lock")) as descriptor:
            if not _taken(descriptor):
                mend = "wait until it has ended: `selfimprover status` tells"
                raise BusyError("a night is at work on it", where=f"state folder {self.path}", mend=mend)
            yield

    def holder(self) -> Holder | None:
        """The process that is the instance of the folder now, if there is one."""
        try:
            descriptor = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(
                f"it cannot be looked at: {error.strerror}",
                where=f"state folder {self.path}",
                mend="run this as the user of the daemon",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, role = os.pread(descriptor, 80, 0).decode("ascii", "replace").strip().partition(" ")
            return Holder(int(pid) if pid.isdecimal() else 0, role)
        finally:
            os.close(descriptor)
        return None

    def is_held_by(self, pid: int) -> bool:
        """Whether the kernel says so: a number that a process of another container wrote means nothing here.

        https://man7.org/linux/man-pages/man5/proc_locks.5.html; of the file only its number is compared, for some file
        systems show another device there than ``stat`` does.
        """
        try:
            inode = self._lock.stat().st_ino
            lines = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
        except OSError:
            return False
        held = [(line[4], line[5].rpartition(":")[2]) for line in lines if line[1] == "FLOCK"]
        return (str(pid), str(inode)) in held

    def can_be_written(self) -> bool:
        """Whether there is room for what the daemon says of itself."""
        try:
            self.prepare()
            free = os.statvfs(self.path).f_bavail
        except (UsageError, OSError):
            return False
        return free > 0

    def is_still_locked(self) -> bool:
        """Whether the lock that this process holds is the one that others see: somebody may have removed the file."""
        try:
            held, seen = os.fstat(self._descriptor), self._lock.stat()
        except OSError:
            return False
        return (held.st_dev, held.st_ino) == (seen.st_dev, seen.st_ino)

    def write_state(self, state: DaemonState) -> None:
        """Keeps what the daemon says of itself; raises ``OSError`` if it cannot be written."""
        partial = self._state.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(encode(state))
        partial.replace(self._state)

    def read_state(self) -> DaemonState | None:
        """What the daemon last said of itself; whether it still lives, ``holder`` tells."""
        try:
            return decode(DaemonState, self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None  # never written, or by another version

    def redaction_key(self) -> bytes:
        """This installation's own random bytes, made on first use."""
        path = self.path / "redaction.key"
        try:
            if not path.exists():
                self._make_key(path)
            return path.read_bytes()
        except OSError as error:
            raise self._unusable(error) from error

    def _make_key(self, path: Path) -> None:
        """Whole or not at all; of two that are made at once, the first one stays."""
        partial = path.with_name(f".{path.name}-{os.getpid()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(partial, path)
            except FileExistsError:
                return
        finally:
            partial.unlink(missing_ok=True)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int]:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _held(self) -> BusyError:
        holder = self.holder()
        if holder is not None and holder.role == DAEMON:
            mend = "use `selfimprover trigger` for a night beside it"
            what = f"the daemon holds it (process {holder.pid})"
        else:
            what = f"another selfimprover holds it (process {holder.pid if holder else 'unknown'})"
            mend = "wait until it has ended"
        return BusyError(what, where=f"state folder {self.path}", mend=mend)

    def _unusable(self, error: OSError) -> UsageError:
        return UsageError(
            f"it cannot be written: {error.strerror}",
            where=f"state folder {self.path}",
            mend="give this user the right to write there, or set [state] dir to another folder",
        )


def _taken(descriptor: int, patience: float = 0.0) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
        else:
            return True
