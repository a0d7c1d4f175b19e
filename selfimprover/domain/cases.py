"""What the memory holds: case files, their steps, and evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from selfimprover.domain.drafts import Confidence, Draft, Verdict
from selfimprover.domain.findings import Baseline, Finding, State, Triage
from selfimprover.domain.outcomes import Outcome
from selfimprover.domain.patterns import Join
from selfimprover.domain.pulls import PullRequest


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
class Attempt:
    """An earlier draft of a finding, as far as whoever drafts again should know it."""

    drafter: str
    title: str
    root_cause: str
    change: str
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Past:
    """What was tried for a finding before its newest draft and pull request, newest first and not without end."""

    attempts: tuple[Attempt, ...] = ()
    pull_requests: tuple[PullRequest, ...] = ()
    """Those of earlier generations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """Everything the memory holds about one finding."""

    finding: Finding
    project: str
    """Whose repository gets the fix: settled when the finding is first seen, whatever tonight's numbers say."""
    state: State
    reason: str
    triage: Triage | None = None
    generation: int = 1
    attempts: int = 0
    attempt_key: str = ""
    """What the last attempt depended on (base commit, configuration); a new key deserves a new attempt."""
    fingerprints: tuple[str, ...] = ()
    """Every fingerprint that means this finding, the first one first."""
    joins: tuple[Join, ...] = ()
    """Why each of them does, but for the first."""
    draft: Draft | None = None
    drafted_at: datetime | None = None
    """Dates the commit, so that a replay makes the same one."""
    verdict: Verdict | None = None
    confidence: Confidence | None = None
    head_commit: str | None = None
    """The commit of ours that the branch was left at; ``None`` also where a person has taken over."""
    revises: str | None = None
    """The commit whose place the newest draft is to take on the branch of the pull request, until it has."""
    answered: tuple[str, ...] = ()
    """What was answered or settled once on the pull request, each by a key whose first word says what."""
    pull_request: PullRequest | None = None
    baseline: Baseline | None = None
    outcome: Outcome | None = None
    past: Past = Past()
    """Read where a finding is drafted, and nowhere else: see ``Memory.past``."""

    def has_answered(self, what: str) -> bool:
        """Whether a key of this first word is among the answers."""
        return any(answer.partition(" ")[0] == what for answer in self.answered)

    @property
    def branch(self) -> str:
        """A pure function of finding id and generation, so that a replay finds its own branch again."""
        suffix = "" if self.generation == 1 else f"-g{self.generation}"
        return f"selfimprover/fix-{self.finding.id}{suffix}"
