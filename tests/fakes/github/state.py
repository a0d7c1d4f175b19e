"""A repository: its refs and pull requests, the rules of GitHub about them, and what people do there."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import wraps
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from tests.fakes.github.accounts import Accounts, User
from tests.fakes.github.answers import ApiError, invalid
from tests.fakes.github.clock import Clock
from tests.fakes.github.git_data import (
    EXECUTABLE,
    FILE,
    SUBMODULE,
    SYMLINK,
    Commit,
    Entry,
    Objects,
    Person,
    is_branch_name,
)
from tests.fakes.github.pulls import (
    GOOD_CONCLUSIONS,
    CheckRun,
    Comment,
    Event,
    Hidden,
    Protection,
    Pull,
    Review,
    Ruleset,
    Status,
)

P = ParamSpec("P")
R = TypeVar("R")
LIMIT_OF_TEXT = 65536


@dataclass(frozen=True, slots=True)
class File:
    """A file with a mode, for ``Repository.commit``."""

    content: bytes
    mode: str = FILE


def executable(content: str) -> File:
    return File(content.encode(), EXECUTABLE)


def symlink(target: str) -> File:
    return File(target.encode(), SYMLINK)


def submodule(commit: str) -> File:
    return File(commit.encode(), SUBMODULE)


Content = str | bytes | File


@dataclass
class Lag:
    """How long new things stay out of sight: for so many reads, and for so much of the fake's time."""

    pull_reads: int = 0
    pull_time: timedelta = timedelta()
    ref_reads: int = 0
    ref_time: timedelta = timedelta()


