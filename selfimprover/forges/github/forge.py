"""GitHub as a forge: an ``interfaces.Forge`` for one repository.

Whatever is in doubt is looked up, never sent again blindly; only branches beginning with ``selfimprover/`` are written.
"""

import asyncio
import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from selfimprover.domain import Commit, Proposal, PullRequest
from selfimprover.errors import ConflictError, ForgeError
from selfimprover.forges.github import pulls
from selfimprover.forges.github.addresses import path
from selfimprover.forges.github.archives import Archives
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import DoubtError, ForbiddenError, MissingError, RefusedByGitHubError, StaleError
from selfimprover.forges.github.opening import LAGS, Opener
from selfimprover.forges.github.publishing import Publisher
from selfimprover.forges.github.understood import understood
from selfimprover.forges.github.watching import Watcher

_MOST_WORKFLOWS = 100
_READY = """
mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }
"""

log = structlog.get_logger()


class GitHubForge:
    """Branches and pull requests of ``repository`` (``owner/name``), against its branch ``base``.

    ``archives`` keeps what was downloaded; what people wrote goes through ``redact``. With ``read_only`` nothing is
    written: ``push`` and ``open`` are refused.
    """

    def __init__(
        self,
        client: GitHub,
        repository: str,
        *,
        base: str,
        archives: Archives,
        redact: Callable[[str], str],
        read_only: bool = False,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._repository = repository
        self._base = base
        self._archives = archives
        self._read_only = read_only
        self._sleep = sleep
        self._publisher = Publisher(client, repository, base, sleep)
        self._opener = Opener(client, repository, base, sleep)
        self._watcher = Watcher(client, repository, base, redact, sleep)
        self._looked: dict[str, Sequence[Mapping[str, Any]]] = {}

    @understood
    async def base_commit(self) -> str:
        """The commit of the base branch; raises ``ForgeError`` with what there is instead."""
        try:
            commit = await self._publisher.head(self._base)
        except StaleError as error:
            mend = f"make a first commit on {self._base}"
            raise ForgeError("the repository is empty", where=self._repository, mend=mend) from error
        return commit if commit is not None else await self._explain_missing_base()

    @understood
    async def export(self, commit: str, into: Path) -> None:
        """Writes the plain files of ``commit`` beneath the empty folder ``into``."""
        await self._archives.export(self._client, self._repository, commit, into)

    @understood
    async def push(self, commit: Commit) -> str:
        """Makes the commit and its branch; raises ``ConflictError`` if either is not as the draft left it."""
        self._require_writable(commit.branch)
        if commit.replaces is not None:
            made = await self._publisher.make(commit)
            await self._publisher.replace(commit.branch, commit.replaces, made)
            return made
        known = await self._opener.pulls_of(commit.branch)
        if known and known[0]["state"] != "open":
            return str(known[0]["head"]["sha"])  # it ended, whatever became of the branch: ``open`` tells
        made = await self._publisher.make(commit)
        if known:
            await self._require_head(commit.branch, made)
            return made
        await self._publisher.point(commit.branch, made, commit)
        self._looked[commit.branch] = known
        return made

    @understood
    async def is_ours(self, commit: str, author: str) -> bool:
        """Whether ``push`` made it: ``author`` is all that wrote it, directly upon something that the base has."""
        return await self._publisher.is_ours(commit, author)

    @understood
    async def open(self, proposal: Proposal) -> PullRequest:
        """Opens the pull request; a branch that already has one, whatever became of it, keeps that one."""
        self._require_writable(proposal.branch)
        known = self._looked.pop(proposal.branch, None)
        if known is None:  # the branch is of an earlier night, which somebody may have changed
            known = await self._opener.pulls_of(proposal.branch)
            if not known:
                await self._require_head(proposal.branch, proposal.head_commit)
        opened = known[0] if known else await self._opener.create(proposal)
        if opened["state"] == "open" and opened["head"]["sha"] == proposal.head_commit:
            await self._opener.decorate(opened, proposal)
        return self._watcher.told(opened)

    @understood
    async def pull_requests(
        self,
        seen_at: datetime,  # noqa: ARG002  (GitHub dates everything itself)
        known: Collection[int] = (),
    ) -> Sequence[PullRequest]:
        """Our pull requests by number: all open ones, the latest ended ones, and those ``known``."""
        found = await self._client.get_all(self._here("pulls"), state="open")
        latest = {"state": "closed", "sort": "updated", "direction": "desc", "per_page": "100"}
        found += (await self._client.get(self._here("pulls"), **latest)).data
        ours: dict[int, Mapping[str, Any]] = {}
        ours |= {one["number"]: one for one in found if pulls.is_ours(one, self._repository)}
        for number in sorted(set(known) - ours.keys()):
            one = await self._one(number)
            if one is not None and pulls.is_ours(one, self._repository):
                ours[number] = one
        return await self._watcher.all([ours[number] for number in sorted(ours)], known)

    @understood
    async def refreshed(self, pull: PullRequest) -> PullRequest:
        """Asks for what changed since the last time; what did not costs none of GitHub's limit."""
        return await self._watcher.refreshed(pull)

    @understood
    async def complaints(self, pull: PullRequest) -> str:
        """What the failing checks say, redacted and cut."""
        return await self._watcher.complaints(pull)

    @understood
    async def ready(self, pull: PullRequest) -> None:
        """Marks a draft pull request as ready for review, for which GitHub has no REST call."""
        self._require_writable(pull.branch)
        detail = (await self._client.get(self._here("pulls/{number}", number=pull.number))).data
        if detail.get("draft"):
            await self._client.graphql(_READY, {"id": detail["node_id"]})

    @understood
    async def tell(self, pull: PullRequest, key: str, text: str) -> None:
        """Comments once: the comment carries the key, so that it is found whoever forgot it.

        A conversation may be locked, or closed to us: then nothing is said, and the rest goes on.
        """
        self._require_writable(pull.branch)
        place = self._here("issues/{number}/comments", number=pull.number)
        body = f"{text}\n\n<!-- selfimprover {key} -->\n{pulls.OUR_WORDS}"
        for lag in (None, *LAGS[:2]):
            if lag is not None:
                await self._sleep(lag)
            if any(pulls.is_said(one, key, pull.author) for one in await self._client.get_all(place)):
                return
            try:
                await self._client.write("POST", place, {"body": body})
            except DoubtError:
                continue
            except (ForbiddenError, RefusedByGitHubError) as error:
                log.warning("github.not_told", pull_request=pull.number, what=key, why=error.what)
            return

    @understood
    async def withdraw(self, pull: PullRequest, why: str) -> None:
        """Says why, then closes; the branch stays."""
        await self.tell(pull, "closed", why)
        await self._client.write("PATCH", self._here("pulls/{number}", number=pull.number), {"state": "closed"})

    @understood
    async def workflows(self) -> Mapping[str, str]:
        """The texts of the repository's workflows on the base branch, by path; of very many, the first hundred."""
        try:
            folder = self._here("contents/.github/workflows")
            listed = (await self._client.get(folder, ref=self._base)).data
        except MissingError:
            return {}
        names = [one["path"] for one in listed if one["type"] == "file" and one["name"].endswith((".yml", ".yaml"))]
        texts = {}
        for name in names[:_MOST_WORKFLOWS]:
            found = (await self._client.get(self._here("contents/{+name}", name=name), ref=self._base)).data
            texts[name] = base64.b64decode(found.get("content") or "").decode("utf-8", "replace")
        return texts

    @understood
    async def contains(self, version: str, commit: str) -> bool | None:
        """Whether ``version`` (a commit id, perhaps shortened) has ``commit``; ``None`` if it is not known here."""
        if not all(set(one) <= set("0123456789abcdef") and one for one in (version, commit)):
            return None
        try:
            compared = await self._client.get(
                self._here("compare/{commit}...{version}", commit=commit, version=version)
            )
        except MissingError:
            return None
        return compared.data["status"] in {"ahead", "identical"}

    # --- what went wrong -----------------------------------------------------------------------------------

    def _here(self, template: str = "", **values: str | int) -> str:
        place = "/repos/{+repository}" + (f"/{template}" if template else "")
        return path(place, repository=self._repository, **values)

    def _require_writable(self, branch: str) -> None:
        if self._read_only:
            raise ForgeError("the repository is only read here", where=self._repository)
        self._publisher.check(branch)

    async def _one(self, number: int) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = (await self._client.get(self._here("pulls/{number}", number=number))).data
        except MissingError:
            return None
        return found

    async def _require_head(self, branch: str, expected: str) -> None:
        """Raises ``ConflictError`` if a branch of ours is not where we left it."""
        present = await self._publisher.head(branch)
        if present != expected:
            what = "was deleted by somebody" if present is None else "exists with something else on it"
            raise ConflictError(f"{branch} {what}", where=self._repository)

    async def _explain_missing_base(self) -> str:
        try:
            repository = (await self._client.get(self._here())).data
        except MissingError as error:
            mend = "correct projects.repository.name, or give the token access to it"
            raise ForgeError(
                "there is no such repository, or it is hidden", where=self._repository, mend=mend
            ) from error
        mend = f'set projects.repository.base = "{repository["default_branch"]}"'
        raise ForgeError(f"there is no branch {self._base}", where=self._repository, mend=mend)
