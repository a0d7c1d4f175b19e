"""The pull requests of a local repository, kept in it as git objects under ``refs/selfimprover/pulls/<number>``.

Each ref names a commit whose tree has ``pull.json`` and ``body.md``; a change of state is a further commit upon it.
The commits have the branch's head as a parent too, so that git keeps it when the branch has been deleted.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from selfimprover.domain import ChecksState, Proposal, PullRequest, PullState
from selfimprover.errors import ForgeError
from selfimprover.git import GitError, git

_REFS = "refs/selfimprover/pulls/"
_UNKNOWN = frozenset({"mergeable", "failing", "reviews"})
"""What a repository on its own does not tell of a pull request."""
_AUTHOR = re.compile(r"\s*([^<>\n]*[^<>\s])\s*<([^<>\s]+)>\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A pull request with what only its record knows."""

    pull: PullRequest
    base_commit: str
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    reviewers: tuple[str, ...] = ()
    stored_as: str | None = None
    """The commit that holds the record; ``None`` before it is stored."""


def new_record(number: int, proposal: Proposal, base_commit: str, url: str) -> Record:
    """The record of a pull request that is being opened."""
    pull = PullRequest(
        number=number,
        finding_id=proposal.finding_id,
        fingerprints=proposal.fingerprints,
        title=proposal.title,
        branch=proposal.branch,
        url=url,
        state=PullState.OPEN,
        draft=proposal.draft,
        checks=proposal.checks,
        head_commit=proposal.head_commit,
        opened_at=proposal.opened_at,
    )
    return Record(
        pull=pull,
        base_commit=base_commit,
        labels=proposal.labels,
        assignee=proposal.assignee,
        reviewers=proposal.reviewers,
    )


def identity(author: str, date: datetime) -> dict[str, str]:
    """The environment by which git makes a commit of ``author`` (``Name <address>``), the same on every replay."""
    match = _AUTHOR.fullmatch(author)
    if not match:
        raise ForgeError(f"not an author: {author!r}", where="publish.author", mend='write it as "Name <address>"')
    when = f"@{int(date.timestamp())} +0000"
    return {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", match[1]), ("EMAIL", match[2]), ("DATE", when))
    }


async def set_ref(repository: Path, ref: str, new: str, old: str | None, env: Mapping[str, str]) -> bool:
    """Moves ``ref`` from ``old`` (``None``: it must not exist) to ``new``; False if it is somewhere else by now."""
    try:
        await git(repository, "update-ref", ref, new, old or "0" * len(new), env=env)
    except GitError:
        if await ref_commit(repository, ref) == old:
            raise
        return False
    return True


async def ref_commit(repository: Path, ref: str) -> str | None:
    """The commit that ``ref`` names, ``None`` if there is no such ref."""
    listing = await git(repository, "for-each-ref", "--format=%(refname) %(objectname)", ref)
    found = dict(line.split(" ") for line in listing.decode("utf-8", "replace").splitlines())
    return found.get(ref)


