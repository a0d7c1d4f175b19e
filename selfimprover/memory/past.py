"""Reads what was tried for a finding before, for whoever drafts it again."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from selfimprover.domain import Attempt, Past, PullRequest, Verdict
from selfimprover.memory import tables
from selfimprover.memory.codec import decode

_READ = 12
_KEPT = 5


@dataclass(frozen=True, slots=True)
class _Words:
    """What a stored draft says, without its files."""

    drafter: str
    title: str
    root_cause: str
    change: str


async def read_past(connection: AsyncConnection, finding_id: str) -> Past:
    """The last few drafts before the newest, each but once, and the pull requests before this generation's."""
    return Past(await _attempts(connection, finding_id), await _pull_requests(connection, finding_id))


async def _attempts(connection: AsyncConnection, finding_id: str) -> tuple[Attempt, ...]:
    """What is tried again on each new base, and fails as before, is told once."""
    column = tables.draft.c
    query = select(column.data, column.verdict).where(column.finding_id == finding_id)
    rows = (await connection.execute(query.order_by(column.attempt.desc()).limit(_READ))).all()
    told: dict[tuple[_Words, str], Attempt] = {}
    for row in rows:
        words = decode(_Words, row.data)
        verdict = None if row.verdict is None else decode(Verdict, row.verdict)
        attempt = Attempt(
            drafter=words.drafter,
            title=words.title,
            root_cause=words.root_cause,
            change=words.change,
            verdict=verdict,
        )
        told.setdefault((words, verdict.reason if verdict else ""), attempt)
    return tuple(told.values())[1 : 1 + _KEPT]


async def _pull_requests(connection: AsyncConnection, finding_id: str) -> tuple[PullRequest, ...]:
    column, now = tables.pull_request.c, tables.finding.c
    generation = select(now.generation).where(now.id == finding_id).scalar_subquery()
    query = select(column.data).where(
        column.finding_id == finding_id, column.generation < generation, column.data.is_not(None)
    )
    rows = await connection.execute(query.order_by(column.generation.desc()).limit(_KEPT))
    return tuple(decode(PullRequest, data) for data in rows.scalars())
