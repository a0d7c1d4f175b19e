"""The evidence: lines of JSON, each carrying the digest of the one before, so that no line can be changed unseen.

The digest of a line is the SHA-256 of its bytes, so that an export can be checked with ``sha256sum`` alone.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from selfimprover.domain import Evidence, iso

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

SOURCE = "self-improver"
RESTORED = "restored"
"""The event of a memory that was put back from a backup."""


async def append(connection: "AsyncConnection", entry: Evidence) -> None:
    """Adds an entry to the end of the chain, within the caller's transaction."""
    from sqlalchemy import insert, select

    from selfimprover.memory import tables

    column = tables.evidence.c
    newest = select(column.seq, column.digest).order_by(column.seq.desc()).limit(1)
    last = (await connection.execute(newest)).first()
    line = _line(entry, last.digest if last else None)
    seq = last.seq + 1 if last else 1
    await connection.execute(insert(tables.evidence).values(seq=seq, digest=_digest(line), line=line))


async def lines(connection: "AsyncConnection") -> AsyncIterator[str]:
    """Every entry as its line of JSON, oldest first."""
    from sqlalchemy import select

    from selfimprover.memory import tables

    for (line,) in await connection.execute(select(tables.evidence.c.line).order_by(tables.evidence.c.seq)):
        yield line


def note_event(memory: Path, event: str, content: str, at: datetime) -> None:
    """Adds an entry about the memory itself, which belongs to no finding.

    It is for the moments when the memory is one file that nobody has open; raises ``OSError`` if it cannot be written.
    """
    metadata = {"event": event, "finding": None, "pr_number": None, "pr_status": None}
    entry = Evidence(content=f"{content}.", confidence=None, timestamp=at, metadata=metadata)
    try:
        with closing(sqlite3.connect(memory)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            newest = "SELECT seq, digest FROM evidence ORDER BY seq DESC LIMIT 1"
            seq, digest = connection.execute(newest).fetchone() or (0, None)
            line = _line(entry, digest)
            connection.execute("INSERT INTO evidence VALUES (?, ?, ?)", (seq + 1, _digest(line), line))
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def first_break(entries: Iterable[tuple[int, str, str]]) -> int | None:
    """The first place at which a chain of (place, digest, line) does not hold together; ``None`` if it all does."""
    previous: str | None = None
    for expected, (place, digest, line) in enumerate(entries, start=1):
        if place != expected or digest != _digest(line) or _previous(line) != previous:
            return expected
        previous = digest
    return None


def event_of(line: str) -> str | None:
    """The event that an entry about the memory itself notes."""
    try:
        event = json.loads(line)["metadata"].get("event")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None if event is None else str(event)


def content_of(line: str) -> str:
    """What an entry says."""
    return str(json.loads(line)["content"])


def _previous(line: str) -> str | None:
    try:
        value = json.loads(line)["metadata"]["previous"]
    except (ValueError, KeyError, TypeError):
        return ""
    return None if value is None else str(value)


def _line(entry: Evidence, previous: str | None) -> str:
    document = {
        "content": entry.content,
        "source": SOURCE,
        "confidence": entry.confidence,
        "timestamp": iso(entry.timestamp),
        "metadata": {**entry.metadata, "previous": previous},
    }
    return json.dumps(document, ensure_ascii=False, separators=(", ", ": "))


def _digest(line: str) -> str:
    return sha256(line.encode()).hexdigest()
