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
_FAULTS = frozenset({"failure", "timed_out"})
_VERDICTS = {"APPROVED": "approved", "CHANGES_REQUESTED": "changes requested", "COMMENTED": "commented"}
_LONGEST = 4_000


def is_ours(pull: Json, repository: str) -> bool:
    """Whether it comes from a branch of ours in this very repository, and not from a fork.

    The repository may have been renamed: what it is called now is told by the pull request itself.
    """
    head, base = pull["head"], pull["base"]
    home = (head.get("repo") or {}).get("full_name", "")
    here = (base.get("repo") or {}).get("full_name", repository)
    return _BRANCH.fullmatch(head["ref"]) is not None and home.lower() == here.lower()


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
        author=(pull.get("user") or {}).get("login", ""),
        queued=pull.get("auto_merge") is not None,
    )


def checks(runs: Sequence[Json] | None, statuses: Sequence[Json] | None) -> tuple[ChecksState, tuple[str, ...]]:
    """What check runs and commit statuses say together, and the names of those that failed.

    ``None``: the token may not see them. What is seen may fail, but is not enough to pass.
    """
    hidden = runs is None or statuses is None
    runs, statuses = runs or (), statuses or ()
    told = [(run["name"], _of_run(run)) for run in runs]
    told += [(status["context"], _of_status(status["state"])) for status in statuses]
    failing = tuple(name for name, state in told if state is ChecksState.FAILING)
    states = {state for _, state in told}
    for worst in (ChecksState.FAILING, ChecksState.PENDING, ChecksState.PASSING):
        if worst in states and not (hidden and worst is ChecksState.PASSING):
            return worst, failing
    return ChecksState.NONE, ()


def failing_runs(runs: Sequence[Json]) -> Sequence[Json]:
    """The check runs that found a fault; one that was cancelled, or waits for somebody, says nothing of the code."""
    return [run for run in runs if run["status"] == "completed" and run["conclusion"] in _FAULTS]


def complaints(failing: Sequence[Json], notes: Mapping[int, Sequence[Json]], statuses: Sequence[Json]) -> str:
    """What failing check runs say, with the annotations of some by their id, and what failing statuses say; cut."""
    said: list[str] = []
    for run in failing:
        output = run.get("output") or {}
        told = [output.get("title"), output.get("summary"), output.get("text")]
        told += [f"{one.get('path')}:{one.get('start_line')}: {one.get('message')}" for one in notes.get(run["id"], ())]
        said.append("\n".join([run["name"], *(part for part in told if part)]))
    bad = (one for one in statuses if _of_status(one["state"]) is ChecksState.FAILING)
    said += [f"{one['context']}\n{one.get('description') or ''}".rstrip() for one in bad]
    return "\n\n".join(part[:_LONGEST] for part in said)[: 2 * _LONGEST]


def is_said(comment: Json, key: str, author: str) -> bool:
    """Whether a comment is what ``author`` said under ``key``: whoever quotes the mark did not."""
    mark = f"<!-- selfimprover {key} -->\n{OUR_WORDS}"
    return _is_by(comment, author) and (comment.get("body") or "").replace("\r\n", "\n").rstrip().endswith(f"\n{mark}")


def _is_by(comment: Json, author: str) -> bool:
    return str((comment.get("user") or {}).get("login")).lower() == author.lower()


def reviews(
    given: Iterable[Json], comments: Iterable[Json], redact: Callable[[str], str], author: str
) -> tuple[Review, ...]:
    """What others than ``author``, who is us, said, oldest first; without reviews that were not sent yet."""
    told = [
        _review(one, _VERDICTS[one["state"]], one.get("submitted_at"), redact)
        for one in given
        if one["state"] in _VERDICTS
    ]
    others = (one for one in comments if not (_is_by(one, author) and OUR_WORDS in (one.get("body") or "")))
    told += [_review(one, "commented", one.get("created_at"), redact) for one in others]
    said = (one for one in told if one.text or one.verdict != "commented")
    return tuple(sorted(said, key=lambda one: one.at))


def _review(given: Json, verdict: str, at: str | None, redact: Callable[[str], str]) -> Review:
    author = (given.get("user") or {}).get("login", "ghost")
    text = given.get("body") or ""
    if text and given.get("path"):  # it stands at a line of the change
        text = f"{given['path']}:{given.get('line') or given.get('original_line') or '?'}: {text}"
    return Review(
        author=author, verdict=verdict, text=redact(text)[:_LONGEST], at=_instant(at) or datetime.fromtimestamp(0, UTC)
    )


def _of_run(run: Json) -> ChecksState:
    if run["status"] != "completed":
        return ChecksState.PENDING
    return ChecksState.PASSING if run["conclusion"] in _GOOD else ChecksState.FAILING


def _of_status(state: str) -> ChecksState:
    return {"success": ChecksState.PASSING, "pending": ChecksState.PENDING}.get(state, ChecksState.FAILING)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
