"""The table of calls of the language model."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from selfimprover.domain import CallOutcome, ModelCall, Spent, State, TokenUsage, iso
from selfimprover.memory.tables import finding
from selfimprover.memory.tables import model_call as table

_ENDED = (State.MERGED, State.CLOSED, State.DISMISSED, State.GONE)


async def enter(connection: AsyncConnection, call: ModelCall) -> int:
    """Inserts a call and returns its number."""
    fixed = {
        "request_hash": call.request_hash,
        "finding_id": call.finding_id,
        "night": call.night,
        "at": iso(call.at),
    }
    done = await connection.execute(insert(table).values(**fixed, **_changing(call)))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


async def settle(connection: AsyncConnection, number: int, call: ModelCall) -> None:
    """Keeps what became of a call that was entered."""
    await connection.execute(update(table).where(table.c.number == number).values(_changing(call)))


async def answered(connection: AsyncConnection, request_hash: str) -> ModelCall | None:
    """The newest answered call of this hash."""
    column = table.c
    wanted = (column.request_hash == request_hash, column.outcome == CallOutcome.ANSWERED, column.request != "")
    query = select(table).where(*wanted).order_by(table.c.number.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _call(row)


async def about(connection: AsyncConnection, finding_id: str) -> Sequence[ModelCall]:
    """The calls about a finding, oldest first."""
    query = select(table).where(table.c.finding_id == finding_id).order_by(table.c.number)
    return [_call(row) for row in (await connection.execute(query)).all()]


async def empty(connection: AsyncConnection, before: datetime) -> int:
    """Takes request and answer out of calls made before, about findings that are at an end; returns how many.

    Tokens, cost and outcome stay. An emptied call answers nothing any more.
    """
    ended = select(finding.c.id).where(finding.c.state.in_(_ENDED))
    old = (table.c.at < iso(before), table.c.request != "", table.c.finding_id.in_(ended))
    done = await connection.execute(update(table).where(*old).values(request="", answer=None))
    return done.rowcount


async def spent_in(connection: AsyncConnection, night: str) -> Spent:
    """The sum over a night; calls that failed are none."""
    column = table.c
    query = select(column.prompt_tokens, column.completion_tokens, column.cost)
    rows = (await connection.execute(query.where(column.night == night, column.outcome != CallOutcome.FAILED))).all()
    return Spent(
        calls=len(rows),
        prompt=sum(row.prompt_tokens for row in rows),
        completion=sum(row.completion_tokens for row in rows),
        cost=sum((Decimal(row.cost) for row in rows if row.cost is not None), Decimal(0)),
    )


def _changing(call: ModelCall) -> dict[str, Any]:
    """The columns that are known for good only when the call has ended."""
    return {
        "request": call.request,
        "answer": call.answer,
        "prompt_tokens": call.usage.prompt,
        "cached_tokens": call.usage.cached,
        "completion_tokens": call.usage.completion,
        "estimated": call.usage.estimated,
        "cost": None if call.cost is None else format(call.cost, "f"),
        "outcome": call.outcome,
    }


def _call(row: Row[Any]) -> ModelCall:
    return ModelCall(
        request_hash=row.request_hash,
        finding_id=row.finding_id,
        night=row.night,
        at=datetime.fromisoformat(row.at),
        request=row.request,
        outcome=CallOutcome(row.outcome),
        usage=TokenUsage(row.prompt_tokens, row.cached_tokens, row.completion_tokens, row.estimated),
        cost=None if row.cost is None else Decimal(row.cost),
        answer=row.answer,
    )
