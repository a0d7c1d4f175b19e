"""Decides which rows of a table are read for some windows: by an index, by their row ids, or all of them."""

import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

import aiosqlite

from selfimprover.domain import Window
from selfimprover.telemetry import bounds
from selfimprover.telemetry.layout import Layout, Rows
from selfimprover.telemetry.rowids import EVERYTHING, RowIds, Sample, search
from selfimprover.telemetry.rows import instant_of

SMALL = 20_000
"""A table of no more rows is read as a whole: nothing would be gained, and nothing can be missed."""

_ROWS_AT_FIRST = 50_000
_ROWS_AT_LEAST = 1_000
_MOST_GROWTH = 4
_SECONDS = 0.1
"""How long one statement is to take: as long as it runs, the assistant's WAL cannot be emptied."""


class Way(Enum):
    """How rows are found."""

    BY_INDEX = "by an index on created_at"
    BY_ROW_ID = "by row id, since times follow row ids"
    ALL = "by reading every row, since times do not follow row ids"
    SMALL = "by reading every row of a small table"
    UNNUMBERED = "by reading every row, since rows have no row ids"


@dataclass(frozen=True, slots=True)
class Access:
    """How rows are found in a large table, and the statement of an index that would help."""

    way: Way
    index: str | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What is read of one table for some windows."""

    layout: Layout
    way: Way
    ids: RowIds = EVERYTHING
    first: int = 0
    last: int = 0
    """The least and the largest row id that there was."""

    @property
    def rows(self) -> Rows:
        """What the statements look at."""
        if self.way in {Way.BY_INDEX, Way.UNNUMBERED}:
            return Rows.NEAR
        return Rows.BOTH if self.way is Way.ALL else Rows.NUMBERED

    def statement(self, name: str) -> str:
        """The named statement over these rows."""
        return self.layout.statement(name, self.rows)

    @property
    def is_whole(self) -> bool:
        """Whether the statements see every row between two row ids, and so can count what is wrong with them."""
        return self.rows is Rows.NUMBERED

    @property
    def parameters(self) -> dict[str, int]:
        """What the statements need to know of the row ids."""
        return {} if self.rows is Rows.NEAR else {"low": self.ids.low, "high": self.ids.high}


async def decide(
    connection: aiosqlite.Connection, layout: Layout, windows: Sequence[Window], zone: tzinfo, *, small: int = SMALL
) -> Reach:
    """What has to be read for the windows; costs a few hundred looks at single rows at most."""
    if await is_indexed(connection, layout):
        return Reach(layout, Way.BY_INDEX)
    if layout.rowid is None:
        return Reach(layout, Way.UNNUMBERED)
    first, last = await _ends(connection, layout)
    if last - first < small:
        return Reach(layout, Way.SMALL, first=first, last=last)

    async def look(places: Sequence[int]) -> Iterable[Sample]:
        rows = await connection.execute_fetchall(layout.statement("samples"), {"places": json.dumps(places)})
        return [Sample(row["rowid"], instant_of(row["moment"], row["local"], zone)) for row in rows]

    start, end = (min(window.start for window in windows), max(window.end for window in windows))
    ids = await search(look, first, last, bounds.usual(start), bounds.usual(end))
    return Reach(layout, Way.ALL if ids.all else Way.BY_ROW_ID, ids, first, last)


async def _ends(connection: aiosqlite.Connection, layout: Layout) -> tuple[int, int]:
    """The least and the largest row id; (0, 0) where there is none."""
    (first,) = await connection.execute_fetchall(layout.statement("first_row"))
    (last,) = await connection.execute_fetchall(layout.statement("last_row"))
    return (first["rowid"] or 0, last["rowid"] or 0)


async def is_indexed(connection: aiosqlite.Connection, layout: Layout) -> bool:
    """Whether SQLite would look into an index for the times of a window."""
    sql = f"EXPLAIN QUERY PLAN SELECT 1 FROM {layout.table} AS t WHERE {layout.near}"  # noqa: S608 - quoted names
    now = Window(datetime.fromisoformat("2026-01-01T00:00:00Z"), datetime.fromisoformat("2026-01-02T00:00:00Z"))
    plan = await connection.execute_fetchall(sql, bounds.near([now]))
    return not layout.is_view and not any(str(row["detail"]).startswith("SCAN") for row in plan)


async def stretches(reach: Reach) -> AsyncIterator[dict[str, int]]:
    """The parameters under which to run a statement, one after the other; together they name the rows once.

    Each is to be run in a transaction of its own before the next is asked for: that tells how many rows a tenth of a
    second takes.
    """
    if reach.rows is Rows.NEAR:
        yield {}
        return
    low, high, width = reach.ids.low, reach.ids.high, _ROWS_AT_FIRST
    start, last = max(reach.first, low), min(reach.last, high)
    while start + width <= last:
        began = time.monotonic()
        yield {"low": low, "high": start + width - 1}
        low = start = start + width
        taken = max(time.monotonic() - began, _SECONDS / _MOST_GROWTH)
        width = max(_ROWS_AT_LEAST, int(width * max(1 / _MOST_GROWTH, _SECONDS / taken)))
    yield {"low": low, "high": high}
