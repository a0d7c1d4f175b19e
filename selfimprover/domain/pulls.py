"""Commits, proposals and pull requests, as forges know them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from selfimprover.domain.drafts import Edit


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
class Review:
    """What a person said about a pull request, as a whole."""

    author: str
    verdict: str
    """``approved``, ``changes requested`` or ``commented``."""
    text: str
    at: datetime


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
    mergeable: bool | None = None
    """Whether it fits its base; ``None`` where the forge does not say, or does not know yet."""
    failing: tuple[str, ...] = ()
    """The checks that failed, by name."""
    author: str = ""
    """Who opened it, which is what the forge calls us; empty where it has no names."""
    retargeted: bool = False
    """Whether somebody pointed it at another branch than the base."""
    queued: bool = False
    """Whether somebody decided that it is merged as soon as it can be."""
    reviews: tuple[Review, ...] = ()
    """What people said, oldest first."""

    @property
    def standing(self) -> Mapping[str, str]:
        """The latest verdict of each person: an approval ends the same person's request, a comment ends nothing."""
        return {review.author: review.verdict for review in self.reviews if review.verdict != "commented"}

    @property
    def approved(self) -> bool:
        """Whether somebody's latest word is an approval: of what is on the branch now, and nothing else."""
        return "approved" in self.standing.values()

    @property
    def generation(self) -> int:
        """Which try at its finding it is: the name of a later one's branch tells (see ``CaseFile.branch``)."""
        _, later, number = self.branch.rpartition("-g")
        return int(number) if later and number.isdecimal() else 1


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
    replaces: str | None = None
    """The commit of ours that the branch is at, if there is one: this one takes its place, and nobody else's."""


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
