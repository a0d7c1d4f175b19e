"""Puts a configuration file in its place."""

import contextlib
import os
import tempfile
from pathlib import Path

from selfimprover.errors import UsageError

_MODE = 0o640
"""Its owner and a group, such as that of the service; passwords are not in it, but paths are nobody else's business."""


def require_free(file: Path) -> None:
    """Raises ``UsageError`` if there is something at ``file``."""
    if os.path.lexists(file):
        mend = "name another file with --config, or replace this one with --force"
        raise UsageError("there is a file already, and it is left as it is", where=f"config {file}", mend=mend)


def save(text: str, file: Path, *, replace: bool = False) -> None:
    """Writes the whole file or nothing, with its folder if there is none; raises ``UsageError`` if it cannot be."""
    if not replace:
        require_free(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as draft:
                draft.write(text)
                draft.flush()
                os.fchmod(draft.fileno(), _MODE)
                os.fsync(draft.fileno())
            Path(name).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        mend = "give this user the right to write there, or name another file with --config"
        raise UsageError(f"it cannot be written: {error.strerror}", where=f"config {file}", mend=mend) from error
