"""Findings of several projects that are one: the same finding id."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfimprover.domain import Baseline, DayCount, Finding

_SAMPLES = 3


def combine(findings: Sequence[Finding], homes: Mapping[str, str | None]) -> tuple[Finding, ...]:
    """One finding per id, most occurrences first. Its home leads, or where none is settled, the busiest project."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.id, []).append(finding)
    combined = [_combine(_ordered(group, homes.get(name))) for name, group in grouped.items()]
    return tuple(sorted(combined, key=lambda one: (-one.occurrences, one.id)))


def _ordered(group: Sequence[Finding], home: str | None) -> Sequence[Finding]:
    return sorted(group, key=lambda one: (home not in one.projects, -one.occurrences, one.projects))


def _combine(group: Sequence[Finding]) -> Finding:
    first = group[0]
    if len(group) == 1:
        return first
    return replace(
        first,
        occurrences=sum(one.occurrences for one in group),
        first_seen=min(one.first_seen for one in group),
        last_seen=max(one.last_seen for one in group),
        projects=tuple(dict.fromkeys(project for one in group for project in one.projects)),
        baseline=_add([one.baseline for one in group]) if _same_project(group) else first.baseline,
        samples=tuple(sample for one in group for sample in one.samples)[:_SAMPLES],
        queries=tuple(query for one in group for query in one.queries),
        details=tuple(dict.fromkeys(detail for one in group for detail in one.details)),
        members=tuple(sorted({value for one in group for value in one.members})),
        joins=tuple(dict.fromkeys(join for one in group for join in one.joins)),
        places=tuple(place for one in group if one.projects == first.projects for place in one.places),
    )


def _same_project(group: Sequence[Finding]) -> bool:
    """Two fingerprints of one project that mean one finding: their failures add up, their tasks are the same."""
    return len({one.projects for one in group}) == 1


def _add(baselines: Sequence[Baseline]) -> Baseline:
    first = baselines[0]
    widest = max(baselines, key=lambda one: one.tasks)
    failures = {day.day: 0 for one in baselines for day in one.daily}
    for one in baselines:
        for day in one.daily:
            failures[day.day] += day.failures
    return replace(
        widest,
        kinds=tuple(sorted({kind for one in baselines for kind in one.kinds}))
        if all(b.kinds for b in baselines)
        else (),
        window=first.window,
        failures=sum(one.failures for one in baselines),
        daily=tuple(DayCount(day.day, day.tasks, failures[day.day]) for day in widest.daily),
    )
