"""Finds the row ids between which the rows of a stretch of time lie, without reading the rest of the table.

A table that only grows has its rows nearly in the order of their times. Where no row is dated more than ``MARGIN``
after one that was written later, nothing before a row of ``start - MARGIN`` belongs to the time from ``start`` on;
where none is written more than ``MARGIN`` late, nothing after a row of ``end + MARGIN`` belongs to the time before
``end``. Two such rows are looked for by probing ever closer. Whatever order the rows within the margin have, the answer
is exact.

What the table is really like is told by samples: evenly over the row ids, and ever denser towards both ends of what was
found, where a mistake would cost most. If more than a quarter of them came too late, everything is read. Else nothing
is left out that a sample speaks against: only what lies before, or behind, rows that all are beyond the margin. What
samples cannot show is a small group of rows, far from both ends, whose clock was more than a day wrong; if they are
dated within the window, they are missed.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, takewhile

MARGIN = timedelta(days=1)
"""How far the order of the rows may be from the order of their times."""

FIRST, LAST = -(2**63), 2**63 - 1

_EVEN = 256
_FEW = 0.25
_CLOSER = 32
_CLOSE_ENOUGH = 500
_MOST_ROUNDS = 40  # of 64 bits, each round tells at least five where rows are evenly spread
_PER_DOUBLING = 4


@dataclass(frozen=True, slots=True)
class RowIds:
    """The row ids from ``low`` to ``high``, both included."""

    low: int = FIRST
    high: int = LAST

    @property
    def all(self) -> bool:
        """Whether no row is left out."""
        return self == EVERYTHING


EVERYTHING = RowIds()


@dataclass(frozen=True, slots=True)
class Sample:
    """A row that was looked at; ``at`` is ``None`` if its time cannot be read."""

    rowid: int
    at: datetime | None


Look = Callable[[Sequence[int]], Awaitable[Iterable[Sample]]]
"""The first row at or after each of some row ids, where there is one."""


async def search(look: Look, first: int, last: int, start: datetime, end: datetime) -> RowIds:
    """Where everything from ``start`` up to ``end`` is, in a table whose row ids go from ``first`` to ``last``."""
    samples = _Samples(look, first, last)
    await samples.add(_evenly(first, last, _EVEN))
    if not samples.speak_for_order():
        return EVERYTHING
    await samples.approach(lambda: samples.around_low(start - MARGIN))
    await samples.approach(lambda: samples.around_high(end + MARGIN))
    await samples.add(_denser(samples.around_low(start - MARGIN)[0], first))
    await samples.add(_denser(samples.around_high(end + MARGIN)[1], last))
    low, _ = samples.around_low(start - MARGIN)
    _, high = samples.around_high(end + MARGIN)
    return RowIds(FIRST if low <= first else low, LAST if high >= last else high)


class _Samples:
    """The rows that were looked at so far."""

    def __init__(self, look: Look, first: int, last: int) -> None:
        self._look = look
        self._first, self._last = first, last
        self._seen: dict[int, datetime | None] = {}

    async def add(self, places: Sequence[int]) -> None:
        self._seen |= {sample.rowid: sample.at for sample in await self._look(places)}

    def speak_for_order(self) -> bool:
        """Whether there are enough of them, all over the table, and few were written much too late."""
        dated = self._dated()
        newest = accumulate((at for _, at in dated), max)
        late = sum(before - at > MARGIN for before, (_, at) in zip(newest, dated, strict=True))
        return len(self._seen) >= _EVEN // 2 and len(dated) >= _EVEN // 4 and late <= len(dated) * _FEW

    async def approach(self, around: Callable[[], tuple[int, int]]) -> None:
        """Probes between two rows until they are close together, or nothing is between them."""
        for _ in range(_MOST_ROUNDS):
            low, high = around()
            known = len(self._seen)
            if high - low > _CLOSE_ENOUGH:
                await self.add(_evenly(low + 1, high - 1, _CLOSER))
            if len(self._seen) == known:
                return

    def around_low(self, instant: datetime) -> tuple[int, int]:
        """The last row up to which all are dated before ``instant``, and the next one."""
        dated = self._dated()
        newest = accumulate((at for _, at in dated), max)
        before = sum(1 for _ in takewhile(lambda at: at < instant, newest))
        rows = [self._first, *(rowid for rowid, _ in dated), self._last]
        return rows[before], rows[before + 1]

    def around_high(self, instant: datetime) -> tuple[int, int]:
        """The first row from which on all are dated ``instant`` or later, and the one before it."""
        dated = self._dated()
        oldest = accumulate((at for _, at in reversed(dated)), min)
        behind = sum(1 for _ in takewhile(lambda at: at >= instant, oldest))
        rows = [self._first, *(rowid for rowid, _ in dated), self._last]
        return rows[-behind - 2], rows[-behind - 1]

    def _dated(self) -> list[tuple[int, datetime]]:
        return sorted((rowid, at) for rowid, at in self._seen.items() if at is not None)


def _evenly(first: int, last: int, count: int) -> list[int]:
    """At most ``count`` row ids from ``first`` to ``last``."""
    return sorted({first + (last - first) * place // (count - 1) for place in range(count)})


def _denser(near: int, far: int) -> list[int]:
    """Row ids between ``near`` and ``far``, at distances from ``near`` that double with every four of them."""
    reach, sign = abs(far - near), 1 if far > near else -1
    places = {near}
    distance = 1.0
    while distance < reach:
        places.add(near + sign * int(distance))
        distance *= 2 ** (1 / _PER_DOUBLING)
    return sorted(places)
