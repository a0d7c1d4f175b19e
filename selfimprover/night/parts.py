"""What a night is made of: handed over by ``bootstrap``, or by a test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from selfimprover.domain import Calendar, Problem
from selfimprover.errors import StoppedError
from selfimprover.interfaces import (
    Analyzer,
    ConfidenceRule,
    Drafter,
    Fingerprinter,
    Forge,
    Grouper,
    LeakDetector,
    Memory,
    Meter,
    OutcomeTracker,
    Progress,
    PullRequestWriter,
    TelemetrySource,
    TriagePolicy,
    Verifier,
)

log = structlog.get_logger()


class Mode(StrEnum):
    """What becomes of a proven fix: held back, or a pull request (as a draft or ready for review)."""

    OBSERVE = "observe"
    DRAFT = "draft"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """How pull requests are opened."""

    mode: Mode
    author: str
    """``Name <address>`` of the commits."""
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    reviewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one night may do."""

    findings: int = 10
    new_pull_requests: int = 2
    open_pull_requests: int = 5
    attempts: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectParts:
    """One project's own parts."""

    name: str
    telemetry: TelemetrySource
    forge: Forge
    drafters: Sequence[Drafter]
    verifier: Verifier
    publish_unverified: bool = False
    """Whether a draft that nothing could be run for becomes a draft pull request, labelled *unverified*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightParts:
    """Everything else."""

    memory: Memory
    analyzers: Sequence[Analyzer]
    fingerprinter: Fingerprinter
    group: Grouper
    triage: TriagePolicy
    confidence: ConfidenceRule
    tracker: OutcomeTracker
    write_pull_request: PullRequestWriter
    calendar: Calendar
    publishing: Publishing
    limits: Limits
    redact: Callable[[str], str]
    """For what nobody foresaw: the texts of unexpected errors."""
    leak: LeakDetector
    """The last look at what is about to leave: a change, the text of a pull request."""
    progress: Progress
    scratch: Path
    """An empty folder for exported trees; its owner removes it."""
    problems: Sequence[Problem] = ()
    """What went wrong already: a project that could not be built is left out, the others go on."""
    meter: Meter | None = None
    """What the language model costs; ``None`` if none is asked."""
    at_once: int = 1
    """How many findings are drafted and proven at the same time."""
    stop_requested: Callable[[], bool] = lambda: False
    """Asked between two steps: a night that is told to stop does not begin another one."""

    def begin(self, step: str, detail: str = "") -> None:
        """Every step begins here. Raises ``StoppedError`` if a stop was asked for."""
        if self.stop_requested():
            raise StoppedError
        log.info("night.step", step=step, detail=detail)
        self.progress(step, detail)
