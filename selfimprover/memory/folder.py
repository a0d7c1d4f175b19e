"""The state folder: everything that selfimprover keeps on this machine, and the lock that makes it the only one."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfimprover.errors import BusyError, UsageError


class StateFolder:
    """``memory.db``, ``lock``, ``backups/``, ``reports/`` and this installation's redaction key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backups = path / "backups"

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
    def lock(self) -> Iterator[None]:
        """Holds the folder for this process; raises ``BusyError`` if another one does. A dead holder holds nothing."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self._take(descriptor)
            yield
        finally:
            os.close(descriptor)

    def redaction_key(self) -> bytes:
        """This installation's own random bytes, made on first use."""
        path = self.path / "redaction.key"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return path.read_bytes()
        except OSError as error:
            raise self._unusable(error) from error
        with os.fdopen(descriptor, "wb") as file:
            key = secrets.token_bytes(32)
            file.write(key)
        return key

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise BusyError(
                f"another selfimprover holds it (process {holder})",
                where=f"state folder {self.path}",
                mend="wait until it has ended; beside a running daemon use `selfimprover trigger`",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def _unusable(self, error: OSError) -> UsageError:
        return UsageError(
            f"it cannot be written: {error.strerror}",
            where=f"state folder {self.path}",
            mend="give this user the right to write there, or set [state] dir to another folder",
        )
