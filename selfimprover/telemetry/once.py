"""Counts each window once a night: all who ask see the same numbers, and the table is read for the first of them."""

from collections.abc import AsyncIterator, Sequence

from selfimprover.domain import Query, TaskCounts, TaskRecord, Window
from selfimprover.interfaces import TelemetrySource


class CountedOnce:
    """Telemetry for one night: what was counted is remembered. Failures are read anew, since they may be many."""

    def __init__(self, source: TelemetrySource) -> None:
        self.project = source.project
        self._source = source
        self._counts: dict[Window, TaskCounts] = {}

    async def task_counts(self, windows: Sequence[Window]) -> Sequence[TaskCounts]:
        """Tasks by kind and status, one answer per window, in the order asked."""
        missing = [window for window in windows if window not in self._counts]
        for counts in await self._source.task_counts(missing) if missing else ():
            self._counts.setdefault(counts.window, counts)
        return [self._counts[window] for window in windows]

    def failures(self, window: Window) -> AsyncIterator[Sequence[TaskRecord]]:
        """The failed tasks of the window in batches, oldest first."""
        return self._source.failures(window)

    async def failures_query(self, window: Window) -> Query:
        """The statement that ``failures`` runs for the window, for the record."""
        return await self._source.failures_query(window)

    async def notes(self) -> Sequence[str]:
        """What had to be left out or cut so far, one sentence each."""
        return await self._source.notes()
