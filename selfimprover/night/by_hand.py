"""What a person asks for between the nights: publish a proven fix, dismiss a finding, join two or split one."""

from datetime import datetime

from selfimprover.domain import CaseFile, Evidence, State, Transition
from selfimprover.night import wording
from selfimprover.night.fixing import Fixer, Quota, export_base
from selfimprover.night.parts import NightParts, ProjectParts

_BY_HAND = "-hand"
"""Follows the date in the journal: what a person publishes is not counted in a night of that date."""


def may_try_again(case: CaseFile) -> bool:
    """Whether a rejected finding has new evidence: it was seen after its pull request was closed."""
    closed = case.pull_request.closed_at if case.pull_request else None
    return case.state is State.CLOSED and closed is not None and case.finding.last_seen > closed


async def try_again(parts: NightParts, case: CaseFile, at: datetime) -> CaseFile:
    """Lets a rejected finding begin anew because a person allows it: a new draft, on a branch of its own."""
    day = parts.calendar.day_of(at).isoformat()
    reason = "a person allows another try: it was seen again after the rejection"
    return await parts.memory.begin_generation(
        wording.step(case, State.FOUND, reason, day, at, "A person allowed another try.")
    )


async def publish_one(parts: NightParts, project: ProjectParts, case: CaseFile, at: datetime) -> CaseFile:
    """Publishes a verified finding; if its base has moved, it is drafted and proven anew first."""
    base = await export_base(project, parts.scratch)
    quota = Quota(new=1, open=1)  # a person asked for this one: the limits are for the nights
    day = parts.calendar.day_of(at).isoformat()
    if parts.meter:
        parts.meter.begin(f"{day}{_BY_HAND}")
    fixer = Fixer(parts=parts, night=f"{day}{_BY_HAND}", at=at, dry_run=False, quota=quota)
    return await fixer.publish(await fixer.prove(case, base, project), project)


def dismissal(case: CaseFile, reason: str, day: str, at: datetime) -> Transition:
    """The step that leaves a finding alone for good."""
    return wording.step(case, State.DISMISSED, reason, day, at, f"Dismissed by a person: {reason}.")


def joining(case: CaseFile, into: CaseFile, reason: str, day: str, at: datetime) -> Transition | Evidence:
    """What ends a finding that a person finds to be one with another; an entry alone if it has ended already."""
    happened = f"Joined to {into.finding.id} by a person: {reason}."
    if case.state is State.GONE:
        return wording.noted(case, day, at, happened)
    return wording.step(case, State.GONE, f"one with {into.finding.id}, says a person: {reason}", day, at, happened)


def splitting(case: CaseFile, fingerprint: str, reason: str, day: str, at: datetime) -> Evidence:
    """The entry of a fingerprint that a person takes out of a finding."""
    return wording.noted(case, day, at, f"Fingerprint {fingerprint} taken out by a person: {reason}.")