class Records:
    """Reads and writes the records; every write is a compare-and-set."""

    def __init__(self, repository: Path, author: str) -> None:
        self._repository = repository
        self._author = author

    async def all(self) -> list[Record]:
        """Every record, by number."""
        listing = await git(self._repository, "for-each-ref", "--format=%(refname) %(objectname)", _REFS)
        stored = [line.split(" ") for line in listing.decode("ascii", "replace").splitlines()]
        questions = "".join(f"{commit}:pull.json\n" for _, commit in stored).encode("ascii")
        answers = await git(self._repository, "cat-file", "--batch", stdin=questions) if stored else b""
        records = []
        for ref, commit in stored:
            header, _, answers = answers.partition(b"\n")
            size = int(header.split()[2]) if header.split()[1:2] == [b"blob"] else 0
            records.append(self._decode(ref, commit, answers[:size]))
            answers = answers[size + 1 :] if size else answers
        return sorted(records, key=lambda record: record.pull.number)

    async def create(self, record: Record, body: str) -> bool:
        """Stores a new record; False if its number has been taken meanwhile."""
        blob = await git(self._repository, "hash-object", "-w", "--stdin", "--no-filters", stdin=body.encode())
        return await self._store(record, blob.decode().strip(), record.pull.opened_at)

    async def replace(self, record: Record, at: datetime) -> bool:
        """Stores the record upon the one it was read from; False if another came between."""
        blob = await git(self._repository, "rev-parse", "--verify", f"{record.stored_as}:body.md")
        return await self._store(record, blob.decode().strip(), at)

    async def add(self, record: Record, mark: str, text: str) -> None:
        """Adds a comment at the end of the text, unless one with this mark is there."""
        body = await git(self._repository, "cat-file", "blob", f"{record.stored_as}:body.md")
        if mark.encode() in body:
            return
        longer = body + f"\n---\n\n{text}\n\n{mark}\n".encode()
        blob = await git(self._repository, "hash-object", "-w", "--stdin", "--no-filters", stdin=longer)
        await self._store(record, blob.decode().strip(), record.pull.opened_at)

    async def _store(self, record: Record, body: str, at: datetime) -> bool:
        env = identity(self._author, at)
        pull = await git(
            self._repository, "hash-object", "-w", "--stdin", "--no-filters", stdin=_encode(record).encode()
        )
        entries = f"100644 blob {body}\tbody.md\n100644 blob {pull.decode().strip()}\tpull.json\n"
        tree = (await git(self._repository, "mktree", stdin=entries.encode())).decode().strip()
        parents = [record.stored_as] if record.stored_as else []
        arguments = [part for parent in (*parents, record.pull.head_commit) for part in ("-p", parent)]
        message = f"pull request #{record.pull.number}: {record.pull.state}\n"
        commit = await git(self._repository, "commit-tree", tree, *arguments, stdin=message.encode(), env=env)
        ref = f"{_REFS}{record.pull.number}"
        return await set_ref(self._repository, ref, commit.decode().strip(), record.stored_as, env)

    def _decode(self, ref: str, commit: str, content: bytes) -> Record:
        try:
            record = _decoded(json.loads(content), commit)
            if ref != f"{_REFS}{record.pull.number}":
                raise ValueError("its number is not that of its ref")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ForgeError(
                f"the record {ref} cannot be read: {str(error)[:200]}",
                where=str(self._repository),
                mend=f"set it back to an older one (git log {ref}), or remove it: git update-ref -d {ref}",
            ) from error
        return record


def _encode(record: Record) -> str:
    names = {field.name for field in fields(record.pull)} - _UNKNOWN
    values = {name: getattr(record.pull, name) for name in names}
    values |= {"base_commit": record.base_commit, "labels": record.labels}
    values |= {"assignee": record.assignee, "reviewers": record.reviewers}
    return json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False, default=datetime.isoformat) + "\n"


def _decoded(values: Mapping[str, str], commit: str) -> Record:
    pull = PullRequest(
        number=int(values["number"]),
        finding_id=_text(values["finding_id"]),
        title=_text(values["title"]),
        branch=_text(values["branch"]),
        url=_text(values["url"]),
        head_commit=_text(values["head_commit"]),
        fingerprints=_texts(values["fingerprints"]),
        state=PullState(values["state"]),
        draft=bool(values["draft"]),
        checks=ChecksState(values["checks"]),
        opened_at=_instant(values["opened_at"]),
        merged_at=_instant(values["merged_at"]) if values["merged_at"] else None,
        closed_at=_instant(values["closed_at"]) if values["closed_at"] else None,
        merge_commit=_text(values["merge_commit"]) if values["merge_commit"] else None,
    )
    return Record(
        pull=pull,
        base_commit=_text(values["base_commit"]),
        labels=_texts(values["labels"]),
        assignee=_text(values["assignee"]) if values["assignee"] else None,
        reviewers=_texts(values["reviewers"]),
        stored_as=commit,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(_text(item) for item in value)


def _instant(value: object) -> datetime:
    return datetime.fromisoformat(_text(value)).astimezone(UTC)
