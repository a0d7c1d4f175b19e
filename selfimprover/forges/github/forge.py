"""GitHub as a forge: an ``interfaces.Forge`` for one repository.

Whatever is in doubt is looked up, never sent again blindly; only branches beginning with ``selfimprover/`` are written.
"""

import asyncio
import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from selfimprover.domain import Commit, Proposal, PullRequest, PullState
from selfimprover.errors import ConflictError, ForgeError
from selfimprover.forges.github import pulls
from selfimprover.forges.github.archives import Archives
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import DoubtError, ForbiddenError, MissingError, RefusedByGitHubError, StaleError
from selfimprover.forges.github.publishing import Publisher

_MOST_WORKFLOWS = 100
_LAGS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between looks for something that GitHub may not list yet."""
_MERGE_COMMIT = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { mergeCommit { oid } } }
}
"""
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
        self._redact = redact
        self._read_only = read_only
        self._sleep = sleep
        self._publisher = Publisher(client, repository, base)
        self._looked: dict[str, Sequence[Mapping[str, Any]]] = {}
        self._answers: dict[str, tuple[str | None, Mapping[str, Any]]] = {}

    async def base_commit(self) -> str:
        """The commit of the base branch; raises ``ForgeError`` with what there is instead."""
        try:
            commit = await self._publisher.head(self._base)
        except StaleError as error:
            mend = f"make a first commit on {self._base}"
            raise ForgeError("the repository is empty", where=self._repository, mend=mend) from error
        return commit if commit is not None else await self._explain_missing_base()

    async def export(self, commit: str, into: Path) -> None:
        """Writes the plain files of ``commit`` beneath the empty folder ``into``."""
        await self._archives.export(self._client, self._repository, commit, into)

    async def push(self, commit: Commit) -> str:
        """Makes the commit and its branch; raises ``ConflictError`` if either is not as the draft left it."""
        self._require_writable(commit.branch)
        known = await self._pulls_of(commit.branch)
        made = await self._publisher.make(commit)
        if known:
            present = await self._publisher.head(commit.branch)
            if present != made:
                what = "was deleted by somebody" if present is None else "exists with something else on it"
                raise ConflictError(f"{commit.branch} {what}", where=self._repository)
            return made
        await self._publisher.point(commit.branch, made, commit)
        self._looked[commit.branch] = known
        return made

    async def open(self, proposal: Proposal) -> PullRequest:
        """Opens the pull request; a branch that already has one, whatever became of it, keeps that one."""
        self._require_writable(proposal.branch)
        known = self._looked.pop(proposal.branch, None)
        if known is None:
            known = await self._pulls_of(proposal.branch)
        if known:
            return pulls.pull_request(known[0])
        opened = await self._create(proposal)
        await self._decorate(int(opened["number"]), proposal)
        return pulls.pull_request(opened)

    async def pull_requests(
        self,
        seen_at: datetime,  # noqa: ARG002  (GitHub dates everything itself)
        known: Collection[int] = (),
    ) -> Sequence[PullRequest]:
        """Our pull requests by number: all open ones, the latest ended ones, and those ``known``."""
        found = await self._client.get_all(f"/repos/{self._repository}/pulls", state="open")
        latest = {"state": "closed", "sort": "updated", "direction": "desc", "per_page": "100"}
        found += (await self._client.get(f"/repos/{self._repository}/pulls", **latest)).data
        ours = {one["number"]: one for one in found if pulls.is_ours(one, self._repository)}
        for number in sorted(set(known) - ours.keys()):
            ours[number] = (await self._client.get(f"/repos/{self._repository}/pulls/{number}")).data
        return [await self._whole(ours[number]) for number in sorted(ours)]

    async def refreshed(self, pull: PullRequest) -> PullRequest:
        """Asks for what changed since the last time; what did not costs none of GitHub's limit."""
        here = f"/repos/{self._repository}"
        now = pulls.pull_request(await self._remembered(f"{here}/pulls/{pull.number}"))
        commit = f"{here}/commits/{now.head_commit}"
        runs = (await self._remembered(f"{commit}/check-runs")).get("check_runs", ())
        statuses = (await self._remembered(f"{commit}/status")).get("statuses", ())
        checks, failing = pulls.checks(runs, statuses)
        return replace(now, checks=checks, failing=failing, reviews=pull.reviews, fingerprints=pull.fingerprints)

    async def _remembered(self, path: str) -> Mapping[str, Any]:
        """One answer, by its ETag; nothing where the token may not see it."""
        etag, known = self._answers.get(path, (None, {}))
        try:
            answer = await self._client.get_if_changed(path, etag)
        except ForbiddenError:
            return {}
        if answer is None:
            return known
        self._answers[path] = (answer.etag, answer.data)
        data: Mapping[str, Any] = answer.data
        return data

    async def ready(self, pull: PullRequest) -> None:
        """Marks a draft pull request as ready for review, for which GitHub has no REST call."""
        self._require_writable(pull.branch)
        detail = (await self._client.get(f"/repos/{self._repository}/pulls/{pull.number}")).data
        if detail.get("draft"):
            await self._client.graphql(_READY, {"id": detail["node_id"]})

    async def tell(self, pull: PullRequest, key: str, text: str) -> None:
        """Comments once: the comment carries the key, so that it is found whoever forgot it."""
        self._require_writable(pull.branch)
        path = f"/repos/{self._repository}/issues/{pull.number}/comments"
        mark = f"<!-- selfimprover {key} -->"
        for lag in (None, *_LAGS[:2]):
            if lag is not None:
                await self._sleep(lag)
            if any(mark in (one.get("body") or "") for one in await self._client.get_all(path)):
                return
            try:
                await self._client.write("POST", path, {"body": f"{text}\n\n{mark}\n{pulls.OUR_WORDS}"})
            except DoubtError:
                continue
            return

    async def withdraw(self, pull: PullRequest, why: str) -> None:
        """Says why, then closes; the branch stays."""
        await self.tell(pull, "closed", why)
        await self._client.write("PATCH", f"/repos/{self._repository}/pulls/{pull.number}", {"state": "closed"})

    async def workflows(self) -> Mapping[str, str]:
        """The texts of the repository's workflows on the base branch, by path; of very many, the first hundred."""
        try:
            folder = f"/repos/{self._repository}/contents/.github/workflows"
            listed = (await self._client.get(folder, ref=self._base)).data
        except MissingError:
            return {}
        names = [one["path"] for one in listed if one["type"] == "file" and one["name"].endswith((".yml", ".yaml"))]
        texts = {}
        for name in names[:_MOST_WORKFLOWS]:
            found = (await self._client.get(f"/repos/{self._repository}/contents/{name}", ref=self._base)).data
            texts[name] = base64.b64decode(found.get("content") or "").decode("utf-8", "replace")
        return texts

    async def contains(self, version: str, commit: str) -> bool | None:
        """Whether ``version`` (a commit id, perhaps shortened) has ``commit``; ``None`` if it is not known here."""
        if not all(set(one) <= set("0123456789abcdef") and one for one in (version, commit)):
            return None
        try:
            compared = await self._client.get(f"/repos/{self._repository}/compare/{commit}...{version}")
        except MissingError:
            return None
        return compared.data["status"] in {"ahead", "identical"}

    # --- pull requests -------------------------------------------------------------------------------------

    async def _pulls_of(self, branch: str) -> Sequence[Mapping[str, Any]]:
        """The pull requests that a branch of ours ever had, newest first."""
        owner = self._repository.partition("/")[0]
        query = {"head": f"{owner}:{branch}", "state": "all"}
        found = await self._client.get(f"/repos/{self._repository}/pulls", **query)
        return [one for one in found.data if pulls.is_ours(one, self._repository) and one["head"]["ref"] == branch]

    async def _create(self, proposal: Proposal) -> Mapping[str, Any]:
        body = {
            "title": proposal.title,
            "head": proposal.branch,
            "base": self._base,
            "body": proposal.body,
            "draft": proposal.draft,
        }
        for lag in (*_LAGS, None):
            try:
                opened: Mapping[str, Any] = (
                    await self._client.write("POST", f"/repos/{self._repository}/pulls", body)
                ).data
                return opened
            except DoubtError:
                return await self._found_again(proposal.branch)
            except RefusedByGitHubError as error:
                if error.already_exists:
                    return await self._found_again(proposal.branch)
                if not _may_be_lag(error) or lag is None:
                    raise ConflictError(
                        f"GitHub refuses the pull request: {error.what}", where=self._repository
                    ) from error
                await self._sleep(lag)
        raise AssertionError("unreachable")

    async def _found_again(self, branch: str) -> Mapping[str, Any]:
        """The pull request that was opened, though nobody heard so; raises ``ForgeError`` if there is none."""
        for lag in (0.0, *_LAGS):
            await self._sleep(lag)
            if found := await self._pulls_of(branch):
                return found[0]
        mend = "the next night looks again before it opens one"
        raise ForgeError(f"whether {branch} has its pull request is unknown", where=self._repository, mend=mend)

    async def _decorate(self, number: int, proposal: Proposal) -> None:
        """Labels, assignee, reviewers: a pull request without them is better than none."""
        issue, pull = f"issues/{number}", f"pulls/{number}"
        wanted: list[tuple[str, Mapping[str, Any]]] = []
        if proposal.labels:
            wanted.append((f"{issue}/labels", {"labels": list(proposal.labels)}))
        if proposal.assignee:
            wanted.append((f"{issue}/assignees", {"assignees": [proposal.assignee]}))
        if proposal.reviewers:
            wanted.append((f"{pull}/requested_reviewers", {"reviewers": list(proposal.reviewers)}))
        for path, body in wanted:
            try:
                await self._client.write("POST", f"/repos/{self._repository}/{path}", body)
            except ForgeError as error:
                log.warning("github.not_decorated", pull_request=number, what=path, why=error.what)

    async def _whole(self, found: Mapping[str, Any]) -> PullRequest:
        """With what other questions tell: checks and reviews while it is open, the commit of its merge after."""
        pull = pulls.pull_request(found)
        if pull.state is PullState.MERGED:
            return replace(pull, merge_commit=await self._merge_commit(pull.number))
        if pull.state is not PullState.OPEN:
            return pull
        here = f"/repos/{self._repository}"
        commit = f"{here}/commits/{pull.head_commit}"
        statuses = await self._listed(f"{commit}/status", "statuses")
        checks, failing = pulls.checks(await self._listed(f"{commit}/check-runs", "check_runs"), statuses)
        reviews = await self._client.get_all(f"{here}/pulls/{pull.number}/reviews")
        comments = await self._client.get_all(f"{here}/issues/{pull.number}/comments")
        detail = (await self._client.get(f"{here}/pulls/{pull.number}")).data
        return replace(
            pull,
            checks=checks,
            failing=failing,
            mergeable=detail.get("mergeable"),
            reviews=pulls.reviews(reviews, comments, self._redact),
        )

    async def _listed(self, path: str, key: str) -> Sequence[Mapping[str, Any]]:
        """A wrapped list; nothing where the token may not see it, which ``check`` says."""
        try:
            return await self._client.get_all(path, key=key)
        except ForbiddenError:
            return ()

    async def _merge_commit(self, number: int) -> str | None:
        owner, _, name = self._repository.partition("/")
        data = await self._client.graphql(_MERGE_COMMIT, {"owner": owner, "name": name, "number": number})
        merged = data["repository"]["pullRequest"]["mergeCommit"]
        return None if merged is None else str(merged["oid"])

    # --- what went wrong -----------------------------------------------------------------------------------

    def _require_writable(self, branch: str) -> None:
        if self._read_only:
            raise ForgeError("the repository is only read here", where=self._repository)
        self._publisher.check(branch)

    async def _explain_missing_base(self) -> str:
        try:
            repository = (await self._client.get(f"/repos/{self._repository}")).data
        except MissingError as error:
            mend = "correct projects.repository.name, or give the token access to it"
            raise ForgeError(
                "there is no such repository, or it is hidden", where=self._repository, mend=mend
            ) from error
        mend = f'set projects.repository.base = "{repository["default_branch"]}"'
        raise ForgeError(f"there is no branch {self._base}", where=self._repository, mend=mend)


def _may_be_lag(error: RefusedByGitHubError) -> bool:
    """Right after a branch was made, GitHub may not know it yet."""
    return any("head" in message and "invalid" in message for message in error.messages)
