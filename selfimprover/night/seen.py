"""A night takes a while: what it saw at its beginning is looked at once more before anything is done to it."""

from selfimprover.domain import PullRequest
from selfimprover.night.parts import ProjectParts


async def is_as_seen(pull: PullRequest, project: ProjectParts) -> bool:
    """Whether nobody did anything since the night began, which may be a while: asked before anything is written."""
    now = await project.forge.refreshed(pull)
    return _what_people_do(now) == _what_people_do(pull)


def _what_people_do(pull: PullRequest) -> tuple[object, ...]:
    return pull.state, pull.head_commit, pull.draft, pull.retargeted, pull.queued
