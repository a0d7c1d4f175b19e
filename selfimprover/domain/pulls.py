"""Commits, proposals and pull requests, as forges know them."""

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
    reviews: tuple[Review, ...] = ()
    """What people said, oldest first."""


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
