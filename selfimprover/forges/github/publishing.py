"""Makes the one commit of a fix, and its branch, through the Git Data API: never a clone, never a foreign commit.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-your-git-database
"""

import hashlib
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from selfimprover.domain import Commit, Edit
from selfimprover.errors import ConflictError, ForgeError, RefusedError
from selfimprover.forges.github import addresses
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import DoubtError, MissingError, RefusedByGitHubError
from selfimprover.forges.github.pulls import BRANCHES

_AUTHOR = re.compile(r"\s*([^<>\n]*[^<>\s])\s*<([^<>\s]+)>\s*")
_PLAIN = frozenset({"100644", "100755"})
_FOLDER = "040000"
_KINDS = {"120000": "a symbolic link", "160000": "a submodule", _FOLDER: "a folder"}
_TRIES = 3
_LAGS = (1.0, 2.0, 4.0, 8.0, 16.0)
_SWAP = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }"


class Publisher:
    """Commits and branches of one repository, against its branch ``base``."""

    def __init__(self, client: GitHub, repository: str, base: str, sleep: Callable[[float], Awaitable[Any]]) -> None:
        self._client = client
        self._repository = repository
        self._base = base
        self._sleep = sleep

    async def make(self, commit: Commit) -> str:
        """The id of the commit, which is the same whenever it is made; raises ``ConflictError`` if it cannot be."""
        listing = await self._tree(commit.base_commit)
        entries = [await self._entry(edit, listing) for edit in commit.edits]
        body = {"base_tree": listing["sha"], "tree": entries}
        tree = await self._again("trees", body)
        who = _identity(commit)
        made = await self._again(
            "commits",
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
        """Lets the branch name the commit; raises ``ConflictError`` if it names another one that is not ours alone.

        ``RefusedError`` if a rule of the repository is against it.
        """
        try:
            await self._write("POST", self._git("refs"), {"ref": f"refs/heads/{branch}", "sha": made})
        except (RefusedByGitHubError, DoubtError) as error:
            present = await self._seen(branch) if _is_there(error) else await self.head(branch)
            if present == made:
                return
            if present is None and isinstance(error, RefusedByGitHubError) and not error.already_exists:
                raise RefusedError(f"GitHub refuses the branch: {error.what}", where=self._repository) from error
            if present is None:
                raise
            if not await self.is_ours(present, commit.author):
                raise ConflictError(f"{branch} exists with something else on it", where=self._repository) from error
            await self.replace(branch, present, made)

    async def replace(self, branch: str, before: str, after: str) -> None:
        """Lets the branch name ``after`` if it names ``before``, in one step: nobody's push can come between.

        REST has no such step. https://docs.github.com/en/graphql/reference/mutations#updaterefs
        Raises ``ConflictError`` if the branch names something else, ``RefusedError`` if a rule is against it.
        """
        present = await self.head(branch)
        if present == before:
            present = await self._swap(branch, before, after)
        if present != after:
            what = "was deleted by somebody" if present is None else "exists with something else on it"
            raise ConflictError(f"{branch} {what}", where=self._repository)

    async def _swap(self, branch: str, before: str, after: str) -> str | None:
        """The commit that the branch names after the attempt."""
        repository = (await self._client.get(addresses.path("/repos/{+repository}", repository=self._repository))).data
        change = {"name": f"refs/heads/{branch}", "beforeOid": before, "afterOid": after, "force": True}
        try:
            swap = {"repositoryId": repository["node_id"], "refUpdates": [change]}
            await self._client.graphql(_SWAP, {"input": swap})
        except RefusedByGitHubError as error:
            present = await self.head(branch)
            if present == before:
                raise RefusedError(f"GitHub refuses the branch: {error.what}", where=self._repository) from error
            return present
        except DoubtError:
            present = await self.head(branch)
            if present == before:
                raise
            return present
        return after

    async def _seen(self, branch: str) -> str | None:
        """The commit of a branch that exists, though reads may not show it yet."""
        for lag in _LAGS:
            if (present := await self.head(branch)) is not None:
                return present
            await self._sleep(lag)
        return await self.head(branch)

    async def head(self, branch: str) -> str | None:
        """The commit that a branch names; ``None`` if there is no such branch."""
        try:
            answer = await self._client.get(self._git("ref/heads", branch))
        except MissingError:
            return None
        return str(answer.data["object"]["sha"])

    async def is_ours(self, head: str, author: str) -> bool:
        """Whether a commit is what ``make`` makes: ``author`` is all that wrote it, upon something the base has."""
        try:
            found = (await self._client.get(self._git("commits", head))).data
        except MissingError:
            return False
        name, address = _author(author)
        by = {(found[role]["name"], found[role]["email"]) for role in ("author", "committer")}
        if by != {(name, address)} or len(found["parents"]) != 1:
            return False
        parent = found["parents"][0]["sha"]
        here = "/repos/{+repository}/compare/{before}...{after}"
        compared = await self._client.get(
            addresses.path(here, repository=self._repository, before=parent, after=self._base)
        )
        return compared.data["status"] in {"ahead", "identical"}

    def check(self, branch: str) -> None:
        """Raises ``ConflictError`` for a branch that is not ours to write."""
        if not re.fullmatch(rf"{BRANCHES}[a-z0-9]+(-[a-z0-9]+)*", branch) or branch == self._base:
            raise ConflictError(f"not a branch of ours: {branch[:200]!r}", where=self._repository)

    async def _tree(self, commit: str) -> Mapping[str, Any]:
        """Every file of the commit, with the id of the whole; of a huge one, what GitHub lists of it."""
        answer = await self._client.get_once(self._git("trees", commit), recursive="1")
        data: Mapping[str, Any] = answer.data
        return data

    async def _entry(self, edit: Edit, listing: Mapping[str, Any]) -> dict[str, Any]:
        """The line of the new tree that makes one edit, after a look at what it starts from."""
        whole = not listing.get("truncated")
        listed = listing["tree"] if whole else await self._walk(listing["sha"], edit.path)
        found = next((one for one in listed if one["path"] == edit.path), None)
        if found is None and (way := _in_the_way(edit.path, listed)):
            raise ConflictError(f"{edit.path} cannot be made: {way}", where=self._repository)
        mode = found["mode"] if found else "100644"
        if mode not in _PLAIN:
            raise ConflictError(f"{edit.path} is {_KINDS.get(mode, 'not a plain file')}", where=self._repository)
        if (found["sha"] if found else None) != (None if edit.before is None else _blob(edit.before)):
            raise ConflictError(f"{edit.path} is not what the draft was made from", where=self._repository)
        entry: dict[str, Any] = {"path": edit.path, "mode": mode, "type": "blob"}
        return {**entry, "sha": None} if edit.after is None else {**entry, "content": edit.after}

    async def _walk(self, tree: str, path: str) -> Sequence[Mapping[str, Any]]:
        """What stands on the way to one file and beside it, in a tree that is too large to be listed whole."""
        found: list[Mapping[str, Any]] = []
        above = ""
        for name in path.split("/"):
            listed = (await self._client.get(self._git("trees", tree))).data["tree"]
            found += [{**one, "path": above + one["path"]} for one in listed]
            below = next((one for one in listed if one["path"] == name and one["mode"] == _FOLDER), None)
            if below is None:
                break
            tree, above = below["sha"], f"{above}{name}/"
        return found

    async def _again(self, kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Writes an object; an unknown effect is no matter, for the same object has the same id."""
        for _ in range(_TRIES - 1):
            try:
                return await self._write("POST", self._git(kind), body)
            except DoubtError:
                continue
        return await self._write("POST", self._git(kind), body)

    async def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = await self._client.write(method, path, body)
        data: Mapping[str, Any] = answer.data
        return data

    def _git(self, kind: str, which: str | None = None) -> str:
        """Where the git data of a kind is, or one piece of it; a branch keeps its slashes."""
        here = addresses.path("/repos/{+repo}/git/{+kind}", repo=self._repository, kind=kind)
        return here if which is None else here + addresses.path("/{+which}", which=which)


def _in_the_way(path: str, listed: Sequence[Mapping[str, Any]]) -> str:
    """What keeps a new file from being made; empty if nothing does."""
    kinds = {one["path"]: one["mode"] for one in listed}
    if path in kinds:
        return "it is a folder"
    parents = [path[:place] for place, character in enumerate(path) if character == "/"]
    for parent in parents:
        if kinds.get(parent, _FOLDER) != _FOLDER:
            return f"{parent} is {_KINDS.get(kinds[parent], 'a file')}"
    wanted = {_folded(one) for one in (path, *parents)}
    twin = next((one for one in kinds if _folded(one) in wanted and one not in {path, *parents}), None)
    return f"{twin} differs from it only in case" if twin else ""


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _is_there(error: ForgeError) -> bool:
    return isinstance(error, RefusedByGitHubError) and error.already_exists


def _identity(commit: Commit) -> dict[str, str]:
    name, address = _author(commit.author)
    return {"name": name, "email": address, "date": f"{commit.date:%Y-%m-%dT%H:%M:%SZ}"}


def _author(author: str) -> tuple[str, str]:
    match = _AUTHOR.fullmatch(author)
    if match is None:
        mend = 'write it as "Name <address>"'
        raise ConflictError(f"not an author: {author!r}", where="publish.author", mend=mend)
    return match[1], match[2]


def _blob(text: str) -> str:
    """The id that git gives to a file of this content."""
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
