"""An in-memory forge with a base branch that a test can move, and pull requests that a test can merge or close."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from selfimprover.domain import Commit, Proposal, PullRequest, PullState
from selfimprover.errors import ConflictError, ForgeError


class FakeForge:
    """``broken`` makes every call fail; ``lose_reply`` opens the next pull request but loses the answer."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self.files = dict(files or {"agent/mail.py": "value = 1\n"})
        self.commit = "base-1"
        self.branches: dict[str, str] = {}
        self.pulls: dict[int, PullRequest] = {}
        self.history: dict[str, set[str]] = {"base-1": {"base-1"}}
        self.broken = False
        self.lose_reply = False
        self.refuse_open = False
        self.full_disk = False
        self.made: set[str] = set()
        self.told: dict[tuple[int, str], str] = {}
        """What was commented: (number, key) → text."""

    async def base_commit(self) -> str:
        self._check()
        return self.commit

    async def export(self, commit: str, into: Path) -> None:
        self._check()
        if self.full_disk:
            raise ForgeError("no space left on device", where=str(into), mend="make room")
        assert commit == self.commit
        for path, text in self.files.items():
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_text(text)

    async def pull_requests(self, seen_at: datetime, known: Collection[int] = ()) -> list[PullRequest]:
        self._check()
        assert seen_at.tzinfo is not None
        return [self.pulls[number] for number in sorted(self.pulls)]

    async def push(self, commit: Commit) -> str:
        self._check()
        head = hashlib.sha1(repr(replace(commit, replaces=None)).encode()).hexdigest()
        if commit.replaces is not None and self.branches.get(commit.branch) == commit.replaces:
            self.branches[commit.branch] = head
            for number, pull in self.pulls.items():
                if pull.branch == commit.branch:
                    self.pulls[number] = replace(pull, head_commit=head, mergeable=None)
        if self.branches.setdefault(commit.branch, head) != head:
            raise ConflictError("the branch has other commits", where=commit.branch)
        self.made.add(head)
        return head

    async def is_ours(self, commit: str, author: str) -> bool:
        self._check()
        assert author
        return commit in self.made

    async def complaints(self, pull: PullRequest) -> str:
        self._check()
        return "\n".join(f"{name}: failed" for name in pull.failing)

    async def open(self, proposal: Proposal) -> PullRequest:
        self._check()
        if self.refuse_open:
            raise ConflictError("the branch was changed", where=proposal.branch)
        assert self.branches[proposal.branch] == proposal.head_commit
        for pull in self.pulls.values():
            if pull.branch == proposal.branch:
                return pull
        number = max(self.pulls, default=0) + 1
        self.pulls[number] = PullRequest(
            number=number,
            finding_id=proposal.finding_id,
            fingerprints=proposal.fingerprints,
            title=proposal.title,
            branch=proposal.branch,
            url=f"fake://{number}",
            state=PullState.OPEN,
            draft=proposal.draft,
            checks=proposal.checks,
            head_commit=proposal.head_commit,
            opened_at=proposal.opened_at,
        )
        if self.lose_reply:
            self.lose_reply = False
            raise ForgeError("the reply was lost", where="fake")
        return self.pulls[number]

    async def refreshed(self, pull: PullRequest) -> PullRequest:
        self._check()
        return self.pulls[pull.number]

    async def ready(self, pull: PullRequest) -> None:
        self._check()
        self.pulls[pull.number] = replace(self.pulls[pull.number], draft=False)

    async def tell(self, pull: PullRequest, key: str, text: str) -> None:
        self._check()
        self.told.setdefault((pull.number, key), text)

    async def withdraw(self, pull: PullRequest, why: str) -> None:
        await self.tell(pull, "closed", why)
        self.pulls[pull.number] = replace(self.pulls[pull.number], state=PullState.CLOSED)

    async def contains(self, version: str, commit: str) -> bool | None:
        self._check()
        return commit in self.history[version] if version in self.history else None

    def merge(self, number: int, at: datetime) -> str:
        """A person merges: the base moves on."""
        merged = f"merge-{number}"
        self.history[merged] = {*self.history[self.commit], merged}
        self.commit = merged
        pull = self.pulls[number]
        self.pulls[number] = replace(pull, state=PullState.MERGED, merged_at=at, merge_commit=merged)
        return merged

    def close(self, number: int, at: datetime) -> None:
        """A person closes without merging."""
        self.pulls[number] = replace(self.pulls[number], state=PullState.CLOSED, closed_at=at)

    def _check(self) -> None:
        if self.broken:
            raise ForgeError("it cannot be reached", where="fake", mend="mend it")
