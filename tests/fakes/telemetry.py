"""An in-memory telemetry source."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from selfimprover.domain import Query, TaskCount, TaskCounts, TaskRecord, Window
from selfimprover.errors import TelemetryError


class FakeTelemetry:
    """Tasks in a list; ``broken`` makes every reading fail."""

    def __init__(self, project: str, tasks: Sequence[TaskRecord] = (), *, batch: int = 3) -> None:
        self.project = project
        self.tasks = list(tasks)
        self.broken = False
        self._batch = batch

    async def task_counts(self, windows: Sequence[Window]) -> Sequence[TaskCounts]:
        self._check()
        return [self._counts(window) for window in windows]

    async def failures(self, window: Window) -> AsyncIterator[Sequence[TaskRecord]]:
        self._check()
        failed = sorted(
            (task for task in self.tasks if task.status == "failed" and task.created_at in window),
            key=lambda task: task.created_at,
        )
        for start in range(0, len(failed), self._batch):
            yield failed[start : start + self._batch]

    async def failures_query(self, window: Window) -> Query:
        return Query("failures", "fake", {"start": window.start.isoformat(), "end": window.end.isoformat()})

    async def notes(self) -> Sequence[str]:
        return ()

    def _counts(self, window: Window) -> TaskCounts:
        counted = Counter((task.kind, task.status) for task in self.tasks if task.created_at in window)
        rows = tuple(TaskCount(kind, status, status == "failed", count) for (kind, status), count in counted.items())
        return TaskCounts(window, rows, Query("task_counts", "fake", {}))

    def _check(self) -> None:
        if self.broken:
            raise TelemetryError("it cannot be read", where=f"project {self.project}", mend="mend it")


_TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/app/agent/mail.py", line 12, in handle
    return self.{attribute}
{error}
"""


def task(
    number: int,
    at: datetime,
    *,
    error: str | None = None,
    kind: str | None = "mail",
    project: str = "assistant",
    traceback: str | None = "",
    version: str | None = None,
) -> TaskRecord:
    """A task; with ``error`` a failed one, with a traceback made for it unless ``traceback`` says otherwise."""
    made = TaskRecord(project=project, id=str(number), status="done", created_at=at.astimezone(UTC), kind=kind)
    if error is None:
        return replace(made, version=version)
    shown = _TRACEBACK.format(attribute="value", error=error) if traceback == "" else traceback
    return replace(made, status="failed", error=error, traceback=shown, version=version)
