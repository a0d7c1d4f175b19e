"""What a night found and did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from selfimprover.domain.findings import Choice, State
from selfimprover.domain.outcomes import Outcome
from selfimprover.domain.pulls import PullRequest


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong for a part of the night: where, what, and how to mend it."""

    where: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectReport:
    """What one project's telemetry said; both counts are empty where it could not be read."""

    name: str
    today: Mapping[str, int] = field(default_factory=dict)
    yesterday: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    notes: tuple[str, ...] = ()
    """What was left out in reading, and why."""


@dataclass(frozen=True, slots=True)
class TopError:
    """A pattern and how often it occurred in the error window."""

    error_type: str | None
    pattern: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingReport:
    """A finding as the night leaves it."""

    id: str
    kind: str
    title: str
    error_type: str | None
    occurrences: int
    first_seen: datetime
    last_seen: datetime
    projects: tuple[str, ...]
    state: State
    triage: Choice
    reason: str
    pr_number: int | None
    confidence: float | None
    before: State | None = None
    """Its state when the night began; ``None`` if it is new."""

    @property
    def opened(self) -> bool:
        """Whether the night opened its pull request."""
        return self.state is State.OPEN and self.before is not State.OPEN


@dataclass(frozen=True, slots=True)
class Usage:
    """What the language model was used for tonight."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    llm_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """What a night found and did: the source of every rendering."""

    night: str
    at: datetime
    dry_run: bool
    timezone: str
    projects: tuple[ProjectReport, ...]
    top_errors: tuple[TopError, ...]
    findings: tuple[FindingReport, ...]
    pull_requests: tuple[PullRequest, ...]
    outcomes: tuple[Outcome, ...]
    usage: Usage
    errors: tuple[Problem, ...]
    settled: tuple[str, ...] = ()
    """The findings of which this night knows something else about the outcome than the one before."""
