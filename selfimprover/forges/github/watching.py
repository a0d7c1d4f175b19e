"""Looks at pull requests: what state they are in, and what checks and people say of them. Only reads."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from selfimprover.domain import PullRequest, PullState, Review
from selfimprover.forges.github import pulls
from selfimprover.forges.github.addresses import QueryValue, path
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import ForbiddenError

_LAGS = (1.0, 2.0, 4.0)
"""Seconds between looks for whether a pull request can be merged, which GitHub works out when it is asked."""
_MOST_ANNOTATED = 3
_PAGE = 100


class Watcher:
    """The pull requests of ``repository`` against ``base``; what others wrote goes through ``redact``."""

    def __init__(
        self,
        client: GitHub,
        repository: str,
        base: str,
        redact: Callable[[str], str],
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._repository = repository
        self._base = base
        self._redact = redact
        self._sleep = sleep
        self._answers: dict[str, tuple[str | None, Mapping[str, Any]]] = {}

    async def all(self, found: Sequence[Mapping[str, Any]], told_of: Collection[int]) -> Sequence[PullRequest]:
        """All of them with what other questions tell: checks while they are open, the commit of a merge after.

        Reviews are asked for while they are open, and once more of those that were when they were last ``told_of``.
        """
        told = [self.told(one) for one in found]
        merges = await self._merge_commits([pull.number for pull in told if pull.state is PullState.MERGED])
        seen = [await self._whole(replace(pull, merge_commit=merges.get(pull.number)), told_of) for pull in told]
        return await self._with_mergeability(seen)

    async def _whole(self, pull: PullRequest, told_of: Collection[int]) -> PullRequest:
        is_open = pull.state is PullState.OPEN
        if is_open or pull.number in told_of:
            pull = replace(pull, reviews=await self._reviews(pull.number, pull.author))
        if not is_open:
            return pull
        statuses = await self._listed(self._commit(pull.head_commit, "status"), "statuses")
        runs = await self._listed(self._commit(pull.head_commit, "check-runs"), "check_runs")
        checks, failing = pulls.checks(runs, statuses)
        return self._redacted(replace(pull, checks=checks, failing=failing))

    async def _reviews(self, number: int, author: str) -> tuple[Review, ...]:
        """What people said: of the whole, of single lines, and beside."""
        reviews = await self._client.get_all(self._here("pulls/{number}/reviews", number=number))
        lines = await self._client.get_all(self._here("pulls/{number}/comments", number=number))
        comments = await self._client.get_all(self._here("issues/{number}/comments", number=number))
        return pulls.reviews(reviews, [*lines, *comments], self._redact, author)

    async def refreshed(self, pull: PullRequest) -> PullRequest:
        """Asks for what changed since the last time; what did not costs none of GitHub's limit."""
        now = self.told((await self._remembered(self._here("pulls/{number}", number=pull.number))) or {})
        runs = await self._remembered_list(self._commit(now.head_commit, "check-runs"), "check_runs")
        statuses = await self._remembered_list(self._commit(now.head_commit, "status"), "statuses")
        checks, failing = pulls.checks(runs, statuses)
        now = replace(now, reviews=pull.reviews, fingerprints=pull.fingerprints)
        return self._redacted(replace(now, checks=checks, failing=failing))

    async def complaints(self, pull: PullRequest) -> str:
        """What the failing checks say, cut, as far as GitHub tells: titles, summaries, and annotations of a few."""
        runs = await self._listed(self._commit(pull.head_commit, "check-runs"), "check_runs")
        failing = pulls.failing_runs(runs or ())
        statuses = await self._listed(self._commit(pull.head_commit, "status"), "statuses")
        annotated = [run for run in failing if (run.get("output") or {}).get("annotations_count")]
        notes = {
            run["id"]: await self._client.get_all(self._here("check-runs/{id}/annotations", id=run["id"]))
            for run in annotated[:_MOST_ANNOTATED]
        }
        return self._redact(pulls.complaints(failing, notes, statuses or ()))

    def told(self, found: Mapping[str, Any]) -> PullRequest:
        """What one answer says, without secrets in what others can write."""
        pull = pulls.pull_request(found)
        return self._redacted(replace(pull, retargeted=found["base"]["ref"] != self._base))

    def _redacted(self, pull: PullRequest) -> PullRequest:
        names = tuple(self._redact(name) for name in pull.failing)
        return replace(pull, title=self._redact(pull.title), failing=names)

    async def _with_mergeability(self, seen: Sequence[PullRequest]) -> Sequence[PullRequest]:
        """With whether the open ones fit their base; GitHub answers ``null`` until it has worked that out."""
        known: dict[int, bool | None] = {pull.number: None for pull in seen if pull.state is PullState.OPEN}
        for lag in (0.0, *_LAGS):
            unknown = [number for number, fits in known.items() if fits is None]
            if unknown and lag:
                await self._sleep(lag)
            for number in unknown:
                known[number] = (await self._client.get(self._here("pulls/{number}", number=number))).data.get(
                    "mergeable"
                )
        return [replace(pull, mergeable=known.get(pull.number)) for pull in seen]

    async def _remembered(self, address: str, **query: QueryValue) -> Mapping[str, Any] | None:
        """One answer, by its ETag; nothing where the token may not see it."""
        etag, known = self._answers.get(address, (None, {}))
        try:
            answer = await self._client.get_if_changed(address, etag, **query)
        except ForbiddenError:
            return None
        if answer is None:
            return known
        self._answers[address] = (answer.etag, answer.data)
        data: Mapping[str, Any] = answer.data
        return data

    async def _remembered_list(self, address: str, key: str) -> Sequence[Mapping[str, Any]] | None:
        """A wrapped list, by its ETag as long as it fits into one page."""
        answer = await self._remembered(address, per_page=_PAGE)
        if answer is None or len(answer.get(key, ())) < _PAGE:
            return None if answer is None else list(answer.get(key, ()))
        return await self._listed(address, key)

    async def _listed(self, address: str, key: str) -> Sequence[Mapping[str, Any]] | None:
        """A wrapped list; nothing where the token may not see it, which ``check`` says."""
        try:
            return await self._client.get_all(address, key=key)
        except ForbiddenError:
            return None

    async def _merge_commits(self, numbers: Sequence[int]) -> Mapping[int, str]:
        """The commits that merges made, which REST does not tell: all by one question."""
        if not numbers:
            return {}
        owner, _, name = self._repository.partition("/")
        asked = " ".join(f"p{number}: pullRequest(number: {number}) {{ mergeCommit {{ oid }} }}" for number in numbers)
        query = f"query($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{ {asked} }} }}"
        found = (await self._client.graphql(query, {"owner": owner, "name": name}))["repository"]
        commits = {number: found[f"p{number}"]["mergeCommit"] for number in numbers}
        return {number: str(commit["oid"]) for number, commit in commits.items() if commit is not None}

    def _here(self, template: str, **values: str | int) -> str:
        return path(f"/repos/{{+repository}}/{template}", repository=self._repository, **values)

    def _commit(self, commit: str, what: str) -> str:
        return self._here(f"commits/{{commit}}/{what}", commit=commit)
