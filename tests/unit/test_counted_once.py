"""Within a night, a window has one count, whoever asks."""

from collections.abc import Sequence
from datetime import UTC, datetime

from selfimprover.domain import Calendar, TaskCounts, Window
from selfimprover.interfaces import TelemetrySource
from selfimprover.telemetry.once import CountedOnce
from tests.fakes.telemetry import FakeTelemetry, task

AT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)


class Counting(FakeTelemetry):
    """Notes what it was asked."""

    asked: list[Window]

    async def task_counts(self, windows: Sequence[Window]) -> Sequence[TaskCounts]:
        """As it is, and noted."""
        self.asked += windows
        return await super().task_counts(windows)


async def test_each_window_is_counted_once_and_stays_as_it_was() -> None:
    days = Calendar(UTC).days(AT, 7)
    inner = Counting("assistant", [task(1, datetime(2026, 2, 15, 12, tzinfo=UTC))])
    inner.asked = []
    night: TelemetrySource = CountedOnce(inner)
    assert [counts.total() for counts in await night.task_counts(days[-2:])] == [1, 0]
    inner.tasks.append(task(2, datetime(2026, 2, 15, 13, tzinfo=UTC)))
    assert [counts.total() for counts in await night.task_counts(days)] == [0, 0, 0, 0, 0, 0, 1, 0]
    assert [counts.window for counts in await night.task_counts(days[::-1])] == list(days[::-1])
    assert sorted(inner.asked, key=lambda window: window.start) == sorted(days, key=lambda window: window.start)
    assert await night.task_counts([]) == []
