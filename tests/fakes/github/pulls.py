"""Pull requests and what hangs on them, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.fakes.github.accounts import User

GOOD_CONCLUSIONS = {"success", "neutral", "skipped"}


@dataclass(slots=True)
class Hidden:
    """Something new that lists do not show for some reads or some time."""

    reads: int
    until: datetime

    def look(self, now: datetime) -> bool:
        """Whether it is seen; a look counts as one read."""
        if self.reads > 0:
            self.reads -= 1
            return False
        return now >= self.until


@dataclass(slots=True)
class Comment:
    """A comment of the conversation, or of a line if it has a ``path``."""

    id: int
    user: User
    body: str
    at: datetime
    path: str | None = None
    line: int | None = None
    commit: str = ""
    review: int | None = None


@dataclass(slots=True)
class Review:
    """``state`` is APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""

    id: int
    user: User
    state: str
    body: str
    commit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the issue's events."""

    id: int
    event: str
    actor: User
    at: datetime
    commit: str | None = None
    label: str | None = None


@dataclass(slots=True)
class CheckRun:
    """``conclusion`` is ``None`` until ``status`` is completed."""

    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    app: str
    title: str | None
    summary: str | None
    started_at: datetime
    completed_at: datetime | None


@dataclass(slots=True)
class Status:
    """A commit status; ``state`` is error, failure, pending or success."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    at: datetime


@dataclass(slots=True)
class Pull:
    """A pull request; ``head_owner`` differs from the repository's owner if it comes from a fork."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    head: str
    head_owner: User
    head_sha: str
    base: str
    base_sha: str
    draft: bool
    created_at: datetime
    hidden: Hidden
    updated_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    test_merge: str | None = None
    """What ``merge_commit_sha`` of old answers shows before the merge: the id of a commit that nobody keeps."""
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    line_comments: list[Comment] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    maintainer_can_modify: bool = False
    asked: tuple[str, str] = ("", "")
    """Base and head that mergeability is being computed for."""
    asks: int = 0
    head_moved_since_closing: bool = False

    @property
    def node_id(self) -> str:
        return f"PR_kwDO{self.id:08}"

    @property
    def merged(self) -> bool:
        return self.merged_at is not None


@dataclass(slots=True)
class Protection:
    """What a base branch wants before a merge; ``strict`` wants the head to be up to date as well."""

    checks: tuple[str, ...] = ()
    reviews: int = 0
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Refuses what everybody but ``bypass`` does to branches that match ``pattern`` (as in a shell)."""

    pattern: str
    creations: bool = False
    updates: bool = False
    deletions: bool = False
    bypass: tuple[str, ...] = ()

    def violation(self, action: str, branch: str) -> str | None:
        messages: Mapping[str, tuple[bool, str]] = {
            "create": (self.creations, "Cannot create ref due to creations being restricted."),
            "update": (self.updates, "Changes must be made through a pull request."),
            "delete": (self.deletions, f"Cannot delete this branch: refs/heads/{branch}"),
        }
        refused, message = messages[action]
        return message if refused else None
