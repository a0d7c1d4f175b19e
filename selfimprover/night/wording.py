"""The sentences that go into the evidence."""

from collections.abc import Callable
from datetime import datetime

from selfimprover.domain import CaseFile, Evidence, Finding, Outcome, Problem, State, Transition, iso
from selfimprover.errors import SelfImproverError


def subject(finding: Finding) -> str:
    """What is wrong, as part of a sentence: "repeated AttributeError: 'Agent' object has no attribute 'x'"."""
    return f"repeated {finding.title}" if finding.kind == "repeated_error" else finding.title


def found(finding: Finding, night: str, at: datetime) -> Evidence:
    """The entry of a new finding."""
    content = f"Found {subject(finding)} ({finding.occurrences} times since {finding.first_seen:%Y-%m-%d})."
    return _entry(content, finding, State.FOUND, "new", night, at)


def step(case: CaseFile, after: State, reason: str, night: str, at: datetime, happened: str | None) -> Transition:
    """A step of a finding; ``happened`` makes an entry of evidence, steps that only prepare another one need none."""
    return Transition(
        finding_id=case.finding.id,
        before=case.state,
        after=after,
        reason=reason,
        night=night,
        at=at,
        evidence=_moved(case, after, reason, night, at, happened) if happened else None,
    )


def noted(case: CaseFile, night: str, at: datetime, what_happened: str) -> Evidence:
    """The entry of something that happened to a finding and leaves it where it is."""
    return _moved(case, case.state, case.reason, night, at, what_happened)


def _moved(case: CaseFile, state: State, reason: str, night: str, at: datetime, what_happened: str) -> Evidence:
    """The entry of a step: what was found, and what happened to it now."""
    content = f"Found {subject(case.finding)}. {what_happened}"
    return _entry(content, case.finding, state, reason, night, at, case)


def judged(case: CaseFile, outcome: Outcome, night: str, at: datetime) -> Evidence:
    """The entry of an outcome."""
    content = f"Outcome of PR #{outcome.pr_number} ({case.finding.title}): {outcome.sentence}."
    entry = _entry(content, case.finding, case.state, outcome.state, night, at, case)
    numbers = {
        "outcome": outcome.state,
        "before": [outcome.before_failures, outcome.before_tasks],
        "after": [outcome.after_failures, outcome.after_tasks],
        "rate_ratio_95": [outcome.rate_ratio_low, outcome.rate_ratio_high],
        "p_value": outcome.p_value,
        "more_tasks_needed": outcome.more_tasks_needed,
    }
    return Evidence(
        content=entry.content,
        confidence=entry.confidence,
        timestamp=entry.timestamp,
        metadata={**entry.metadata, **numbers},
    )


def problem(error: SelfImproverError, where: str, redact: Callable[[str], str]) -> Problem:
    """An error of tonight for the report; a forge's own words may repeat what nobody should read."""
    return Problem(redact(error.where or where), redact(error.what), redact(error.mend))


def _entry(
    content: str, finding: Finding, state: State, reason: str, night: str, at: datetime, case: CaseFile | None = None
) -> Evidence:
    pull_request = case.pull_request if case else None
    return Evidence(
        content=content,
        confidence=case.confidence.value if case and case.confidence and case.confidence.value else None,
        timestamp=at,
        metadata={
            "finding": finding.id,
            "kind": finding.kind,
            "error_type": finding.error_type,
            "occurrences": finding.occurrences,
            "first_seen": iso(finding.first_seen),
            "last_seen": iso(finding.last_seen),
            "projects": list(finding.projects),
            "fingerprints": list(case.fingerprints) if case else [finding.fingerprint.value],
            "state": state.value,
            "reason": reason,
            "night": night,
            "pr_number": pull_request.number if pull_request else None,
            "pr_status": pull_request.state.value if pull_request else None,
        },
    )