class World:
    """What all repositories share."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self.lock = RLock()
        self.clock = Clock(now)
        self._last_id = 1000
        self.accounts = Accounts(self.clock, self.next_id)
        self.repositories: dict[int, Repository] = {}
        self.renamed: dict[str, int] = {}
        """Old full names, in lower case."""
        self.lag = Lag()
        self.mergeable_reads = 1
        """How often the mergeability of a new head is answered with null."""

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def now(self) -> datetime:
        return self.clock.now().replace(microsecond=0)

    def find(self, full_name: str) -> "Repository | None":
        wanted = full_name.lower()
        return next((one for one in self.repositories.values() if one.full_name.lower() == wanted), None)


def _locked(
    method: "Callable[Concatenate[Repository, P], R]",
) -> "Callable[Concatenate[Repository, P], R]":
    @wraps(method)
    def run(self: "Repository", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.world.lock:
            return method(self, *args, **kwargs)

    return run


@dataclass
class Repository:
    """What is stored, and may be changed by a test at any time; the methods may be called from any thread."""

    world: World
    owner: User
    name: str
    default_branch: str = "main"
    private: bool = True
    archived: bool = False
    drafts_allowed: bool = True
    merge_methods: frozenset[str] = frozenset({"merge", "squash", "rebase"})
    delete_branch_on_merge: bool = False
    tree_limit: int = 100_000
    """A recursive listing with more entries is cut."""
    push_protection: str | None = None
    """Blobs that match this pattern are refused as secrets."""
    next_number: int = 1
    collaborators: dict[str, str] = field(default_factory=dict)
    """Roles by login in lower case: pull, triage, push, maintain, admin."""
    labels: dict[str, int] = field(default_factory=dict)
    protections: dict[str, Protection] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    objects: Objects = field(default_factory=Objects)
    refs: dict[str, str] = field(default_factory=dict)
    """Commit ids by full name, ``refs/heads/main``."""
    pulls: dict[int, Pull] = field(default_factory=dict)
    check_runs: list[CheckRun] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = self.world.next_id()
        self.created_at = self.world.now()
        self._hidden: dict[str, Hidden] = {}
        self.world.repositories[self.id] = self

    # --- what can be seen ---------------------------------------------------------------------------------

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @_locked
    def branch(self, name: str) -> str | None:
        """The commit of a branch, whether the API shows it already or not."""
        return self.refs.get(f"refs/heads/{name}")

    @_locked
    def branches(self) -> dict[str, str]:
        return {name.removeprefix("refs/heads/"): sha for name, sha in self.refs.items() if "/heads/" in name}

    @_locked
    def pull(self, number: int) -> Pull:
        return self.pulls[number]

    @_locked
    def files(self, ref: str) -> dict[str, bytes]:
        """The contents of all files at a branch, tag or commit; submodules are left out."""
        files = self.objects.files(self.objects.commits[self.commit_of(ref)].tree)
        return {path: self.objects.blobs[one.sha] for path, one in files.items() if one.mode != SUBMODULE}

    def commit_of(self, ref: str) -> str:
        """The commit that a branch, tag, full ref or (short) id names; 404 if none does."""
        for name in (f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}", ref):
            if name in self.refs:
                return self.refs[name]
        found = [sha for sha in self.objects.commits if sha.startswith(ref)]
        if len(found) == 1 and re.fullmatch(r"[0-9a-f]{7,40}", ref):
            return found[0]
        raise ApiError(404, "Not Found")

    def role(self, user: User, otherwise: str | None = None) -> str | None:
        """What a user may do here."""
        if user.login.lower() == self.owner.login.lower():
            return "admin"
        return self.collaborators.get(user.login.lower(), otherwise)

    def sees_ref(self, ref: str) -> bool:
        """Whether the API shows a ref; a look counts as one read of a lagging one."""
        hidden = self._hidden.get(ref)
        return ref in self.refs and (hidden is None or hidden.look(self.world.clock.now()))

    def latest_runs(self, sha: str) -> list[CheckRun]:
        """The last run of each name and app."""
        return list({(one.app, one.name): one for one in self.check_runs if one.sha == sha}.values())

    def latest_statuses(self, sha: str) -> list[Status]:
        """The last status of each context."""
        return list({one.context: one for one in self.statuses if one.sha == sha}.values())

    def commits_of(self, pull: Pull) -> list[str]:
        base = pull.base_sha if pull.state == "closed" else self.branch(pull.base) or pull.base_sha
        return self.objects.between(base, pull.head_sha)

    # --- refs: what the API allows ---------------------------------------------------------------------------

    def create_ref(self, ref: str, sha: str, actor: User) -> None:
        if not self.refs:
            raise ApiError(409, "Git Repository is empty.")
        if not re.match(r"refs/[^/]+/.", ref) or not is_branch_name(ref.split("/", 2)[2]):
            raise ApiError(422, f"{ref} is not a valid ref name.")
        if sha not in self.objects.commits:
            raise ApiError(422, "Object does not exist")
        if ref in self.refs:
            raise ApiError(422, "Reference already exists")
        if any(one.startswith(f"{ref}/") or ref.startswith(f"{one}/") for one in self.refs):
            raise ApiError(422, "Reference update failed")
        self._refuse_by_rule("create", ref, actor)
        self._hide_ref(ref)
        self._set_ref(ref, sha, actor)

    def update_ref(self, ref: str, sha: str, actor: User, *, force: bool) -> None:
        if not self.refs:
            raise ApiError(409, "Git Repository is empty.")
        if ref not in self.refs:
            raise ApiError(422, "Reference does not exist")
        if sha not in self.objects.commits:
            raise ApiError(422, "Object does not exist")
        if not force and self.refs[ref] not in self.objects.ancestors(sha):
            raise ApiError(422, "Update is not a fast forward")
        self._refuse_by_rule("update", ref, actor)
        self._set_ref(ref, sha, actor)

    def delete_ref(self, ref: str, actor: User) -> None:
        if not self.refs:
            raise ApiError(409, "Git Repository is empty.")
        if ref not in self.refs:
            raise ApiError(422, "Reference does not exist")
        if ref == f"refs/heads/{self.default_branch}":
            raise ApiError(422, "Cannot delete the default branch")
        self._refuse_by_rule("delete", ref, actor)
        self._drop_ref(ref, actor)

    def _refuse_by_rule(self, action: str, ref: str, actor: User) -> None:
        if not ref.startswith("refs/heads/"):
            return
        branch = ref.removeprefix("refs/heads/")
        for rule in self.rulesets:
            violation = rule.violation(action, branch) if fnmatchcase(branch, rule.pattern) else None
            if violation and actor.login not in rule.bypass:
                raise ApiError(422, f"Repository rule violations found\n\n{violation}\n\n")
        if branch in self.protections and action != "create":
            raise ApiError(422, "Reference update failed" if action == "update" else "Cannot delete protected branch")

    def _hide_ref(self, ref: str) -> None:
        lag = self.world.lag
        self._hidden[ref] = Hidden(lag.ref_reads, self.world.clock.now() + lag.ref_time)

    def _set_ref(self, ref: str, sha: str, actor: User) -> None:
        before, self.refs[ref] = self.refs.get(ref), sha
        branch = ref.removeprefix("refs/heads/")
        for pull in self.pulls.values():
            if pull.head == branch and pull.head_owner == self.owner:
                self._follow_head(pull, before, sha, actor)
            if pull.state == "open" and pull.base == branch and pull.head_sha in self.objects.ancestors(sha):
                self._note_merge(pull, sha, actor, before or sha)

    def _follow_head(self, pull: Pull, before: str | None, sha: str, actor: User) -> None:
        if pull.state == "closed":
            pull.head_moved_since_closing |= sha != pull.head_sha
            return
        if before and before not in self.objects.ancestors(sha):
            self.note(pull, "head_ref_force_pushed", actor, commit=sha)
        base = self.refs.get(f"refs/heads/{pull.base}", pull.base_sha)
        pull.head_sha, pull.base_sha, pull.updated_at = sha, base, self.world.now()
        if sha in self.objects.ancestors(base):
            self._close(pull, actor)

    def _drop_ref(self, ref: str, actor: User) -> None:
        del self.refs[ref]
        self._hidden.pop(ref, None)
        branch = ref.removeprefix("refs/heads/")
        for pull in self.pulls.values():
            is_head = pull.head == branch and pull.head_owner == self.owner
            if is_head:
                self.note(pull, "head_ref_deleted", actor)
            if pull.state == "open" and (is_head or pull.base == branch):
                self._close(pull, actor)

    # --- pull requests: what the API allows --------------------------------------------------------------------

    def open_pull(
        self,
        head: str,
        base: str,
        title: str,
        body: str | None,
        actor: User,
        *,
        draft: bool = False,
        maintainer_can_modify: bool = False,
    ) -> Pull:
        owner, _, branch = head.rpartition(":")
        tip = self.refs.get(f"refs/heads/{branch}")
        if tip is None or owner.lower() not in {"", self.owner.login.lower()} or not self._seen(branch):
            raise invalid("PullRequest", "head", "invalid")
        base_tip = self.refs.get(f"refs/heads/{base}")
        if base_tip is None:
            raise invalid("PullRequest", "base", "invalid")
        self._check_text(title, body)
        self._refuse_duplicate(branch, base)
        if self.objects.merge_base(base_tip, tip) is None:
            what = f"The {branch} branch has no history in common with {base}"
            raise invalid("PullRequest", None, "custom", what)
        if not self.objects.between(base_tip, tip):
            raise invalid("PullRequest", None, "custom", f"No commits between {base} and {branch}")
        if draft and not self.drafts_allowed:
            raise ApiError(422, "Draft pull requests are not supported in this repository.")
        return self._add_pull(
            title, body, actor, (branch, self.owner, tip), base, draft=draft, modifiable=maintainer_can_modify
        )

    def _seen(self, branch: str) -> bool:
        return self.sees_ref(f"refs/heads/{branch}")

    def _check_text(self, title: str | None, body: str | None) -> None:
        if title is not None and not title.strip():
            raise invalid("PullRequest", "title", "missing_field")
        if title is not None and len(title) > 256:
            raise invalid("PullRequest", "title", "custom", "title is too long (maximum is 256 characters)")
        if body is not None and len(body) > LIMIT_OF_TEXT:
            what = f"body is too long (maximum is {LIMIT_OF_TEXT} characters)"
            raise invalid("PullRequest", "body", "custom", what)

    def _refuse_duplicate(self, branch: str, base: str, owner: User | None = None) -> None:
        owner = owner or self.owner
        for pull in self.pulls.values():
            if (pull.state, pull.head, pull.base, pull.head_owner) == ("open", branch, base, owner):
                what = f"A pull request already exists for {owner.login}:{branch}."
                raise invalid("PullRequest", None, "custom", what)

    def _add_pull(
        self,
        title: str,
        body: str | None,
        user: User,
        head: tuple[str, User, str],
        base: str,
        *,
        draft: bool,
        modifiable: bool = False,
    ) -> Pull:
        number, self.next_number = self.next_number, self.next_number + 1
        now, lag = self.world.now(), self.world.lag
        branch, head_owner, tip = head
        self.pulls[number] = Pull(
            id=self.world.next_id(),
            number=number,
            title=title,
            body=body,
            user=user,
            head=branch,
            head_owner=head_owner,
            head_sha=tip,
            base=base,
            base_sha=self.refs[f"refs/heads/{base}"],
            draft=draft,
            created_at=now,
            updated_at=now,
            hidden=Hidden(lag.pull_reads, self.world.clock.now() + lag.pull_time),
            maintainer_can_modify=modifiable,
        )
        return self.pulls[number]

    def edit_pull(
        self,
        pull: Pull,
        actor: User,
        *,
        title: str | None = None,
        body: str | None = None,
        state: str | None = None,
        base: str | None = None,
    ) -> None:
        self._check_text(title, body)
        if base is not None and self.branch(base) is None:
            raise invalid("PullRequest", "base", "invalid")
        if title is not None and title != pull.title:
            pull.title = title
            self.note(pull, "renamed", actor)
        pull.body = pull.body if body is None else body
        pull.base = pull.base if base is None else base
        if state == "closed" and pull.state == "open":
            self._close(pull, actor)
        if state == "open" and pull.state == "closed":
            self._reopen(pull, actor)
        pull.updated_at = self.world.now()

    def _close(self, pull: Pull, actor: User) -> None:
        pull.state, pull.closed_at, pull.updated_at = "closed", self.world.now(), self.world.now()
        pull.base_sha = self.refs.get(f"refs/heads/{pull.base}", pull.base_sha)
        pull.head_moved_since_closing = False
        self.note(pull, "closed", actor)

    def _reopen(self, pull: Pull, actor: User) -> None:
        def refused(why: str) -> ApiError:
            return invalid("PullRequest", "state", "invalid", f"state cannot be changed. {why}")

        if pull.merged:
            raise refused("The pull request cannot be reopened.")
        if pull.head_owner == self.owner and self.branch(pull.head) is None:
            raise refused(f"The {pull.head} branch has been deleted.")
        if pull.head_moved_since_closing:
            raise refused(f"The {pull.head} branch was force-pushed or recreated.")
        self._refuse_duplicate(pull.head, pull.base, pull.head_owner)
        pull.state, pull.closed_at = "open", None
        self.note(pull, "reopened", actor)

    def set_draft(self, pull: Pull, actor: User, *, draft: bool) -> None:
        if pull.draft != draft:
            pull.draft = draft
            self.note(pull, "convert_to_draft" if draft else "ready_for_review", actor)

    def note(self, pull: Pull, event: str, actor: User, *, commit: str | None = None, label: str | None = None) -> None:
        """Adds an event, and so touches the pull request."""
        pull.updated_at = self.world.now()
        pull.events.append(Event(self.world.next_id(), event, actor, self.world.now(), commit, label))

    # --- merging ------------------------------------------------------------------------------------------

    def mergeability(self, pull: Pull) -> tuple[bool | None, str]:
        """``mergeable`` and ``mergeable_state``; unknown at first, for GitHub computes it when it is asked."""
        base = self.branch(pull.base)
        if pull.state == "closed" or base is None:
            return None, "unknown"
        if pull.asked != (base, pull.head_sha):
            pull.asked, pull.asks = (base, pull.head_sha), 0
        pull.asks += 1
        if pull.asks <= self.world.mergeable_reads:
            return None, "unknown"
        if self._merged_tree(base, pull.head_sha) is None:
            return False, "dirty"
        pull.test_merge = hashlib.sha1(f"{base} {pull.head_sha}".encode()).hexdigest()
        return True, self._state_of(pull, base)

    def _state_of(self, pull: Pull, base: str) -> str:
        if pull.draft:
            return "draft"
        if self.missing(pull):
            return "blocked"
        if self.protections.get(pull.base, Protection()).strict and base not in self.objects.ancestors(pull.head_sha):
            return "behind"
        runs = [one.conclusion in GOOD_CONCLUSIONS for one in self.latest_runs(pull.head_sha)]
        states = [one.state == "success" for one in self.latest_statuses(pull.head_sha)]
        return "clean" if all(runs + states) else "unstable"

    def missing(self, pull: Pull) -> str | None:
        """What the protection of the base still wants, in GitHub's words."""
        protection = self.protections.get(pull.base, Protection())
        good = {one.name for one in self.latest_runs(pull.head_sha) if one.conclusion in GOOD_CONCLUSIONS}
        good |= {one.context for one in self.latest_statuses(pull.head_sha) if one.state == "success"}
        for check in protection.checks:
            if check not in good:
                return f'Required status check "{check}" is expected.'
        latest = {one.user.login: one.state for one in pull.reviews if one.state != "COMMENTED"}
        if sum(state == "APPROVED" for state in latest.values()) < protection.reviews:
            return f"At least {protection.reviews} approving review is required by reviewers with write access."
        return None

    def merge_pull(
        self,
        pull: Pull,
        actor: User,
        *,
        method: str = "merge",
        expected: str | None = None,
        title: str | None = None,
        message: str | None = None,
        by_rule: bool = True,
    ) -> str:
        """Merges as PUT merge does; ``by_rule=False`` for a person who may do everything."""
        if pull.state == "closed":
            raise ApiError(405, "Pull Request is not mergeable")
        if expected is not None and expected != pull.head_sha:
            raise ApiError(409, "Head branch was modified. Review and try the merge again.")
        if by_rule:
            self._refuse_merge(pull, method)
        base = self.refs[f"refs/heads/{pull.base}"]
        tree = self._merged_tree(base, pull.head_sha)
        if tree is None:
            raise ApiError(405, "Pull Request is not mergeable")
        text = self._merge_message(pull, method, title, message)
        if method == "rebase":
            merged = self._rebase(base, pull, actor)
        else:
            parents = (base, pull.head_sha) if method == "merge" else (base,)
            who = Person(actor.login, actor.email, self.world.now())
            github = Person("GitHub", "noreply@github.com", self.world.now())
            merged = self.objects.add_commit(Commit(tree, parents, who, github, text))
        self._note_merge(pull, merged, actor, base)
        self._set_ref(f"refs/heads/{pull.base}", merged, actor)
        if self.delete_branch_on_merge and self.branch(pull.head) and pull.head_owner == self.owner:
            self._drop_ref(f"refs/heads/{pull.head}", actor)
        return merged

    def _refuse_merge(self, pull: Pull, method: str) -> None:
        if pull.draft:
            raise ApiError(405, "Pull Request is still a draft")
        if method not in self.merge_methods:
            names = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}
            raise ApiError(405, f"{names[method]} are not allowed on this repository.")
        missing = self.missing(pull)
        if missing:
            raise ApiError(405, missing)

    def _merge_message(self, pull: Pull, method: str, title: str | None, message: str | None) -> str:
        if method == "squash":
            head, text = title or f"{pull.title} (#{pull.number})", message or ""
        else:
            head = title or f"Merge pull request #{pull.number} from {pull.head_owner.login}/{pull.head}"
            text = pull.title if message is None else message
        return f"{head}\n\n{text}" if text else head

    def _merged_tree(self, base: str, head: str) -> str | None:
        commits = self.objects.commits
        common = self.objects.merge_base(base, head)
        if common is None:
            return None
        return self.objects.merge(commits[common].tree, commits[base].tree, commits[head].tree)

    def _rebase(self, base: str, pull: Pull, actor: User) -> str:
        now = Person(actor.login, actor.email, self.world.now())
        for sha in self.objects.between(base, pull.head_sha):
            old = self.objects.commits[sha]
            before = self.objects.commits[old.parents[0]].tree
            tree = self.objects.merge(before, self.objects.commits[base].tree, old.tree)
            if tree is None:
                raise ApiError(405, "This branch can't be rebased")
            base = self.objects.add_commit(Commit(tree, (base,), old.author, now, old.message))
        return base

    def _note_merge(self, pull: Pull, commit: str, actor: User, base: str) -> None:
        now = self.world.now()
        pull.state, pull.closed_at, pull.merged_at, pull.merged_by = "closed", now, now, actor
        pull.merge_commit, pull.base_sha = commit, base
        self.note(pull, "merged", actor, commit=commit)
        self.note(pull, "closed", actor)

    # --- what people do -------------------------------------------------------------------------------------

    @_locked
    def commit(
        self,
        branch: str,
        files: Mapping[str, Content | None],
        message: str = "work\n",
        *,
        by: str = "alice",
        at: datetime | None = None,
    ) -> str:
        """A person pushes a commit (``None`` deletes a path); a new branch begins at the default one."""
        tip = self.branch(branch) or self.branch(self.default_branch)
        known = self.objects.files(self.objects.commits[tip].tree) if tip else {}
        for path, content in files.items():
            known.pop(path, None)
            if content is not None:
                known[path] = self._entry(content)
        user = self.world.accounts.user(by)
        who = Person(user.login, user.email, at or self.world.now())
        made = Commit(self.objects.plant(known), (tip,) if tip else (), who, who, message)
        sha = self.objects.add_commit(made)
        self._set_ref(f"refs/heads/{branch}", sha, user)
        return sha

    def _entry(self, content: Content) -> Entry:
        file = content if isinstance(content, File) else File(content.encode() if isinstance(content, str) else content)
        if file.mode == SUBMODULE:
            return Entry(SUBMODULE, file.content.decode())
        return Entry(file.mode, self.objects.add_blob(file.content))

    @_locked
    def push(self, branch: str, commit: str, *, by: str = "alice") -> None:
        """A person lets a branch point to a commit that is there already, by force if need be."""
        self._set_ref(f"refs/heads/{branch}", commit, self.world.accounts.user(by))

    @_locked
    def tag(self, name: str, commit: str) -> None:
        self.refs[f"refs/tags/{name}"] = commit

    @_locked
    def delete_branch(self, branch: str, *, by: str = "alice") -> None:
        self._drop_ref(f"refs/heads/{branch}", self.world.accounts.user(by))

    @_locked
    def rename_branch(self, old: str, new: str) -> None:
        """Pull requests into the branch follow; the old name is gone."""
        self.refs[f"refs/heads/{new}"] = self.refs.pop(f"refs/heads/{old}")
        self.default_branch = new if self.default_branch == old else self.default_branch
        for pull in self.pulls.values():
            pull.base = new if pull.base == old else pull.base

    @_locked
    def propose(
        self, branch: str, title: str = "Work", *, body: str | None = None, by: str = "alice", fork: bool = False
    ) -> Pull:
        """A person opens a pull request, from their fork with ``fork=True``."""
        user = self.world.accounts.user(by)
        tip = self.refs[f"refs/heads/{branch}"]
        head = (branch, user if fork else self.owner, tip)
        return self._add_pull(title, body, user, head, self.default_branch, draft=False)

    @_locked
    def merge(self, number: int, method: str = "merge", *, by: str = "alice") -> str:
        """A person merges, whatever checks and protections say; returns the commit."""
        actor = self.world.accounts.user(by)
        return self.merge_pull(self.pulls[number], actor, method=method, by_rule=False)

    @_locked
    def close(self, number: int, *, by: str = "alice") -> None:
        self.edit_pull(self.pulls[number], self.world.accounts.user(by), state="closed")

    @_locked
    def reopen(self, number: int, *, by: str = "alice") -> None:
        self.edit_pull(self.pulls[number], self.world.accounts.user(by), state="open")

    @_locked
    def mark_ready(self, number: int, *, by: str = "alice") -> None:
        self.set_draft(self.pulls[number], self.world.accounts.user(by), draft=False)

    @_locked
    def retitle(self, number: int, *, title: str | None = None, body: str | None = None, by: str = "alice") -> None:
        """A person edits title or body."""
        self.edit_pull(self.pulls[number], self.world.accounts.user(by), title=title, body=body)

    @_locked
    def comment(self, number: int, body: str, *, by: str = "alice") -> Comment:
        pull = self.pulls[number]
        made = Comment(self.world.next_id(), self.world.accounts.user(by), body, self.world.now())
        pull.comments.append(made)
        pull.updated_at = self.world.now()
        return made

    @_locked
    def comment_line(self, number: int, path: str, line: int, body: str, *, by: str = "alice") -> Comment:
        """A comment on a line, outside of a review."""
        pull = self.pulls[number]
        user, now = self.world.accounts.user(by), self.world.now()
        made = Comment(self.world.next_id(), user, body, now, path, line, pull.head_sha)
        pull.line_comments.append(made)
        pull.updated_at = now
        return made

    @_locked
    def review(self, number: int, state: str = "APPROVED", body: str = "", *, by: str = "alice") -> Review:
        """``state`` as in ``Review``; it stands for the head as it is now."""
        pull = self.pulls[number]
        user = self.world.accounts.user(by)
        made = Review(self.world.next_id(), user, state, body, pull.head_sha, self.world.now())
        pull.reviews.append(made)
        pull.reviewers = [one for one in pull.reviewers if one != user]
        pull.updated_at = self.world.now()
        return made

    @_locked
    def add_check_run(
        self,
        ref: str,
        name: str = "test",
        conclusion: str | None = "success",
        *,
        status: str | None = None,
        app: str = "github-actions",
        title: str | None = None,
        summary: str | None = None,
    ) -> CheckRun:
        """A check of a branch's tip or a commit; without a conclusion it is still in progress."""
        now = self.world.now()
        state = status or ("completed" if conclusion else "in_progress")
        ended = now if state == "completed" else None
        sha = self.commit_of(ref)
        run = CheckRun(self.world.next_id(), sha, name, state, conclusion, app, title, summary, now, ended)
        self.check_runs.append(run)
        return run

    @_locked
    def add_status(
        self, ref: str, context: str = "ci", state: str = "success", description: str | None = None
    ) -> Status:
        """A commit status of a branch's tip or a commit."""
        made = Status(self.world.next_id(), self.commit_of(ref), context, state, description, self.world.now())
        self.statuses.append(made)
        return made

    @_locked
    def add_collaborator(self, login: str, role: str = "push") -> User:
        user = self.world.accounts.user(login)
        self.collaborators[login.lower()] = role
        return user

    @_locked
    def protect(self, branch: str, *, checks: tuple[str, ...] = (), reviews: int = 0, strict: bool = False) -> None:
        self.protections[branch] = Protection(checks, reviews, strict)

    @_locked
    def add_ruleset(
        self,
        pattern: str,
        *,
        creations: bool = False,
        updates: bool = False,
        deletions: bool = False,
        bypass: tuple[str, ...] = (),
    ) -> None:
        self.rulesets.append(Ruleset(pattern, creations, updates, deletions, bypass))

    @_locked
    def rename(self, name: str) -> None:
        """The old name is answered with 301 from now on."""
        self.world.renamed[self.full_name.lower()] = self.id
        self.name = name

    @_locked
    def transfer(self, owner: str) -> None:
        """To another owner; the old name is answered with 301."""
        self.world.renamed[self.full_name.lower()] = self.id
        self.owner = self.world.accounts.user(owner)

    @_locked
    def delete(self) -> None:
        """The repository is gone, and answered with 404."""
        del self.world.repositories[self.id]

    @_locked
    def make_empty(self) -> None:
        """As it was before the first push."""
        self.refs.clear()
        self.objects = Objects()
