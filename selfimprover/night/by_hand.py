"""What a person asks for between the nights: publish a proven fix, dismiss a finding."""

from datetime import datetime

from selfimprover.domain import CaseFile, State, Transition
from selfimprover.night import wording
from selfimprover.night.fixing import Base, Fixer, Quota
from selfimprover.night.parts import NightParts, ProjectParts


async def publish_one(parts: NightParts, project: ProjectParts, case: CaseFile, at: datetime) -> CaseFile:
    """Publishes a verified finding; if its base has moved, it is drafted and proven anew first."""
    commit = await project.forge.base_commit()
    tree = parts.scratch / project.name
    tree.mkdir()
    await project.forge.export(commit, tree)
    quota = Quota(new=1, open=1)  # a person asked for this one: the limits are for the nights
    day = parts.calendar.day_of(at).isoformat()
    fixer = Fixer(parts=parts, night=day, at=at, dry_run=False, quota=quota)
    return await fixer.advance(case, Base(commit, tree), project)


def dismissal(case: CaseFile, reason: str, day: str, at: datetime) -> Transition:
    """The step that leaves a finding alone for good."""
    return Transition(
        finding_id=case.finding.id,
        before=case.state,
        after=State.DISMISSED,
        reason=reason,
        night=day,
        at=at,
        evidence=wording.moved(case, State.DISMISSED, reason, day, at, f"Dismissed by a person: {reason}."),
    )
