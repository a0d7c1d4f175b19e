"""The share of tasks that fail: yesterday beside the days before."""

import math
from collections.abc import Mapping, Sequence

from selfimprover.analyzers.options import integer_options
from selfimprover.domain import Baseline, DayCount, Finding, TaskCounts, Window
from selfimprover.interfaces import AnalysisContext, TelemetrySource
from selfimprover.statistics import compare_rates, overdispersion


class FailureRate:
    """Finds a failure rate that rose beyond chance: the exact 95 % interval of its ratio lies above 1.

    Silent when there is too little to tell, which is most often.
    """

    name = "failure_rate"
    kind = "failure_rate"

    def __init__(self, options: Mapping[str, object]) -> None:
        """``options``: ``days`` (default 7), yesterday included. Raises ``ValueError`` for anything else."""
        self.days = integer_options(self.name, options, days=7)["days"]
        if self.days == 1:
            raise ValueError(
                "analyzers.failure_rate.days must be at least 2: yesterday needs a day to be compared with"
            )

    async def analyze(self, telemetry: TelemetrySource, context: AnalysisContext) -> Sequence[Finding]:
        """At most one finding."""
        *days, _today = await telemetry.task_counts(context.calendar.days(context.at, self.days))
        *earlier, yesterday = days
        before = (sum(day.failed() for day in earlier), sum(day.total() for day in earlier))
        after = (yesterday.failed(), yesterday.total())
        bursts = overdispersion([(day.failed(), day.total()) for day in earlier if day.total()], [after])
        rates = compare_rates(before, after, dispersion=bursts)
        if rates.low <= 1:
            return []
        upper = "no upper end" if math.isinf(rates.high) else f"{rates.high:.2g}"
        fingerprint = context.fingerprinter.named(self.kind, context.project, "the failure rate rose")
        return [
            Finding(
                id=fingerprint.value[:12],
                kind=self.kind,
                fingerprint=fingerprint,
                title=f"The failure rate rose from {_percent(*before)} to {_percent(*after)}",
                occurrences=yesterday.failed(),
                first_seen=yesterday.window.start,
                last_seen=yesterday.window.end,
                projects=(context.project,),
                baseline=_baseline(context, earlier),
                queries=tuple(day.query for day in days),
                details=(
                    f"{after[0]} of {after[1]} tasks failed yesterday, {before[0]} of {before[1]} in the days before",
                    f"rate ratio between {rates.low:.2g} and {upper} (95 %, exact), p = {rates.p_value:.2g}",
                ),
                failures_in_window=before[0] + after[0],
            )
        ]


def _baseline(context: AnalysisContext, earlier: Sequence[TaskCounts]) -> Baseline:
    tasks, failures = sum(day.total() for day in earlier), sum(day.failed() for day in earlier)
    return Baseline(
        window=Window(earlier[0].window.start, earlier[-1].window.end),
        kinds=(),
        tasks=tasks,
        failures=failures,
        succeeded=tasks - failures,
        daily=tuple(DayCount(context.calendar.day_of(day.window.start), day.total(), day.failed()) for day in earlier),
    )


def _percent(failures: int, tasks: int) -> str:
    return f"{100 * failures / tasks:.1f} %"
