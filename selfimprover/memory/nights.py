"""The nights of the memory: which are unfinished, which stand in for one that was due, and their reports."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from selfimprover.domain import Due, NightReport, iso
from selfimprover.errors import ConflictError
from selfimprover.memory import tables
from selfimprover.memory.codec import decode, encode


async def begin(connection: AsyncConnection, date_key: str, at: datetime, due: Due | None, resume: str | None) -> str:
    """The key of the night: the one to ``resume``, an unfinished one of the date, else the next free key."""
    night = tables.night
    wanted = night.c.day == date_key if resume is None else night.c.key == resume
    rows = (await connection.execute(select(night).where(wanted))).all()
    unfinished = [row.key for row in rows if row.status == "running"]
    if resume is not None and not unfinished:
        raise ConflictError("it is not unfinished any more", where=f"night {resume}")
    if unfinished:
        resumed = night.c.key == unfinished[0]
        await connection.execute(update(night).where(resumed).values(at=iso(at), tries=night.c.tries + 1))
        return str(unfinished[0])
    key = date_key if not rows else f"{date_key}-{len(rows) + 1}"
    values = {"key": key, "day": date_key, "at": iso(at), "tries": 1, "status": "running", "started": _now()}
    values["due"] = await _claim(connection, due)
    await connection.execute(insert(night).values(values))
    return key


async def end(connection: AsyncConnection, report: NightReport) -> None:
    """Closes a night and keeps its report."""
    night = tables.night
    ended = {"status": "ended", "ended": _now(), "report": encode(report)}
    await connection.execute(update(night).where(night.c.key == report.night).values(ended))


async def interrupt(connection: AsyncConnection, key: str) -> None:
    """Leaves a night unfinished, as if this try had not been."""
    night = tables.night
    unfinished = (night.c.key == key, night.c.status == "running")
    await connection.execute(update(night).where(*unfinished).values(tries=night.c.tries - 1))


async def abandon(connection: AsyncConnection, key: str) -> None:
    """Gives an unfinished night up."""
    night = tables.night
    unfinished = (night.c.key == key, night.c.status == "running")
    await connection.execute(update(night).where(*unfinished).values(status="abandoned", ended=_now()))


async def report(connection: AsyncConnection, key: str | None) -> NightReport | None:
    """The report of the night with this key, or of the last one that ended."""
    night = tables.night.c
    query = select(night.report).where(night.report.is_not(None)).order_by(night.ended.desc()).limit(1)
    if key is not None:
        query = query.where(night.key == key)
    text = (await connection.execute(query)).scalar()
    return None if text is None else decode(NightReport, text)


async def ended(connection: AsyncConnection) -> Sequence[str]:
    """The keys of all nights that ended, oldest first."""
    night = tables.night.c
    query = select(night.key).where(night.report.is_not(None)).order_by(night.ended)
    return [str(key) for key in (await connection.execute(query)).scalars()]


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


async def _claim(connection: AsyncConnection, due: Due | None) -> str | None:
    """The due night that a new run stands in for."""
    if due is None:
        return None
    night = tables.night.c
    taken = (await connection.execute(select(night.key).where(night.due == due.day.isoformat()))).scalar()
    if taken is None:
        return due.day.isoformat()
    if due.required:
        raise ConflictError(f"it is held already, as {taken}", where=f"night of {due.day}")
    return None
