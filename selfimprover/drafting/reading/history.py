"""What was tried for a finding before, and what people said to it."""

from collections.abc import Iterator

from selfimprover import edits
from selfimprover.characters import without_comments
from selfimprover.domain import Attempt, CaseFile, CheckStatus, Draft, PullRequest, PullState, State, Verdict
from selfimprover.drafting.reading.parts import Candidate, Part, cut

HISTORY = 5
_EARLIER = 17
"""After the failing code, its producers and raisers; before what is merely near it."""
_DIFF = 29
_MAX_REVIEWS = 8
_REVIEW_TOKENS = 400
_DETAIL_TOKENS = 300
_DIFF_TOKENS = 1_500


def history(case: CaseFile) -> Iterator[Candidate]:
    """The newest draft with its verdict, rejection and reviews; its diff and what was earlier matter less."""
    said = [*_draft(case.draft), *_verdict(case.verdict), *_pull(case.pull_request)]
    if case.reason and case.state in {State.PARKED, State.CLOSED, State.DISMISSED}:
        said.append(f"It is {case.state.value}: {cut(_harmless(case.reason), _DETAIL_TOKENS)}")
    if said:
        text = "\n".join(said)
        yield Candidate(Part("history", "what was tried before", text, HISTORY), (cut(text, _DETAIL_TOKENS),))
    if case.draft is not None and case.draft.edits:
        diff = _visible_diff(case.draft)
        yield Candidate(Part("history", "the diff of the earlier draft", cut(diff, _DIFF_TOKENS), _DIFF))
    yield from _earlier(case)


def _earlier(case: CaseFile) -> Iterator[Candidate]:
    """What was tried still earlier, newest first; the older of it is left out where room is scarce."""
    past = case.past
    told = ["\n".join(_pull(pull, f"{_harmless(pull.title)}: pull request")) for pull in past.pull_requests]
    told += ["\n".join([*_draft(one), *_verdict(one.verdict)]) for one in past.attempts]
    if told:
        shorter = tuple("\n\n".join(told[:count]) for count in range(len(told) - 1, 0, -1))
        yield Candidate(Part("history", "what was tried still earlier", "\n\n".join(told), _EARLIER), shorter)


def _draft(draft: Draft | Attempt | None) -> Iterator[str]:
    if draft is not None:
        yield f"Earlier draft by {draft.drafter}: {_harmless(draft.title)}"
        yield f"Its root cause: {cut(_harmless(draft.root_cause), _DETAIL_TOKENS)}"
        yield f"Its change: {cut(_harmless(draft.change), _DETAIL_TOKENS)}"


def _verdict(verdict: Verdict | None) -> Iterator[str]:
    if verdict is None:
        return
    yield f"Its proof {'passed' if verdict.passed else 'failed'}: {_harmless(verdict.reason)}"
    for check in verdict.checks:
        if check.status is CheckStatus.FAILED:
            yield f"Failed check {_harmless(check.name)}: {cut(_harmless(check.detail), _DETAIL_TOKENS)}"


def _pull(pull: PullRequest | None, whose: str = "Its pull request") -> Iterator[str]:
    if pull is None:
        return
    rejected = " without being merged: people did not want it" if pull.state is PullState.CLOSED else ""
    yield f"{whose} #{pull.number} is {pull.state.value}{rejected}."
    if pull.failing:
        yield f"Failing there: {', '.join(_harmless(name) for name in pull.failing)}"
    for review in pull.reviews[-_MAX_REVIEWS:]:
        author, text = _harmless(review.author), cut(_harmless(review.text), _REVIEW_TOKENS)
        yield f"Review by {author} ({_harmless(review.verdict)}): {text}"


def _visible_diff(draft: Draft) -> str:
    return _harmless(edits.unified_diff(draft.edits))


def _harmless(text: str) -> str:
    return without_comments(text).strip()
