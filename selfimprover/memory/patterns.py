"""What the memory knows of fingerprints: those seen, what each means, and what people decided about them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from selfimprover.domain import Fingerprint, KnownPatterns, State, iso
from selfimprover.memory import tables
from selfimprover.memory.codec import decode, encode

_MOST = 20_000
"""How many fingerprints are kept as evidence for joins, besides those that mean a finding."""
_SETTLED = (State.PUSHED, State.OPEN, State.MERGED, State.CLOSED, State.DISMISSED)


async def known(connection: AsyncConnection, version: int) -> KnownPatterns:
    """What is known about fingerprints of this version."""
    alias, finding, pattern = tables.alias.c, tables.finding.c, tables.pattern.c
    seen = await connection.execute(select(pattern.data).where(pattern.version == version).order_by(pattern.number))
    means = await connection.execute(
        select(alias.fingerprint, alias.finding_id)
        .join(tables.finding, finding.id == alias.finding_id)
        .order_by(finding.first_night, finding.id, alias.position)
    )
    settled = await connection.execute(select(finding.id).where(finding.state.in_(_SETTLED)))
    apart = await connection.execute(select(tables.apart.c.fingerprint))
    return KnownPatterns(
        fingerprints=tuple(decode(Fingerprint, data) for data in seen.scalars()),
        owners={row.fingerprint: row.finding_id for row in means},
        apart=frozenset(apart.scalars()),
        settled=frozenset(settled.scalars()),
    )


async def keep(connection: AsyncConnection, fingerprints: Collection[Fingerprint], night: str) -> None:
    """Enters fingerprints that were not known; beyond the most that is kept, the oldest go."""
    table = tables.pattern
    rows = [
        {"fingerprint": one.value, "version": one.version, "night": night, "data": encode(one)} for one in fingerprints
    ]
    if rows:
        await connection.execute(insert(table), rows)
    newest = (await connection.execute(select(func.max(table.c.number)))).scalar() or 0
    meaning = select(tables.alias.c.fingerprint)
    await connection.execute(delete(table).where(table.c.number <= newest - _MOST, table.c.fingerprint.not_in(meaning)))


async def hand_over(connection: AsyncConnection, finding_id: str, into: str, why: str) -> None:
    """Lets everything that means one finding mean another from now on."""
    alias = tables.alias
    place = (await connection.execute(select(func.count()).where(alias.c.finding_id == into))).scalar_one()
    moved = await connection.execute(
        select(alias.c.fingerprint).where(alias.c.finding_id == finding_id).order_by(alias.c.position)
    )
    for position, fingerprint in enumerate(list(moved.scalars()), place):
        await connection.execute(
            update(alias).where(alias.c.fingerprint == fingerprint).values(finding_id=into, position=position, why=why)
        )
        await connection.execute(delete(tables.apart).where(tables.apart.c.fingerprint == fingerprint))


async def take_out(connection: AsyncConnection, fingerprint: str, at: datetime) -> None:
    """Lets a fingerprint mean its own finding again, or nothing until it is seen, and join nothing by itself."""
    alias, finding = tables.alias, tables.finding.c
    own = (await connection.execute(select(finding.id).where(finding.id == fingerprint[:12]))).scalar()
    this = alias.c.fingerprint == fingerprint
    if own is None:
        await connection.execute(delete(alias).where(this))
    else:
        place = select(func.count()).where(alias.c.finding_id == own)
        position = (await connection.execute(place)).scalar_one()
        values = {"finding_id": own, "position": position, "why": "taken out of another by a person"}
        await connection.execute(update(alias).where(this).values(values))
    await connection.execute(delete(tables.apart).where(tables.apart.c.fingerprint == fingerprint))
    await connection.execute(insert(tables.apart).values(fingerprint=fingerprint, at=iso(at)))
