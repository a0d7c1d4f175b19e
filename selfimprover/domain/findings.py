"""Fingerprints, patterns, findings, and what triage decides about them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from selfimprover.domain.patterns import Fingerprint, Join
from selfimprover.domain.telemetry import Query, TaskRecord
from selfimprover.domain.time import Window


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
    """Where it was seen."""
    baseline: Baseline
    samples: tuple[TaskRecord, ...] = ()
    queries: tuple[Query, ...] = ()
    details: tuple[str, ...] = ()
    """Sentences with further numbers, for people."""
    failures_in_window: int = 0
    """All failures of the home project in the baseline's window: what its failures are a share of."""
    places: tuple[tuple[str, int], ...] = ()
    """Where in the code the failures came from, and how often, as far as they have tracebacks."""
    members: tuple[str, ...] = ()
    """The values of the fingerprints that were seen and mean it; empty: only its own."""
    joins: tuple[Join, ...] = ()
    """Why they are one."""

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
