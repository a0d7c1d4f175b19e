"""The data that pass between the stages of a night.

Everything here is frozen and plain. Times are aware datetimes in UTC, durations are seconds, and every
text has been redacted before it was put into one of these classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

# --- time ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, from ``start`` up to but without ``end`` (both aware, UTC)."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar days of one time zone, as windows in UTC.

    A day runs from its first local midnight to the next one, so it has 23 or 25 hours where the clocks change.
    """

    timezone: tzinfo

    def day_of(self, at: datetime) -> date:
        """The local date on which ``at`` falls."""
        return at.astimezone(self.timezone).date()

    def midnight(self, day: date) -> datetime:
        """The instant (UTC) at which ``day`` begins."""
        return datetime.combine(day, time(), tzinfo=self.timezone).astimezone(UTC)

    def today(self, at: datetime) -> Window:
        """[midnight of the local day of ``at``, ``at``)."""
        return Window(self.midnight(self.day_of(at)), at)

    def yesterday(self, at: datetime) -> Window:
        """The whole local day before the one of ``at``."""
        return self.days(at, 1)[0]

    def days(self, at: datetime, count: int) -> tuple[Window, ...]:
        """The ``count`` whole local days before the one of ``at``, then the part of that day up to ``at``."""
        day = self.day_of(at)
        starts = [self.midnight(day - timedelta(days=back)) for back in range(count, -1, -1)]
        return tuple(Window(start, end) for start, end in zip(starts, [*starts[1:], at], strict=True))

    def last(self, at: datetime, days: int) -> Window:
        """The error window of the design: [midnight ``days`` days before the local day of ``at``, ``at``)."""
        return Window(self.midnight(self.day_of(at) - timedelta(days=days)), at)


# --- telemetry -----------------------------------------------------------------------------------------


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


# --- patterns and findings -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The identity of a pattern under one version of the algorithm, with what it was made from."""

    value: str
    """16 hex digits."""
    version: int
    error_type: str | None
    """The short name of the exception class, if there is one."""
    locus: str | None
    """``file.py:function`` of the innermost frame in the project's own code, if it takes part in the identity."""
    template: str
    """The message with its varying parts masked."""


@dataclass(frozen=True, slots=True)
class DayCount:
    """One local day's tasks that could have hit an error, and how many did."""

    day: date
    tasks: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How often an error occurred per opportunity: stored before its pull request is opened."""

    window: Window
    kinds: tuple[str, ...]
    """The kinds of task that could hit the error; empty where telemetry has no kinds, then all tasks count."""
    tasks: int
    failures: int
    succeeded: int
    """Tasks of these kinds that did not fail at all: what tells an intermittent error from a constant one."""
    daily: tuple[DayCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an analyzer found, with the evidence for it."""

    id: str
    """The finding id: 12 hex digits of the fingerprint under which it was first seen."""
    kind: str
    """What sort of finding: ``repeated_error``, ``failure_rate`` …"""
    fingerprint: Fingerprint
    title: str
    occurrences: int
    first_seen: datetime
    last_seen: datetime
    projects: tuple[str, ...]
    """Where it was seen, most occurrences first; the first is the one that gets the fix."""
    baseline: Baseline
    samples: tuple[TaskRecord, ...] = ()
    queries: tuple[Query, ...] = ()
    details: tuple[str, ...] = ()
    """Sentences with further numbers, for people."""
    failures_in_window: int = 0
    """All failures of the same projects and window: what ``occurrences`` is a share of."""

    @property
    def error_type(self) -> str | None:
        """The short name of the exception class, if there is one."""
        return self.fingerprint.error_type

    @property
    def pattern(self) -> str:
        """The message with its varying parts masked."""
        return self.fingerprint.template


class State(StrEnum):
    """Where a finding is in its life."""

    FOUND = "found"
    DRAFTED = "drafted"
    VERIFIED = "verified"
    PUSHED = "pushed"
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    DIAGNOSED = "diagnosed"
    SKIPPED = "skipped"
    PARKED = "parked"
    DISMISSED = "dismissed"
    GONE = "gone"


class Choice(StrEnum):
    """What triage may decide."""

    FIX = "fix"
    DIAGNOSE = "diagnose"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Triage:
    """What to do about a finding tonight, and why, in words a person understands."""

    choice: Choice
    reason: str


# --- drafts and verdicts -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edit:
    """One file of a draft: its whole text before and after (``None``: the file does not exist)."""

    path: str
    """POSIX path from the root of the repository."""
    before: str | None
    after: str | None


