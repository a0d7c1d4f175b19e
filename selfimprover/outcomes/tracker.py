"""Counts what happened since a fix was merged, and judges it against the baseline stored before the pull request."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from selfimprover.domain import Baseline, CaseFile, DayCount, Outcome, OutcomeState, TaskRecord, Window
from selfimprover.interfaces import AnalysisContext, Forge, Measured, Returned, TelemetrySource
from selfimprover.statistics import RateComparison, benjamini_hochberg, compare_rates, overdispersion, tasks_needed

_MATTERS = 0.5
"""The effect a fix ought to have: at least half of the failures gone."""


@dataclass(slots=True)
class _Since:
    """The failures of one case since its merge."""

    case: CaseFile
    window: Window
    failures: list[tuple[datetime, str | None]] = field(default_factory=list)
    """When, and by which version of the code."""

    def add(self, record: TaskRecord) -> None:
        if record.created_at in self.window:
            self.failures.append((record.created_at, record.version))


class Tracker:
    """Failures per opportunity, after beside before: exact interval, discounted bursts, corrected for many fixes."""

    async def measure(
        self, cases: Sequence[CaseFile], telemetry: TelemetrySource, forge: Forge, context: AnalysisContext
    ) -> Sequence[Measured]:
        """Counts failures and opportunities since each merge, as of the night's instant."""
        since = [
            _Since(case, Window(case.pull_request.merged_at, max(context.at, case.pull_request.merged_at)))
            for case in cases
            if case.pull_request and case.pull_request.merged_at and case.baseline
        ]
        if not since:
            return []
        by_fingerprint = {value: one for one in since for value in context.patterns.members(one.case.fingerprints)}
        earliest = min(entry.window.start for entry in since)
        async for batch in telemetry.failures(Window(earliest, max(context.at, earliest))):
            for record in batch:
                found = context.fingerprinter.fingerprint(record.error, record.traceback)
                if found.value in by_fingerprint:
                    by_fingerprint[found.value].add(record)
        return [await _measured(entry, telemetry, forge, context) for entry in since]

    def judge(self, measured: Sequence[Measured]) -> Sequence[Outcome]:
        """One outcome for each fix, in order."""
        compared = [_compare(one) for one in measured]
        standing = benjamini_hochberg([rates.p_value for rates, _ in compared])
        return [
            _outcome(one, rates, bursts, stands=stands)
            for one, (rates, bursts), stands in zip(measured, compared, standing, strict=True)
        ]


async def _measured(entry: _Since, telemetry: TelemetrySource, forge: Forge, context: AnalysisContext) -> Measured:
    before = entry.case.baseline
    assert before is not None
    known = await _with_fix(entry, forge)
    window = _of_fixed_code(entry, known)
    kinds = frozenset(before.kinds) or None
    counts = await telemetry.task_counts(context.calendar.split(window))
    tasks = sum(count.total(kinds) for count in counts)
    failed = Counter(context.calendar.day_of(at) for at, _ in entry.failures if at in window)
    days = ((context.calendar.day_of(count.window.start), count.total(kinds)) for count in counts)
    after = Baseline(
        window=window,
        kinds=before.kinds,
        tasks=tasks,
        failures=failed.total(),
        succeeded=tasks - sum(count.failed(kinds) for count in counts),
        daily=tuple(DayCount(day, total, failed[day]) for day, total in days),
    )
    tally = Counter(known[version] for _, version in entry.failures)
    returned = Returned(with_fix=tally[True], without_fix=tally[False], unknown=tally[None])
    return Measured(entry.case, before, after, returned)


async def _with_fix(entry: _Since, forge: Forge) -> dict[str | None, bool | None]:
    """Version that failed → whether it has the fix; ``None``: not told, or not known to the repository."""
    pull_request = entry.case.pull_request
    commit = pull_request.merge_commit if pull_request else None
    versions = {version for _, version in entry.failures}
    return {version: await forge.contains(version, commit) if version and commit else None for version in versions}


def _of_fixed_code(entry: _Since, known: Mapping[str | None, bool | None]) -> Window:
    """The time since the merge in which no code without the fix has been seen to fail any more."""
    old = [at for at, version in entry.failures if known[version] is False]
    start = max(old) + timedelta(microseconds=1) if old else entry.window.start
    return Window(start, max(start, entry.window.end))


def _compare(one: Measured) -> tuple[RateComparison, float]:
    bursts = overdispersion(
        [(day.failures, day.tasks) for day in one.before.daily if day.tasks],
        [(day.failures, day.tasks) for day in one.after.daily if day.tasks],
    )
    before, after = (one.before.failures, one.before.tasks), (one.after.failures, one.after.tasks)
    return compare_rates(before, after, dispersion=bursts), bursts


def _outcome(one: Measured, rates: RateComparison, bursts: float, *, stands: bool) -> Outcome:
    state = _state(rates, stands=stands)
    more = None
    if state is OutcomeState.NOT_YET_KNOWN:
        needed = tasks_needed((one.before.failures, one.before.tasks), one.after.failures, dispersion=bursts)
        more = None if needed is None else max(1, needed - one.after.tasks)
    pull_request = one.case.pull_request
    assert pull_request is not None
    return Outcome(
        finding_id=one.case.finding.id,
        pr_number=pull_request.number,
        state=state,
        before_failures=one.before.failures,
        before_tasks=one.before.tasks,
        after_failures=one.after.failures,
        after_tasks=one.after.tasks,
        rate_ratio_low=rates.low,
        rate_ratio_high=None if math.isinf(rates.high) else rates.high,
        p_value=rates.p_value,
        more_tasks_needed=more,
        sentence=_sentence(one, rates, state, more),
    )


def _state(rates: RateComparison, *, stands: bool) -> OutcomeState:
    if rates.high < 1 and stands:
        return OutcomeState.REDUCED
    if rates.low > 1 and stands:
        return OutcomeState.INCREASED
    return OutcomeState.NOT_REDUCED if rates.low > _MATTERS else OutcomeState.NOT_YET_KNOWN


def _sentence(one: Measured, rates: RateComparison, state: OutcomeState, more: int | None) -> str:
    upper = "∞" if math.isinf(rates.high) else f"{rates.high:.2f}"
    numbers = (
        f"{one.before.failures} of {one.before.tasks} before, {one.after.failures} of {one.after.tasks} after;"
        f" rate ratio {rates.low:.2f} to {upper} (95 %)"
    )
    if one.returned.without_fix:
        numbers += f", counted since the last of {one.returned.without_fix} failures in code without the fix"
    if state is OutcomeState.NOT_YET_KNOWN and more is not None:
        return f"not yet known, about {more} more tasks needed: {numbers}"
    return f"{state}: {numbers}"
