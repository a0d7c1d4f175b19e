"""What the store does to the tables in one transaction: steps of findings, their journal and their attempts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from selfimprover.domain import CaseFile, Draft, Finding, PullRequest, State, Transition, iso
from selfimprover.errors import ConflictError
from selfimprover.memory import evidence as chain
from selfimprover.memory import tables
from selfimprover.memory.cases import FIRST_SEEN, read_cases
from selfimprover.memory.codec import encode

_ENDS = {State.DISMISSED, State.GONE}
_PULLED = {State.OPEN, State.MERGED, State.CLOSED}
"""What the forge says of a pull request, which a memory that was lost or restored may learn in any state."""
_STEPS: dict[State, set[State]] = {
    State.FOUND: {State.DRAFTED, State.DIAGNOSED, State.SKIPPED, State.PARKED} | _ENDS | _PULLED,
    State.DRAFTED: {State.DRAFTED, State.DIAGNOSED, State.VERIFIED, State.PUSHED, State.PARKED} | _ENDS | _PULLED,
    State.VERIFIED: {State.DRAFTED, State.DIAGNOSED, State.PUSHED, State.PARKED} | _ENDS | _PULLED,
    State.PUSHED: {State.PARKED} | _PULLED,
    State.OPEN: _PULLED,
    State.MERGED: set(),
    State.CLOSED: _PULLED,
    State.DIAGNOSED: {State.FOUND} | _ENDS | _PULLED,
    State.SKIPPED: {State.FOUND} | _ENDS | _PULLED,
    State.PARKED: {State.DRAFTED, State.DIAGNOSED, State.PUSHED, State.PARKED} | _ENDS | _PULLED,
    State.DISMISSED: set(),
    State.GONE: {State.FOUND, State.DISMISSED} | _PULLED,
}
"""Which state may follow which."""


async def one(connection: AsyncConnection, finding_id: str) -> CaseFile:
    """Everything about one finding."""
    return (await read_cases(connection, finding_id))[0]


async def put(connection: AsyncConnection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Updates the row with this key, or inserts it."""
    same = [table.c[name] == value for name, value in key.items()]
    if not (await connection.execute(update(table).where(*same).values(values))).rowcount:
        await connection.execute(insert(table).values(**key, **values))


async def move(connection: AsyncConnection, step: Transition) -> None:
    """Compare-and-set of the state, with its journal entry and evidence; raises ``ConflictError``."""
    if step.after not in _STEPS[step.before]:
        raise ConflictError(
            f"a finding cannot go from {step.before} to {step.after}", where=f"finding {step.finding_id}"
        )
    table = tables.finding
    same = (table.c.id == step.finding_id, table.c.state == step.before)
    changed = await connection.execute(update(table).where(*same).values(state=step.after, reason=step.reason))
    if not changed.rowcount:
        raise ConflictError(f"it is no longer {step.before}", where=f"finding {step.finding_id}")
    await journal(connection, step.finding_id, step.before, step.after, step.reason, step.night, step.at)
    if step.evidence is not None:
        await chain.append(connection, step.evidence)


async def journal(
    connection: AsyncConnection,
    finding_id: str,
    before: State | None,
    after: State,
    reason: str,
    night: str,
    at: datetime,
) -> None:
    """Enters a step in the journal."""
    await connection.execute(
        insert(tables.journal).values(
            finding_id=finding_id, before=before, after=after, reason=reason, night=night, at=iso(at)
        )
    )


async def add_alias(connection: AsyncConnection, finding_id: str, fingerprint: str, version: int, why: str) -> None:
    """Lets a fingerprint mean a finding, unless it means one already."""
    alias = tables.alias
    meaning = select(alias.c.finding_id).where(alias.c.fingerprint == fingerprint)
    if (await connection.execute(meaning)).scalar() is None:
        position = select(func.count()).select_from(alias).where(alias.c.finding_id == finding_id)
        values = {"fingerprint": fingerprint, "finding_id": finding_id, "version": version, "why": why}
        count = (await connection.execute(position)).scalar_one()
        await connection.execute(insert(alias).values(**values, position=count))


async def add_aliases(connection: AsyncConnection, finding: Finding) -> None:
    """Lets every fingerprint that was seen of a finding mean it."""
    own, version = finding.fingerprint.value, finding.fingerprint.version
    why = {join.fingerprint: join.reason for join in finding.joins}
    await add_alias(connection, finding.id, own, version, why.get(own, FIRST_SEEN))
    for value in finding.members:
        await add_alias(connection, finding.id, value, version, why.get(value, FIRST_SEEN))


async def count_attempt(connection: AsyncConnection, finding_id: str, attempt_key: str) -> int:
    """Notes an attempt and returns its number over the whole life of the finding."""
    await note_attempt(connection, finding_id, attempt_key)
    earlier = select(func.count()).select_from(tables.draft).where(tables.draft.c.finding_id == finding_id)
    return int((await connection.execute(earlier)).scalar_one()) + 1


async def note_attempt(connection: AsyncConnection, finding_id: str, attempt_key: str) -> None:
    """Attempts are counted per key: what they depend on has changed when the key has."""
    table = tables.finding
    same = select(table.c.attempt_key == attempt_key).where(table.c.id == finding_id)
    attempts = table.c.attempts + 1 if (await connection.execute(same)).scalar() else 1
    values = {"attempts": attempts, "attempt_key": attempt_key}
    await connection.execute(update(table).where(table.c.id == finding_id).values(values))


async def store_draft(
    connection: AsyncConnection, step: Transition, draft: Draft, attempt_key: str, **proof: object
) -> None:
    """Keeps a draft, perhaps with its ``verdict`` and ``confidence``; counts as an attempt under ``attempt_key``."""
    attempt = await count_attempt(connection, step.finding_id, attempt_key)
    values = {"finding_id": step.finding_id, "attempt": attempt, "at": iso(step.at), "data": encode(draft)}
    told = {name: encode(value) for name, value in proof.items()}
    await connection.execute(insert(tables.draft).values(**values, **told))


async def keep_pull_request(connection: AsyncConnection, pull_request: PullRequest, **more: object) -> CaseFile:
    """Stores what the forge says of a pull request, and ``more`` columns of its row.

    What commit of ours its branch has is another matter: the difference tells that somebody else pushed.
    """
    case = await one(connection, pull_request.finding_id)
    key = {"finding_id": case.finding.id, "generation": pull_request.generation}
    values = {"project": case.project, "number": pull_request.number, "data": encode(pull_request), **more}
    await put(connection, tables.pull_request, key, values)
    return await one(connection, case.finding.id)


async def change_pull_request(connection: AsyncConnection, case: CaseFile, **values: object) -> None:
    """Changes columns of the row of a finding's pull request."""
    row = tables.pull_request.c
    this = (row.finding_id == case.finding.id, row.generation == case.generation)
    await connection.execute(update(tables.pull_request).where(*this).values(**values))
