"""A git repository on this machine as a forge.

Only objects are added, and refs under ``refs/heads/selfimprover/`` and ``refs/selfimprover/``. The working tree, the
index, the configuration, HEAD and every other ref stay as their owner left them.
"""

import re
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from selfimprover.domain import Commit, Edit, Proposal, PullRequest, PullState
from selfimprover.errors import ConflictError, ForgeError
from selfimprover.forges.local_merges import Merge, find_merge, is_ancestor
from selfimprover.forges.local_records import Record, Records, identity, new_record, ref_commit, set_ref
from selfimprover.git import GitError, export_tree, git

_BRANCH = re.compile(r"selfimprover/[a-z0-9]+(-[a-z0-9]+)*")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_NUMBER = re.compile(r"\(#(\d{1,7})\)$|^Merge pull request #(\d{1,7})\b", re.MULTILINE)
_FILE_MODES = {"100644", "100755"}


class LocalForge:
    """Branches and pull requests in ``repository`` (bare or not), against its branch ``base``.

    ``author`` (``Name <address>``) signs the records of the pull requests. With ``read_only`` nothing at all is
    written: a changed state is told but not recorded, ``push`` and ``open`` are refused.
    """

    def __init__(self, repository: Path, *, base: str, author: str, read_only: bool = False) -> None:
        self._repository = repository
        self._base = base
        self._read_only = read_only
        self._records = Records(repository, author)

    async def base_commit(self) -> str:
        """The commit of the base branch; raises ``ForgeError`` with what there is instead."""
        try:
            commit = await ref_commit(self._repository, f"refs/heads/{self._base}")
        except GitError as error:
            raise self._unusable(error) from error
        if commit is None:
            raise await self._missing_base()
        return commit

    async def export(self, commit: str, into: Path) -> None:
        """Writes the plain files of ``commit`` beneath the empty folder ``into``."""
        await export_tree(self._repository, commit, into)

    async def push(self, commit: Commit) -> str:
        """Makes the commit and its branch; raises ``ConflictError`` if either is not as the draft left it."""
        ref = self._writable_ref(commit.branch)
        env = identity(commit.author, commit.date)
        made = await self._make_commit(commit, env)
        present = await ref_commit(self._repository, ref)
        if commit.replaces is not None and present == commit.replaces:
            await set_ref(self._repository, ref, made, present, env)
            present = await ref_commit(self._repository, ref)
        elif present is None:
            if await self._record_of(commit.branch):
                raise ConflictError(f"{commit.branch} was deleted by somebody", where=str(self._repository))
            if await set_ref(self._repository, ref, made, None, env):
                return made
            present = await ref_commit(self._repository, ref)
        if present not in {None, made} and commit.replaces is None and await self._was_left_behind(commit, present):
            present = made if await set_ref(self._repository, ref, made, present, env) else present
        if present != made:
            raise ConflictError(f"{commit.branch} exists with something else on it", where=str(self._repository))
        return made

    async def is_ours(self, commit: str, author: str) -> bool:
        """Whether ``push`` made it: ``author`` is all that wrote it, directly upon something that the base has."""
        shape = "--format=%an <%ae>%n%cn <%ce>%n%P"
        told = await git(self._repository, "rev-list", "--no-walk", "--encoding=UTF-8", shape, commit)
        writer, committer, parents = told.decode("utf-8", "replace").split("\n")[1:4]
        if len(parents.split()) != 1 or not writer == committer == author:
            return False
        return await is_ancestor(self._repository, parents, await self.base_commit())

    async def complaints(self, pull: PullRequest) -> str:  # noqa: ARG002
        """Nothing: no checks run here."""
        return ""

    async def open(self, proposal: Proposal) -> PullRequest:
        """Records the pull request; a branch that already has one, whatever became of it, keeps that one."""
        ref = self._writable_ref(proposal.branch)
        while (record := await self._record_of(proposal.branch)) is None:
            if await ref_commit(self._repository, ref) != proposal.head_commit:
                raise ConflictError(f"{proposal.branch} is not as it was pushed", where=str(self._repository))
            parent = await git(self._repository, "rev-parse", "--verify", f"{proposal.head_commit}^")
            url = f"{self._repository.resolve().as_uri()}#{proposal.branch}"
            opened = new_record(await self._next_number(), proposal, parent.decode().strip(), url)
            if await self._records.create(opened, proposal.body):
                return opened.pull
        return record.pull

    async def pull_requests(self, seen_at: datetime, known: Collection[int] = ()) -> list[PullRequest]:  # noqa: ARG002
        """All our pull requests by number; a state that changed is recorded, and its dates stay from then on."""
        records = await self._records.all()
        if not records:
            return []
        base = await self.base_commit()
        return [(await self._refreshed(record, base, seen_at)).pull for record in records]

    async def refreshed(self, pull: PullRequest) -> PullRequest:
        """As it is: nothing checks it here but our own proof."""
        return pull

    async def ready(self, pull: PullRequest) -> None:
        """Records that it is no draft any more."""
        self._writable_ref(pull.branch)
        record = await self._record_of(pull.branch)
        if record is not None and record.pull.draft:
            changed = replace(record, pull=replace(record.pull, draft=False))
            await self._records.replace(changed, record.pull.opened_at)

    async def tell(self, pull: PullRequest, key: str, text: str) -> None:
        """Adds the comment to the text of the record, once."""
        self._writable_ref(pull.branch)
        record = await self._record_of(pull.branch)
        if record is not None:
            await self._records.add(record, f"<!-- selfimprover {key} -->", text)

    async def withdraw(self, pull: PullRequest, why: str) -> None:
        """Says why and records it as closed; the branch stays."""
        await self.tell(pull, "closed", why)
        record = await self._record_of(pull.branch)
        if record is not None and record.pull.state is PullState.OPEN:
            at = max(record.pull.opened_at, datetime.now(UTC))
            closed = replace(record.pull, state=PullState.CLOSED, closed_at=at)
            await self._records.replace(replace(record, pull=closed), at)

    async def contains(self, version: str, commit: str) -> bool | None:
        """Whether ``version`` (a commit id, perhaps shortened) has ``commit``; ``None`` if it is not known here."""
        whole = await self._known_commit(version)
        sought = await self._known_commit(commit)
        if whole is None or sought is None:
            return None
        return await is_ancestor(self._repository, sought, whole)

    # --- commits -------------------------------------------------------------------------------------------

    def _writable_ref(self, branch: str) -> str:
        if self._read_only:
            raise ForgeError("the repository is only read here", where=str(self._repository))
        if not _BRANCH.fullmatch(branch) or branch == self._base:
            raise ForgeError(f"not a branch of ours: {branch[:200]!r}", where=str(self._repository))
        return f"refs/heads/{branch}"

    async def _make_commit(self, commit: Commit, env: Mapping[str, str]) -> str:
        entries = [await self._index_entry(commit.base_commit, edit) for edit in commit.edits]
        with tempfile.TemporaryDirectory(prefix="selfimprover-index-") as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            await git(self._repository, "read-tree", commit.base_commit, env=index)
            await git(self._repository, "update-index", "-z", "--index-info", stdin=b"".join(entries), env=index)
            tree = (await git(self._repository, "write-tree", env=index)).decode().strip()
        arguments = ("commit-tree", tree, "-p", commit.base_commit)
        made = await git(self._repository, *arguments, stdin=commit.message.encode(), env=env)
        return made.decode().strip()

    async def _was_left_behind(self, commit: Commit, tip: str | None) -> bool:
        """Whether the branch is ours but never got its pull request: a crash came between, and the base moved on."""
        if tip is None or await self._record_of(commit.branch):
            return False
        return await self.is_ours(tip, commit.author)

    async def _index_entry(self, base_commit: str, edit: Edit) -> bytes:
        """The line for ``update-index --index-info`` that makes one edit, after a look at what it starts from."""
        mode, present = await self._file(base_commit, edit.path)
        before = None if edit.before is None else edit.before.encode()
        if present != before:
            where = str(self._repository)
            raise ConflictError(f"{edit.path} is not what the draft was made from", where=where)
        if edit.after is None:
            return f"0 {'0' * len(base_commit)}\t{edit.path}\0".encode()
        arguments = ("hash-object", "-w", "--stdin", "--no-filters")
        blob = await git(self._repository, *arguments, stdin=edit.after.encode())
        return f"{mode} {blob.decode().strip()}\t{edit.path}\0".encode()

    async def _file(self, commit: str, path: str) -> tuple[str, bytes | None]:
        """Mode and content of a plain file; ``None`` as content if there is none of that name."""
        listing = (await git(self._repository, "ls-tree", "-z", "--full-tree", commit, "--", path)).decode()
        if not listing:
            await self._require_folders(commit, path)
            return "100644", None
        mode, _, blob = listing.partition("\t")[0].split(" ")
        if mode not in _FILE_MODES:
            raise ConflictError(f"{path} is not a plain file", where=str(self._repository))
        return mode, await git(self._repository, "cat-file", "blob", blob)

    async def _require_folders(self, commit: str, path: str) -> None:
        """Raises ``ConflictError`` if a new file would take the place of a file or link on the way to it."""
        for folder in reversed(PurePosixPath(path).parents[:-1]):
            listing = await git(self._repository, "ls-tree", "-z", "--full-tree", commit, "--", str(folder))
            if not listing:
                return
            if not listing.startswith(b"040000 "):
                raise ConflictError(f"{path} cannot be made: {folder} is no folder", where=str(self._repository))

    async def _known_commit(self, version: str) -> str | None:
        if not _COMMIT.fullmatch(version):
            return None
        try:
            found = await git(self._repository, "rev-parse", "--verify", "--quiet", f"{version}^{{commit}}")
        except GitError as error:
            if error.returncode is None:
                raise
            return None
        commit = found.decode().strip()
        return commit if commit.startswith(version) else None  # a branch may be called like an id

    # --- pull requests -------------------------------------------------------------------------------------

    async def _record_of(self, branch: str) -> Record | None:
        return next((record for record in await self._records.all() if record.pull.branch == branch), None)

    async def _next_number(self) -> int:
        """One more than any number that a record has or that the history mentions, so that none means two things."""
        arguments = ("rev-list", "--encoding=UTF-8", "--fixed-strings", "--grep=#", "--format=%s")
        subjects = (await git(self._repository, *arguments, await self.base_commit())).decode("utf-8", "replace")
        mentioned = (int(number) for match in _NUMBER.findall(subjects) for number in match if number)
        recorded = (record.pull.number for record in await self._records.all())
        return 1 + max((*mentioned, *recorded), default=0)

    async def _refreshed(self, record: Record, base: str, seen_at: datetime) -> Record:
        if record.pull.state is not PullState.OPEN:
            return record
        pull = await self._state_now(record, base, seen_at)
        changed = replace(record, pull=pull)
        if changed == record or self._read_only:
            return changed
        if await self._records.replace(changed, seen_at):
            return changed
        return await self._record_of(pull.branch) or changed  # another process saw it first: its dates count

    async def _state_now(self, record: Record, base: str, seen_at: datetime) -> PullRequest:
        pull = record.pull
        tip = await ref_commit(self._repository, f"refs/heads/{pull.branch}")
        for head in dict.fromkeys((tip or pull.head_commit, pull.head_commit)):
            merge = await find_merge(self._repository, head, record.base_commit, base)
            if merge and (merge.commit != head or await is_ancestor(self._repository, pull.head_commit, head)):
                return _merged(replace(pull, head_commit=head), merge, seen_at)
        if tip is None:
            return replace(pull, state=PullState.CLOSED, closed_at=seen_at)
        if await is_ancestor(self._repository, tip, base):
            return pull  # somebody set the branch back onto the base: nothing of ours is on it
        return replace(pull, head_commit=tip)

    # --- what went wrong -----------------------------------------------------------------------------------

    def _unusable(self, error: GitError) -> ForgeError:
        where = str(self._repository)
        if error.returncode is None:
            return error
        if not self._repository.is_dir():
            return ForgeError("there is no such folder", where=where, mend="mend projects.repository.path")
        if "not a git repository" in error.what:
            mend = "mend projects.repository.path: it is the folder that has .git in it, or a bare repository"
            return ForgeError("not a git repository", where=where, mend=mend)
        return error

    async def _missing_base(self) -> ForgeError:
        where = str(self._repository)
        listing = await git(self._repository, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/")
        branches = [name for name in listing.decode("utf-8", "replace").split() if not _BRANCH.fullmatch(name)]
        if not branches:
            return ForgeError("the repository is empty", where=where, mend=f"make a first commit on {self._base}")
        suggestion = branches[0] if len(branches) == 1 else "…"
        return ForgeError(
            f"there is no branch {self._base}, only {', '.join(branches[:10])}",
            where=where,
            mend=f'set projects.repository.base = "{suggestion}"',
        )


def _merged(pull: PullRequest, merge: Merge, seen_at: datetime) -> PullRequest:
    """Commit dates are claims of whoever made them: none is before the opening or after now."""
    at = min(max(merge.date or seen_at, pull.opened_at), seen_at)
    return replace(pull, state=PullState.MERGED, merged_at=at, merge_commit=merge.commit)
