"""Opens a pull request, once: whatever is in doubt is looked up, never sent again blindly."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from selfimprover.domain import Proposal
from selfimprover.errors import ConflictError, ForgeError, RefusedError, SelfImproverError
from selfimprover.forges.github.addresses import path
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import DoubtError, RefusedByGitHubError
from selfimprover.forges.github.pulls import is_ours

LAGS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between looks for something that GitHub may not list yet."""

log = structlog.get_logger()


class Opener:
    """The pull requests that branches of ``repository`` have, and get."""

    def __init__(self, client: GitHub, repository: str, base: str, sleep: Callable[[float], Awaitable[Any]]) -> None:
        self._client = client
        self._repository = repository
        self._base = base
        self._sleep = sleep

    async def pulls_of(self, branch: str) -> Sequence[Mapping[str, Any]]:
        """The pull requests that a branch of ours ever had, newest first."""
        now = self._client.renamed_to or ""
        owner = (self._repository if now.startswith("repositories/") or not now else now).partition("/")[0]
        query = {"head": f"{owner}:{branch}", "state": "all"}
        found = await self._client.get(path("/repos/{+repository}/pulls", repository=self._repository), **query)
        return [one for one in found.data if is_ours(one, self._repository) and one["head"]["ref"] == branch]

    async def create(self, proposal: Proposal) -> Mapping[str, Any]:
        """Opens it; raises ``RefusedError`` if GitHub will not, ``ConflictError`` if the base has the change already.

        ``ForgeError`` if nobody knows whether it is there.
        """
        body = {
            "title": proposal.title,
            "head": proposal.branch,
            "base": self._base,
            "body": proposal.body,
            "draft": proposal.draft,
        }
        here = path("/repos/{+repository}/pulls", repository=self._repository)
        for lag in (*LAGS, None):
            try:
                opened: Mapping[str, Any] = (await self._client.write("POST", here, body)).data
                return opened
            except DoubtError as error:
                return await self._found_again(proposal.branch, error.what)
            except RefusedByGitHubError as error:
                if error.already_exists:
                    return await self._found_again(proposal.branch, error.what)
                if not _may_be_lag(error) or lag is None:
                    raise self._refusal(error) from error
                await self._sleep(lag)
        raise AssertionError("unreachable")

    async def decorate(self, pull: Mapping[str, Any], proposal: Proposal) -> None:
        """Labels, assignee, reviewers that it has not yet: a pull request without them is better than none."""
        labels = {one["name"].lower() for one in pull.get("labels") or ()}
        assigned = {one["login"].lower() for one in pull.get("assignees") or ()}
        asked = {one["login"].lower() for one in pull.get("requested_reviewers") or ()}
        wanted: list[tuple[str, str, Mapping[str, Sequence[str]]]] = []
        if missing := [one for one in proposal.labels if one.lower() not in labels]:
            wanted.append(("issues", "labels", {"labels": missing}))
        if proposal.assignee and proposal.assignee.lower() not in assigned:
            wanted.append(("issues", "assignees", {"assignees": [proposal.assignee]}))
        people, teams = _reviewers(one for one in proposal.reviewers if one.lower() not in asked)
        if people or teams:
            wanted.append(("pulls", "requested_reviewers", {"reviewers": people, "team_reviewers": teams}))
        for kind, what, body in wanted:
            here = f"/repos/{{+repository}}/{kind}/{{number}}/{what}"
            place = path(here, repository=self._repository, number=pull["number"])
            try:
                await self._add(place, body)
            except ForgeError as error:
                log.warning("github.not_decorated", pull_request=pull["number"], what=what, why=error.what)

    async def _add(self, place: str, body: Mapping[str, Sequence[str]]) -> None:
        """All names at once; if one of them makes GitHub refuse, each by itself."""
        singly = [{key: [name]} for key, names in body.items() for name in names]
        try:
            await self._client.write("POST", place, {key: names for key, names in body.items() if names})
        except RefusedByGitHubError as error:
            if len(singly) < 2:  # noqa: PLR2004
                raise
            for one in singly:
                try:
                    await self._client.write("POST", place, one)
                except RefusedByGitHubError:
                    log.warning("github.not_decorated", what=place.rpartition("/")[2], whom=one, why=error.what)

    def _refusal(self, error: RefusedByGitHubError) -> SelfImproverError:
        what = f"GitHub refuses the pull request: {error.what}"
        if any("no commits between" in message.lower() for message in error.messages):
            return ConflictError(what, where=self._repository)
        drafts = any("draft pull requests are not supported" in message.lower() for message in error.messages)
        return RefusedError(what, where=self._repository, mend='set publish.mode = "ready"' if drafts else "")

    async def _found_again(self, branch: str, why: str) -> Mapping[str, Any]:
        """The pull request that was opened, though nobody heard so."""
        for lag in (0.0, *LAGS):
            await self._sleep(lag)
            if found := await self.pulls_of(branch):
                return found[0]
        mend = "the next night looks again before it opens one"
        what = f"whether {branch} has its pull request is unknown: {why}"
        raise ForgeError(what, where=self._repository, mend=mend)


def _reviewers(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """People, and the teams of an organisation: ``org/team``, which GitHub wants without the first part."""
    people, teams = [], []
    for name in names:
        if "/" in name:
            teams.append(name.rpartition("/")[2])
        else:
            people.append(name)
    return people, teams


def _may_be_lag(error: RefusedByGitHubError) -> bool:
    """A branch that was just made may not be known everywhere yet."""
    return any("head" in message and "invalid" in message for message in error.messages)
