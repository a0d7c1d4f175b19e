"""The evidence: lines of JSON, each carrying the digest of the one before, so that no line can be changed unseen.

The digest of a line is the SHA-256 of its bytes, so that an export can be checked with ``sha256sum`` alone.
"""

import json
from collections.abc import AsyncIterator
from hashlib import sha256

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from selfimprover.domain import Evidence, iso
from selfimprover.memory import tables

SOURCE = "self-improver"


async def append(connection: AsyncConnection, entry: Evidence) -> None:
    """Adds an entry to the end of the chain, within the caller's transaction."""
    column = tables.evidence.c
    newest = select(column.seq, column.digest).order_by(column.seq.desc()).limit(1)
    last = (await connection.execute(newest)).first()
    line = _line(entry, last.digest if last else None)
    seq = last.seq + 1 if last else 1
    await connection.execute(insert(tables.evidence).values(seq=seq, digest=_digest(line), line=line))


async def lines(engine: AsyncEngine) -> AsyncIterator[str]:
    """Every entry as its line of JSON, oldest first."""
    async with engine.connect() as connection:
        for (line,) in await connection.execute(select(tables.evidence.c.line).order_by(tables.evidence.c.seq)):
            yield line


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
