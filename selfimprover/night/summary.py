"""What a night found and did, put together at its end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from selfimprover.domain import (
    CaseFile,
    FindingReport,
    Fingerprint,
    NightReport,
    Outcome,
    Problem,
    ProjectReport,
    PullRequest,
    PullState,
    State,
    TopError,
    Triage,
    Usage,
)
from selfimprover.interfaces import Measured
from selfimprover.night.fixing import Base

_TOP_ERRORS = 10


@dataclass(slots=True)
class Tonight:
    """What has come together so far."""

    key: str
    at: datetime
    dry_run: bool
    pulls: dict[str, dict[int, PullRequest]] = field(default_factory=dict)
    """Our pull requests by project; a project whose forge cannot be used has none."""
    projects: list[ProjectReport] = field(default_factory=list)
    top_errors: Counter[Fingerprint] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    """The values of all fingerprints that mean an error of the last days."""
    analyzed: set[tuple[str, str]] = field(default_factory=set)
    """(project, kind of finding) that were looked at in full."""
    measured: list[Measured] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    """The findings whose outcome became another."""
    decisions: list[tuple[CaseFile, Triage]] = field(default_factory=list)
    changed_pulls: set[tuple[str, int]] = field(default_factory=set)
    base_commits: dict[str, str] = field(default_factory=dict)
    """What the base branches pointed to when the night began."""
    bases: dict[str, Base] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    """Projects whose forge failed half way: nothing more is tried for them tonight."""
    before: dict[str, State] = field(default_factory=dict)
    """The states in which tonight found its findings."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Findings for which the model gives no answer tonight, and why."""
    failed: set[str] = field(default_factory=set)
    """Findings with which something went wrong: nothing more is tried for them tonight."""
    problems: list[Problem] = field(default_factory=list)

    def all_pulls(self) -> Iterator[PullRequest]:
        """Those of all projects; of a repository with several of them, each as often."""
        for pulls in self.pulls.values():
            yield from pulls.values()

    def saw(self, case: CaseFile) -> bool:
        """Whether the error of a finding was there in the last days, if only too seldom to be found."""
        return not self.seen.isdisjoint(case.fingerprints)


def summed_up(tonight: Tonight, timezone: str, problems: Sequence[Problem], usage: Usage) -> NightReport:
    """The report; ``problems`` are those that were there before the night began."""
    return NightReport(
        night=tonight.key,
        at=tonight.at,
        dry_run=tonight.dry_run,
        timezone=timezone,
        projects=tuple(tonight.projects),
        top_errors=_top(tonight.top_errors),
        findings=tuple(
            _finding_report(case, triage, tonight.before.get(case.finding.id)) for case, triage in tonight.decisions
        ),
        pull_requests=_pull_requests(tonight),
        outcomes=tuple(tonight.outcomes),
        usage=usage,
        errors=(*problems, *tonight.problems),
        settled=tuple(tonight.settled),
    )


def _pull_requests(tonight: Tonight) -> tuple[PullRequest, ...]:
    """All open ones and those that this night changed."""
    shown = {(project, number): pull for project, pulls in tonight.pulls.items() for number, pull in pulls.items()}
    new = {
        (case.project, case.pull_request.number): case.pull_request
        for case, _ in tonight.decisions
        if case.pull_request is not None and case.state is State.OPEN
    }
    shown |= new
    told = {
        pull.url: pull
        for key, pull in sorted(shown.items())
        if pull.state is PullState.OPEN or key in tonight.changed_pulls
    }
    return tuple(told.values())


def _top(counts: Counter[Fingerprint]) -> tuple[TopError, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0].value))[:_TOP_ERRORS]
    return tuple(TopError(found.error_type, found.template, count) for found, count in ordered)


def _finding_report(case: CaseFile, triage: Triage, before: State | None) -> FindingReport:
    finding = case.finding
    return FindingReport(
        id=finding.id,
        kind=finding.kind,
        title=finding.title,
        error_type=finding.error_type,
        occurrences=finding.occurrences,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        projects=finding.projects,
        state=case.state,
        triage=triage.choice,
        reason=triage.reason,
        pr_number=case.pull_request.number if case.pull_request else None,
        confidence=case.confidence.value if case.confidence and case.confidence.value else None,
        before=before,
    )