class Risk(StrEnum):
    """The class of a change: what auto-merge may be allowed by."""

    RETRY = "retry"
    DEFENSIVE_CHECK = "defensive-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A proposed change."""

    drafter: str
    """``recipe:<name>``."""
    title: str
    """One imperative line: the subject of the commit and of the pull request."""
    summary: str
    """What the change is, as a noun phrase: "delegated property"."""
    root_cause: str
    change: str
    may_hide: tuple[str, ...]
    """What the change could cover up, one sentence each."""
    risk: Risk
    edits: tuple[Edit, ...]
    proof: tuple[str, ...] = ()
    """The preconditions that were shown from code and telemetry, one sentence each."""


class CheckStatus(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a verdict and what it showed."""

    name: str
    status: CheckStatus
    detail: str
    seconds: float = 0.0


class Strength(StrEnum):
    """How much the test run can prove."""

    BY_TEST = "test by test"
    BY_EXIT_CODE = "by exit code"
    NONE = "no tests ran"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verification showed for a draft on one base commit."""

    base_commit: str
    passed: bool
    strength: Strength
    sandbox: str
    """What isolated the run: ``none`` means that the tests ran bare."""
    checks: tuple[Check, ...]
    reason: str
    """Why it passed or did not, in one sentence."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure we are that a fix is right: ``value`` between 0 and 1, and the parts that it is the sum of."""

    value: float
    parts: tuple[tuple[str, float], ...]


# --- pull requests -------------------------------------------------------------------------------------


class PullState(StrEnum):
    """The state of a pull request on its forge."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class ChecksState(StrEnum):
    """What the checks of a pull request say, taken together."""

    PASSING = "passing"
    FAILING = "failing"
    PENDING = "pending"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as the forge tells it."""

    number: int
    finding_id: str
    fingerprints: tuple[str, ...]
    title: str
    branch: str
    url: str
    state: PullState
    draft: bool
    checks: ChecksState
    head_commit: str
    opened_at: datetime
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    merge_commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The one commit of a fix branch: made from the edits alone, and equal on every replay."""

    branch: str
    base_commit: str
    edits: tuple[Edit, ...]
    message: str
    author: str
    """``Name <address>``."""
    date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A pull request about to be opened for a pushed branch."""

    finding_id: str
    fingerprints: tuple[str, ...]
    branch: str
    head_commit: str
    title: str
    body: str
    draft: bool
    checks: ChecksState
    """What our own proof showed; a forge that runs checks of its own ignores it."""
    opened_at: datetime
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    reviewers: tuple[str, ...] = ()


# --- memory --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One entry of the memory: never edited, never deleted."""

    content: str
    confidence: float | None
    timestamp: datetime
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A step of a finding from one state to the next, with what the new state carries."""

    finding_id: str
    before: State
    after: State
    reason: str
    night: str
    at: datetime
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """Everything the memory holds about one finding."""

    finding: Finding
    state: State
    reason: str
    triage: Triage | None = None
    generation: int = 1
    attempts: int = 0
    attempt_key: str = ""
    """What the last attempt depended on (base commit, configuration); a new key deserves a new attempt."""
    fingerprints: tuple[str, ...] = ()
    """Every fingerprint that means this finding, the first one first."""
    draft: Draft | None = None
    verdict: Verdict | None = None
    confidence: Confidence | None = None
    head_commit: str | None = None
    pull_request: PullRequest | None = None
    baseline: Baseline | None = None
    outcome: "Outcome | None" = None

    @property
    def branch(self) -> str:
        """A pure function of finding id and generation, so that a replay finds its own branch again."""
        suffix = "" if self.generation == 1 else f"-g{self.generation}"
        return f"selfimprover/fix-{self.finding.id}{suffix}"


class OutcomeState(StrEnum):
    """What a merged fix did, as far as the numbers can tell."""

    REDUCED = "reduced"
    NOT_REDUCED = "not reduced"
    INCREASED = "increased"
    NOT_YET_KNOWN = "not yet known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a merged fix: failures per opportunity after the merge beside the stored baseline."""

    finding_id: str
    pr_number: int
    state: OutcomeState
    before_failures: int
    before_tasks: int
    after_failures: int
    after_tasks: int
    rate_ratio_low: float
    rate_ratio_high: float | None
    """``None``: no upper bound yet."""
    p_value: float
    more_tasks_needed: int | None
    """About how many further tasks without a recurrence would settle it; ``None`` if it is settled or unknowable."""
    sentence: str


# --- the report of a night -----------------------------------------------------------------------------


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
