"""Looks whether a memory is whole, and whether its evidence is what it was: the chain, and every backup against it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfimprover.memory import evidence, file

_Entries = list[tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at, and what is wrong with it."""

    entries: int
    backups: int
    """How many backups could be compared."""
    restores: tuple[str, ...]
    """What the evidence tells of restores, each of which may have cut an end off: a person knows whether it was one."""
    problems: tuple[str, ...]
    """One sentence each; empty if all is well."""


def audit(memory: Path, backups: Sequence[Path]) -> Audit:
    """Checks the database, the chain of its evidence, and that every backup's evidence is the beginning of it.

    The chain shows a change in the middle; the backups show an end cut off, or a chain written anew. Where the memory
    was restored its evidence goes another way than a later backup's, and says so.
    """
    try:
        file.require_whole(memory, thorough=True)
        entries = _entries(memory)
    except (file.DamagedError, sqlite3.Error) as error:
        return Audit(0, 0, (), (f"the database is damaged: {error}",))
    problems = []
    broken = evidence.first_break(entries)
    if broken is not None:
        problems.append(f"the evidence was changed: entry {broken} does not fit the one before")
    compared = 0
    for backup in backups:
        try:
            earlier = _entries(backup)
        except sqlite3.Error:
            problems.append(f"backup {backup.name} cannot be read")
            continue
        compared += 1
        differs = _first_difference(entries, earlier)
        if differs is not None and not any(_restored_at(one, differs) for one in (entries, earlier)):
            problems.append(f"the evidence was changed: entry {differs} is another one in backup {backup.name}")
    restores = tuple(
        evidence.content_of(line) for _, _, line in entries if evidence.event_of(line) == evidence.RESTORED
    )
    return Audit(len(entries), compared, restores, tuple(problems))


def _entries(path: Path) -> _Entries:
    with file.reading(path) as connection:
        return list(connection.execute("SELECT seq, digest, line FROM evidence ORDER BY seq"))


def _first_difference(entries: _Entries, earlier: _Entries) -> int | None:
    for place, entry in enumerate(earlier, start=1):
        if place > len(entries) or entries[place - 1] != entry:
            return place
    return None


def _restored_at(entries: _Entries, place: int) -> bool:
    return place <= len(entries) and evidence.event_of(entries[place - 1][2]) == evidence.RESTORED
