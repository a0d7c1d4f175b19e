"""Errors that repeat: failures of the error window, grouped into patterns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from selfimprover.analyzers.options import integer_options
from selfimprover.domain import Baseline, DayCount, Finding, Fingerprint, Query, TaskCounts, TaskRecord, Window
from selfimprover.interfaces import AnalysisContext, TelemetrySource

_SAMPLES = 3
_PLACES = 10


@dataclass(slots=True)
class _Group:
    """The failures of one pattern, as they stream by."""

    fingerprint: Fingerprint
    first_seen: datetime
    last_seen: datetime
    count: int = 0
    kinds: set[str | None] = field(default_factory=set)
    days: Counter[date] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    samples: list[TaskRecord] = field(default_factory=list)

    def add(self, record: TaskRecord, place: str | None, day: date) -> None:
        self.count += 1
        self.first_seen = min(self.first_seen, record.created_at)
        self.last_seen = max(self.last_seen, record.created_at)
        self.kinds.add(record.kind)
        self.days[day] += 1
        if place is not None:
            self.places[place] += 1
        self.samples.append(record)
        if len(self.samples) > _SAMPLES:
            # The newest stay, but a sample with a traceback is worth more than a newer one without.
            self.samples.sort(key=lambda sample: (sample.traceback is not None, sample.created_at))
            del self.samples[0]


class RepeatedErrors:
    """Finds patterns with at least ``threshold`` failures in the last ``days`` days and today."""

    name = "repeated_errors"
    kind = "repeated_error"

    def __init__(self, options: Mapping[str, object]) -> None:
        """``options``: ``threshold`` (default 2) and ``days`` (default 7). Raises ``ValueError`` for anything else."""
        values = integer_options(self.name, options, threshold=2, days=7)
        self.threshold, self.days = values["threshold"], values["days"]

    async def analyze(self, telemetry: TelemetrySource, context: AnalysisContext) -> Sequence[Finding]:
        """The repeated errors of one project, most occurrences first."""
        window = context.calendar.last(context.at, self.days)
        counts = await telemetry.task_counts(context.calendar.days(context.at, self.days))
        groups = await self._groups(telemetry, context, window)
        total = sum(group.count for group in groups.values())
        repeated = [group for group in groups.values() if group.count >= self.threshold]
        repeated.sort(key=lambda group: (-group.count, group.fingerprint.value))
        queries = (await telemetry.failures_query(window), *(count.query for count in counts))
        return [_finding(group, context, window, counts, queries, total) for group in repeated]

    async def _groups(self, telemetry: TelemetrySource, context: AnalysisContext, window: Window) -> dict[str, _Group]:
        groups: dict[str, _Group] = {}
        async for batch in telemetry.failures(window):
            for record in batch:
                found = context.fingerprinter.fingerprint(record.error, record.traceback)
                group = groups.get(found.value)
                if group is None:
                    group = groups[found.value] = _Group(found, record.created_at, record.created_at)
                group.add(record, found.place, context.calendar.day_of(record.created_at))
        return groups


def _finding(
    group: _Group,
    context: AnalysisContext,
    window: Window,
    counts: Sequence[TaskCounts],
    queries: tuple[Query, ...],
    total: int,
) -> Finding:
    newest_first = sorted(group.samples, key=lambda sample: sample.created_at, reverse=True)
    return Finding(
        id=group.fingerprint.value[:12],
        kind=RepeatedErrors.kind,
        fingerprint=group.fingerprint,
        title=title_of(group.fingerprint),
        occurrences=group.count,
        first_seen=group.first_seen,
        last_seen=group.last_seen,
        projects=(context.project,),
        baseline=_baseline(group, context, window, counts),
        samples=tuple(newest_first),
        queries=queries,
        failures_in_window=total,
        places=tuple(group.places.most_common(_PLACES)),
    )


def _baseline(group: _Group, context: AnalysisContext, window: Window, counts: Sequence[TaskCounts]) -> Baseline:
    named = frozenset(kind for kind in group.kinds if kind is not None)
    kinds = None if None in group.kinds or not named else named
    tasks = sum(count.total(kinds) for count in counts)
    return Baseline(
        window=window,
        kinds=tuple(sorted(kinds or ())),
        tasks=tasks,
        failures=group.count,
        succeeded=tasks - sum(count.failed(kinds) for count in counts),
        daily=tuple(
            DayCount(day, count.total(kinds), group.days[day])
            for count in counts
            for day in [context.calendar.day_of(count.window.start)]
        ),
    )


def title_of(fingerprint: Fingerprint) -> str:
    """One line that names a pattern for a person."""
    if not fingerprint.template:
        place = f" in {fingerprint.locus}" if fingerprint.locus else ""
        return f"{fingerprint.error_type or 'Failure without an error text'}{place}"
    return f"{fingerprint.error_type}: {fingerprint.template}" if fingerprint.error_type else fingerprint.template
