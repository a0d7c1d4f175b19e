"""Makes the one commit of a fix, and its branch, through the Git Data API: never a clone, never a foreign commit.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-your-git-database
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from selfimprover.domain import Commit, Edit
from selfimprover.errors import ConflictError
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import DoubtError, MissingError, RefusedByGitHubError
from selfimprover.forges.github.pulls import BRANCHES

_AUTHOR = re.compile(r"\s*([^<>\n]*[^<>\s])\s*<([^<>\s]+)>\s*")
_PLAIN = frozenset({"100644", "100755"})
_TRIES = 3


class Publisher:
    """Commits and branches of one repository, against its branch ``base``."""

    def __init__(self, client: GitHub, repository: str, base: str) -> None:
        self._client = client
        self._repository = repository
        self._base = base

    async def make(self, commit: Commit) -> str:
        """The id of the commit, which is the same whenever it is made; raises ``ConflictError`` if it cannot be."""
        listing = await self._tree(commit.base_commit)
        entries = [await self._entry(edit, listing) for edit in commit.edits]
        body = {"base_tree": listing["sha"], "tree": entries}
        tree = await self._again("git/trees", body)
        who = _identity(commit)
        made = await self._again(
            "git/commits",
            {
                "message": commit.message,
                "tree": tree["sha"],
                "parents": [commit.base_commit],
                "author": who,
                "committer": who,
            },
        )
        return str(made["sha"])

    async def point(self, branch: str, made: str, commit: Commit) -> None:
        """Lets the branch name the commit; raises ``ConflictError`` if it names another one that is not ours alone."""
        try:
            await self._write("POST", "git/refs", {"ref": f"refs/heads/{branch}", "sha": made})
        except (RefusedByGitHubError, DoubtError) as error:
            present = await self.head(branch)
            if present == made:
                return
            if present is None and isinstance(error, RefusedByGitHubError):
                raise ConflictError(f"GitHub refuses the branch: {error.what}", where=self._repository) from error
            if present is None:
                raise
            if not await self._was_left_behind(present, commit):
                raise ConflictError(f"{branch} exists with something else on it", where=self._repository) from error
            await self._write("PATCH", f"git/refs/heads/{branch}", {"sha": made, "force": True})

    async def head(self, branch: str) -> str | None:
        """The commit that a branch names; ``None`` if there is no such branch."""
        try:
            answer = await self._client.get(f"/repos/{self._repository}/git/ref/heads/{branch}")
        except MissingError:
            return None
        return str(answer.data["object"]["sha"])

    def check(self, branch: str) -> None:
        """Raises ``ConflictError`` for a branch that is not ours to write."""
        if not re.fullmatch(rf"{BRANCHES}[a-z0-9]+(-[a-z0-9]+)*", branch) or branch == self._base:
            raise ConflictError(f"not a branch of ours: {branch[:200]!r}", where=self._repository)

    async def _tree(self, commit: str) -> Mapping[str, Any]:
        """Every file of the commit, with the id of the whole; of a huge one, what GitHub lists of it."""
        answer = await self._client.get(f"/repos/{self._repository}/git/trees/{commit}", recursive="1")
        data: Mapping[str, Any] = answer.data
        return data

    async def _entry(self, edit: Edit, listing: Mapping[str, Any]) -> dict[str, Any]:
        """The line of the new tree that makes one edit, after a look at what it starts from."""
        found = next((one for one in listing["tree"] if one["path"] == edit.path), None)
        if found is None and listing.get("truncated"):
            found = await self._walk(listing["sha"], edit.path)
        mode = found["mode"] if found else "100644"
        if mode not in _PLAIN:
            raise ConflictError(f"{edit.path} is not a plain file", where=self._repository)
        if (found["sha"] if found else None) != (None if edit.before is None else _blob(edit.before)):
            raise ConflictError(f"{edit.path} is not what the draft was made from", where=self._repository)
        entry: dict[str, Any] = {"path": edit.path, "mode": mode, "type": "blob"}
        return {**entry, "sha": None} if edit.after is None else {**entry, "content": edit.after}

    async def _walk(self, tree: str, path: str) -> Mapping[str, Any] | None:
        """One file of a tree that is too large to be listed whole, folder by folder."""
        found: Mapping[str, Any] | None = None
        for name in path.split("/"):
            if found is not None:
                tree = found["sha"]
            listing = await self._client.get(f"/repos/{self._repository}/git/trees/{tree}")
            found = next((one for one in listing.data["tree"] if one["path"] == name), None)
            if found is None:
                return None
        return found

    async def _again(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Writes an object; an unknown effect is no matter, for the same object has the same id."""
        for _ in range(_TRIES - 1):
            try:
                return await self._write("POST", path, body)
            except DoubtError:
                continue
        return await self._write("POST", path, body)

    async def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = await self._client.write(method, f"/repos/{self._repository}/{path}", body)
        data: Mapping[str, Any] = answer.data
        return data

    async def _was_left_behind(self, head: str, commit: Commit) -> bool:
        """Whether the branch is ours alone: its one commit is by us, upon something that the base has.

        A crash came between push and pull request, and the base moved on.
        """
        found = (await self._client.get(f"/repos/{self._repository}/git/commits/{head}")).data
        who = _identity(commit)
        by = {(found[role]["name"], found[role]["email"]) for role in ("author", "committer")}
        if by != {(who["name"], who["email"])} or len(found["parents"]) != 1:
            return False
        parent = found["parents"][0]["sha"]
        compared = await self._client.get(f"/repos/{self._repository}/compare/{parent}...{self._base}")
        return compared.data["status"] in {"ahead", "identical"}


def _identity(commit: Commit) -> dict[str, str]:
    match = _AUTHOR.fullmatch(commit.author)
    if match is None:
        mend = 'write it as "Name <address>"'
        raise ConflictError(f"not an author: {commit.author!r}", where="publish.author", mend=mend)
    return {"name": match[1], "email": match[2], "date": f"{commit.date:%Y-%m-%dT%H:%M:%SZ}"}


def _blob(text: str) -> str:
    """The id that git gives to a file of this content."""
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
