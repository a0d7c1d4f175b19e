"""Errors that repeat: failures of the error window, grouped into patterns."""

from collections.abc import Mapping, Sequence

from selfimprover.analyzers.options import integer_options
from selfimprover.domain import Baseline, DayCount, Finding, Fingerprint, Occurrences, Query, TaskCounts, Window
from selfimprover.interfaces import AnalysisContext, TelemetrySource


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
        found = await context.patterns.in_window(telemetry, window)
        counts = await telemetry.task_counts(context.calendar.days(context.at, self.days))
        total = sum(pattern.count for pattern in found)
        queries = (await telemetry.failures_query(window), *(count.query for count in counts))
        repeated = [pattern for pattern in found if pattern.count >= self.threshold]
        return [_finding(pattern, context, window, counts, queries, total) for pattern in repeated]


def _finding(
    found: Occurrences,
    context: AnalysisContext,
    window: Window,
    counts: Sequence[TaskCounts],
    queries: tuple[Query, ...],
    total: int,
) -> Finding:
    return Finding(
        id=found.pattern.fingerprint.value[:12],
        kind=RepeatedErrors.kind,
        fingerprint=found.pattern.fingerprint,
        title=title_of(found.pattern.fingerprint),
        occurrences=found.count,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        projects=(context.project,),
        baseline=_baseline(found, context, window, counts),
        samples=found.samples,
        queries=queries,
        failures_in_window=total,
        places=found.places,
        members=found.pattern.members,
        joins=found.pattern.joins,
    )


def _baseline(found: Occurrences, context: AnalysisContext, window: Window, counts: Sequence[TaskCounts]) -> Baseline:
    named = frozenset(kind for kind in found.kinds if kind is not None)
    kinds = None if None in found.kinds or not named else named
    tasks = sum(count.total(kinds) for count in counts)
    return Baseline(
        window=window,
        kinds=tuple(sorted(kinds or ())),
        tasks=tasks,
        failures=found.count,
        succeeded=tasks - sum(count.failed(kinds) for count in counts),
        daily=tuple(
            DayCount(day, count.total(kinds), found.days.get(day, 0))
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
