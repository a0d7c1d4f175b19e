"""Reads case files: what the tables hold about a finding, put together."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from selfimprover.domain import (
    Baseline,
    CaseFile,
    Confidence,
    Draft,
    Finding,
    Join,
    Outcome,
    PullRequest,
    State,
    Triage,
    Verdict,
)
from selfimprover.memory import tables
from selfimprover.memory.codec import T, decode

FIRST_SEEN = "first seen"
"""Why a fingerprint means a finding, where there is nothing to explain."""


async def read_cases(connection: AsyncConnection, finding_id: str | None = None) -> Sequence[CaseFile]:
    """All case files, or the one of ``finding_id``; most occurrences first."""
    column = tables.finding.c
    query = select(tables.finding).order_by(column.occurrences.desc(), column.id)
    if finding_id is not None:
        query = query.where(column.id == finding_id)
    rows = (await connection.execute(query)).all()
    aliases = defaultdict(list)
    for row in await _related(connection, tables.alias, finding_id, tables.alias.c.position):
        aliases[row.finding_id].append(Join(row.fingerprint, row.why))
    # Of each of these the newest row of a finding wins, because they come oldest first.
    drafts = {
        row.finding_id: row for row in await _related(connection, tables.draft, finding_id, tables.draft.c.attempt)
    }
    pulls = {
        (row.finding_id, row.generation): row
        for row in await _related(connection, tables.pull_request, finding_id, tables.pull_request.c.generation)
    }
    outcomes = {
        (row.finding_id, row.generation): row
        for row in await _related(connection, tables.outcome, finding_id, tables.outcome.c.night)
    }
    return [
        _case(
            row,
            tuple(aliases[row.id]),
            drafts.get(row.id),
            pulls.get((row.id, row.generation)),
            outcomes.get((row.id, row.generation)),
        )
        for row in rows
    ]


async def _related(connection: AsyncConnection, table: Table, finding_id: str | None, order: Any) -> Sequence[Row[Any]]:
    query = select(table).order_by(order)
    if finding_id is not None:
        query = query.where(table.c.finding_id == finding_id)
    return (await connection.execute(query)).all()


def _case(
    row: Row[Any],
    aliases: tuple[Join, ...],
    draft: Row[Any] | None,
    pull: Row[Any] | None,
    outcome: Row[Any] | None,
) -> CaseFile:
    return CaseFile(
        finding=decode(Finding, row.data),
        project=row.project,
        state=State(row.state),
        reason=row.reason,
        triage=_optional(Triage, row.triage),
        generation=row.generation,
        attempts=row.attempts,
        attempt_key=row.attempt_key,
        fingerprints=tuple(alias.fingerprint for alias in aliases),
        joins=tuple(alias for alias in aliases if alias.reason != FIRST_SEEN),
        draft=_optional(Draft, draft.data) if draft else None,
        drafted_at=datetime.fromisoformat(draft.at) if draft else None,
        verdict=_optional(Verdict, draft.verdict) if draft else None,
        confidence=_optional(Confidence, draft.confidence) if draft else None,
        head_commit=pull.head_commit if pull else None,
        revises=pull.revises if pull else None,
        answered=tuple(json.loads(pull.answered)) if pull else (),
        baseline=_optional(Baseline, pull.baseline) if pull else None,
        pull_request=_optional(PullRequest, pull.data) if pull else None,
        outcome=_optional(Outcome, outcome.data) if outcome else None,
    )


def _optional(kind: type[T], text: str | None) -> T | None:
    return None if text is None else decode(kind, text)
