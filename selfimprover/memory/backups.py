"""Backups of the memory: made before each night, rotated, and what a damaged memory is restored from."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from selfimprover.errors import UsageError
from selfimprover.memory import evidence, file

DAILY, WEEKLY = 7, 4
"""How many days, and how many weeks before them, keep their newest backup."""

_NAME = re.compile(r"memory-(\d{8}T\d{6})Z\.db")
_JOURNALS = ("", "-wal", "-shm")
_GONE = "it was gone"


@dataclass(frozen=True, slots=True)
class Restored:
    """What happened to a memory that could not be used."""

    why: str
    backup: Path
    aside: Path | None
    """Where the file that could not be used is now; ``None`` if there was none."""

    @property
    def sentence(self) -> str:
        """What a person is told."""
        kept = f"; the old file is kept as {self.aside.name}" if self.aside else ""
        return f"The memory was restored from {self.backup.name} because {self.why}{kept}"


class Backups:
    """The backups folder of a memory: ``memory-<UTC time>Z.db``, newest last."""

    def __init__(self, memory: Path, folder: Path) -> None:
        self._memory = memory
        self.folder = folder

    def make(self, now: datetime, target: Path | None = None) -> Path:
        """A checked copy of the memory, after which old ones are rotated out; ``target`` instead if it is given.

        Raises ``DamagedError`` if the memory is not whole, ``UsageError`` if the copy cannot be written.
        """
        if target is not None:
            if target.exists():
                raise UsageError("it is there already", where=f"backup {target}", mend="choose another file")
            file.copy(self._memory, target)
            return target
        made = self.folder / f"memory-{now.astimezone(UTC):%Y%m%dT%H%M%S}Z.db"
        file.copy(self._memory, made)
        self._rotate()
        return made

    def _rotate(self) -> None:
        """A backup that cannot be removed is no reason to fail: the new one is made."""
        present = self.all()
        left = [path for path in self.folder.glob(f"*{file.PARTIAL}") if file.is_abandoned(path)]
        for old in (*sorted(set(present) - kept(present)), *left):
            with contextlib.suppress(OSError):
                old.unlink(missing_ok=True)

    def all(self) -> Sequence[Path]:
        """Every backup, oldest first."""
        return sorted(path for path in self.folder.glob("memory-*Z.db") if _day(path) is not None)

    def good(self) -> Iterator[Path]:
        """The backups that are whole and that this version can read, newest first."""
        for path in reversed(self.all()):
            if unusable(path) is None:
                yield path

    def recover(self, now: datetime) -> Restored | None:
        """Looks at the memory, and restores the newest good backup if it is damaged or gone.

        Raises ``UsageError`` if it is damaged and there is no good backup.
        """
        why = _damage(self._memory)
        if why is None:
            return None
        backup = next(self.good(), None)
        if backup is not None:
            return self.restore(backup, now, why)
        if why == _GONE:
            self._put_aside(None)
            return None  # there never was one
        raise UsageError(
            f"it is damaged ({why}), and there is no good backup in {self.folder}",
            where=f"memory {self._memory}",
            mend="move it away: a new memory begins, and finds our pull requests again on the forge",
        )

    def restore(self, backup: Path, now: datetime, why: str) -> Restored:
        """Puts the memory aside and ``backup`` in its place, and says so in the evidence.

        Raises ``UsageError`` if ``backup`` cannot serve or the files cannot be written; then the memory is as before.
        """
        problem = unusable(backup)
        if problem is not None:
            raise UsageError(problem, where=f"backup {backup}", mend="choose another one")
        fresh = self._memory.with_name(f"{self._memory.name}.restoring")
        restored = Restored(why, backup, self._place_aside(now))
        try:
            file.copy(backup, fresh)
            evidence.note_event(fresh, evidence.RESTORED, restored.sentence, now)
            self._put_aside(restored.aside)
            fresh.replace(self._memory)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise UsageError(
                f"it cannot be replaced: {error.strerror or error}",
                where=f"memory {self._memory}",
                mend="make room or give this user the right to write there, then run it again",
            ) from error
        return restored

    def _place_aside(self, now: datetime) -> Path | None:
        if not self._memory.exists():
            return None
        return self._memory.with_name(f"{self._memory.stem}-aside-{now.astimezone(UTC):%Y%m%dT%H%M%S}Z.db")

    def _put_aside(self, aside: Path | None) -> None:
        """The database goes last: while it is there, all of it is. A log without one would spoil what comes instead."""
        for suffix in reversed(_JOURNALS):
            part = self._memory.with_name(self._memory.name + suffix)
            if aside is not None and part.exists():
                part.replace(aside.with_name(aside.name + suffix))
            elif aside is None:
                part.unlink(missing_ok=True)


def kept(backups: Sequence[Path]) -> set[Path]:
    """Of backups, oldest first: the newest of each of the last days, and of each of the weeks before."""
    newest_of_day = {day: path for path in backups if (day := _day(path)) is not None}
    days = sorted(newest_of_day, reverse=True)
    newest_of_week: dict[tuple[int, int], date] = {}
    for day in days[DAILY:]:
        newest_of_week.setdefault(day.isocalendar()[:2], day)
    weekly = sorted(newest_of_week.values(), reverse=True)[:WEEKLY]
    return {newest_of_day[day] for day in (*days[:DAILY], *weekly)}


def unusable(backup: Path) -> str | None:
    """Why a file cannot take the memory's place; ``None`` if it can."""
    if not backup.is_file():
        return "there is no such file"
    try:
        file.require_whole(backup, thorough=True)
        revision = file.current_revision(file.url_of(backup))
    except (file.DamagedError, UsageError) as error:
        return f"it is damaged ({error})"
    if revision is None:
        return "it is no memory"
    return None if revision in file.REVISIONS else f"a newer version of selfimprover wrote it (schema {revision})"


def _damage(memory: Path) -> str | None:
    if not memory.exists() or (memory.is_file() and memory.stat().st_size == 0):
        return _GONE
    if not memory.is_file():
        return None  # whoever opens it says so
    try:
        file.require_whole(memory)
    except file.DamagedError as error:
        return f"it was damaged: {error}"
    return None


def _day(path: Path) -> date | None:
    """The day (UTC) of a backup by its name; ``None`` for what only looks like one."""
    match = _NAME.fullmatch(path.name)
    try:
        return datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).date() if match else None
    except ValueError:
        return None
