"""What GitHub's answers say of a pull request: pure, from parsed JSON to ``domain``.

Shapes: https://docs.github.com/en/rest/pulls/pulls, .../checks/runs, .../commits/statuses, .../pulls/reviews
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from selfimprover.domain import ChecksState, PullRequest, PullState, Review

BRANCHES = "selfimprover/"
"""What every branch of ours begins with."""

OUR_WORDS = "<!-- selfimprover -->"
"""Ends every comment that we write."""

Json = Mapping[str, Any]

_BRANCH = re.compile(rf"{BRANCHES}fix-([0-9a-f]{{12}})(?:-g\d+)?")
_MARKER = re.compile(r"<!-- selfimprover finding=[0-9a-f]{12} fingerprints=([0-9a-f,]*) -->")
_GOOD = frozenset({"success", "neutral", "skipped"})
_VERDICTS = {"APPROVED": "approved", "CHANGES_REQUESTED": "changes requested", "COMMENTED": "commented"}
_LONGEST = 4_000


def is_ours(pull: Json, repository: str) -> bool:
    """Whether it comes from a branch of ours in this very repository, and not from a fork."""
    head = pull["head"]
    home = (head.get("repo") or {}).get("full_name", "")
    return _BRANCH.fullmatch(head["ref"]) is not None and home.lower() == repository.lower()


def pull_request(pull: Json) -> PullRequest:
    """One of ours, without what other questions tell: checks, reviews, the commit of a merge.

    The finding id is in the name of the branch, which nobody can edit; the fingerprints are in the hidden marker.
    """
    branch = _BRANCH.fullmatch(pull["head"]["ref"])
    assert branch is not None
    marker = _MARKER.search(pull.get("body") or "")
    merged_at = _instant(pull.get("merged_at"))
    if merged_at is not None:
        state = PullState.MERGED
    else:
        state = PullState.OPEN if pull["state"] == "open" else PullState.CLOSED
    opened_at = _instant(pull["created_at"])
    assert opened_at is not None
    return PullRequest(
        number=pull["number"],
        finding_id=branch[1],
        fingerprints=tuple(part for part in marker[1].split(",") if part) if marker else (),
        title=pull["title"],
        branch=pull["head"]["ref"],
        url=pull["html_url"],
        state=state,
        draft=bool(pull.get("draft")),
        checks=ChecksState.NONE,
        head_commit=pull["head"]["sha"],
        opened_at=opened_at,
        merged_at=merged_at,
        closed_at=_instant(pull.get("closed_at")) if state is PullState.CLOSED else None,
        mergeable=pull.get("mergeable") if state is PullState.OPEN else None,
    )


def checks(runs: Sequence[Json], statuses: Sequence[Json]) -> tuple[ChecksState, tuple[str, ...]]:
    """What check runs and commit statuses say together, and the names of those that failed."""
    told = [(run["name"], _of_run(run)) for run in runs]
    told += [(status["context"], _of_status(status["state"])) for status in statuses]
    failing = tuple(name for name, state in told if state is ChecksState.FAILING)
    states = {state for _, state in told}
    for worst in (ChecksState.FAILING, ChecksState.PENDING, ChecksState.PASSING):
        if worst in states:
            return worst, failing
    return ChecksState.NONE, ()


def reviews(given: Iterable[Json], comments: Iterable[Json], redact: Callable[[str], str]) -> tuple[Review, ...]:
    """What others said, oldest first; reviews that were not sent yet and our own words are left out."""
    told = [
        _review(one, _VERDICTS[one["state"]], one.get("submitted_at"), redact)
        for one in given
        if one["state"] in _VERDICTS
    ]
    others = (one for one in comments if OUR_WORDS not in (one.get("body") or ""))
    told += [_review(one, "commented", one.get("created_at"), redact) for one in others]
    said = (one for one in told if one.text or one.verdict != "commented")
    return tuple(sorted(said, key=lambda one: one.at))


def _review(given: Json, verdict: str, at: str | None, redact: Callable[[str], str]) -> Review:
    author = (given.get("user") or {}).get("login", "ghost")
    text = redact((given.get("body") or "")[:_LONGEST])
    return Review(author=author, verdict=verdict, text=text, at=_instant(at) or datetime.fromtimestamp(0, UTC))


def _of_run(run: Json) -> ChecksState:
    if run["status"] != "completed":
        return ChecksState.PENDING
    return ChecksState.PASSING if run["conclusion"] in _GOOD else ChecksState.FAILING


def _of_status(state: str) -> ChecksState:
    return {"success": ChecksState.PASSING, "pending": ChecksState.PENDING}.get(state, ChecksState.FAILING)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
