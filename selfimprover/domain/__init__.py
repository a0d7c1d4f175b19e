"""The data that pass between the stages of a night.

Everything here is frozen and plain. Times are aware datetimes in UTC, durations are seconds, and every text has been
redacted before it was put into one of these classes. Other modules import from this package, not from its parts.
"""

from selfimprover.domain.cases import Attempt, CaseFile, Evidence, Past, Transition
from selfimprover.domain.clock import NightClock
from selfimprover.domain.daemon import DaemonState, Examined, LedgerNight
from selfimprover.domain.drafts import (
    Check,
    CheckStatus,
    Confidence,
    Draft,
    Edit,
    Feedback,
    LineCount,
    Reproduction,
    Risk,
    Strength,
    Trigger,
    Verdict,
)
from selfimprover.domain.findings import Baseline, Choice, DayCount, Finding, State, Triage
from selfimprover.domain.model_use import CallOutcome, ModelCall, Spent, TokenUsage
from selfimprover.domain.outcomes import Outcome, OutcomeState
from selfimprover.domain.patterns import Fingerprint, Join, KnownPatterns, Occurrences, Pattern
from selfimprover.domain.pulls import ChecksState, Commit, Proposal, PullRequest, PullState, Review
from selfimprover.domain.reports import FindingReport, NightReport, Problem, ProjectReport, TopError, Usage
from selfimprover.domain.telemetry import CUT_MARK, Query, TaskCount, TaskCounts, TaskRecord
from selfimprover.domain.time import Calendar, Due, Window, iso

__all__ = [
    "CUT_MARK",
    "Attempt",
    "Baseline",
    "Calendar",
    "CallOutcome",
    "CaseFile",
    "Check",
    "CheckStatus",
    "ChecksState",
    "Choice",
    "Commit",
    "Confidence",
    "DaemonState",
    "DayCount",
    "Draft",
    "Due",
    "Edit",
    "Evidence",
    "Examined",
    "Feedback",
    "Finding",
    "FindingReport",
    "Fingerprint",
    "Join",
    "KnownPatterns",
    "LedgerNight",
    "LineCount",
    "ModelCall",
    "NightClock",
    "NightReport",
    "Occurrences",
    "Outcome",
    "OutcomeState",
    "Past",
    "Pattern",
    "Problem",
    "ProjectReport",
    "Proposal",
    "PullRequest",
    "PullState",
    "Query",
    "Reproduction",
    "Review",
    "Risk",
    "Spent",
    "State",
    "Strength",
    "TaskCount",
    "TaskCounts",
    "TaskRecord",
    "TokenUsage",
    "TopError",
    "Transition",
    "Triage",
    "Trigger",
    "Usage",
    "Verdict",
    "Window",
    "iso",
]
