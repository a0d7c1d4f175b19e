"""What telemetry tells: tasks, their counts, and the statements behind the numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from selfimprover.domain.time import Window

CUT_MARK = "\n[… cut …]\n"
"""Stands in a text of a record where its middle was left out because it was too long."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that was run and its parameters, so that a person can run it again and get the same number."""

    name: str
    sql: str
    parameters: Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One task of the assistant, as its telemetry tells it. Absent columns are ``None``."""

    project: str
    id: str
    status: str
    created_at: datetime
    error: str | None = None
    traceback: str | None = None
    agent: str | None = None
    kind: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    parent_id: str | None = None
    retries: int | None = None
    input: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class TaskCount:
    """How many tasks of one kind had one status; ``failed`` says whether that status means failure."""

    kind: str | None
    status: str
    failed: bool
    count: int


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """The tasks of one window, counted by kind and status."""

    window: Window
    rows: tuple[TaskCount, ...]
    query: Query

    def total(self, kinds: frozenset[str] | None = None) -> int:
        """All tasks, or those of ``kinds``."""
        return sum(row.count for row in self._of(kinds))

    def failed(self, kinds: frozenset[str] | None = None) -> int:
        """Failed tasks, or those of ``kinds``."""
        return sum(row.count for row in self._of(kinds) if row.failed)

    def by_status(self) -> dict[str, int]:
        """Status → number of tasks, most frequent first, then by name."""
        totals: dict[str, int] = {}
        for row in self.rows:
            totals[row.status] = totals.get(row.status, 0) + row.count
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def _of(self, kinds: frozenset[str] | None) -> tuple[TaskCount, ...]:
        return self.rows if kinds is None else tuple(row for row in self.rows if row.kind in kinds)
