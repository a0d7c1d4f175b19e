"""What was tried for a finding before, and what people said to it."""

from collections.abc import Iterator

from selfimprover import edits
from selfimprover.characters import without_comments
from selfimprover.domain import CaseFile, CheckStatus, Draft, PullRequest, PullState, State, Verdict
from selfimprover.drafting.reading.parts import Candidate, Part, cut

HISTORY = 5
_DIFF = 29
_MAX_REVIEWS = 8
_REVIEW_TOKENS = 400
_DETAIL_TOKENS = 300
_DIFF_TOKENS = 1_500


def history(case: CaseFile) -> Iterator[Candidate]:
    """Earlier draft, verdict, rejection and reviews; the earlier diff by itself, as it matters less."""
    said = [*_draft(case.draft), *_verdict(case.verdict), *_pull(case.pull_request)]
    if case.reason and case.state in {State.PARKED, State.CLOSED, State.DISMISSED}:
        said.append(f"It is {case.state.value}: {cut(_harmless(case.reason), _DETAIL_TOKENS)}")
    if said:
        text = "\n".join(said)
        yield Candidate(Part("history", "what was tried before", text, HISTORY), (cut(text, _DETAIL_TOKENS),))
    if case.draft is not None and case.draft.edits:
        diff = _visible_diff(case.draft)
        yield Candidate(Part("history", "the diff of the earlier draft", cut(diff, _DIFF_TOKENS), _DIFF))


def _draft(draft: Draft | None) -> Iterator[str]:
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


def _pull(pull: PullRequest | None) -> Iterator[str]:
    if pull is None:
        return
    rejected = " without being merged: people did not want it" if pull.state is PullState.CLOSED else ""
    yield f"Its pull request #{pull.number} is {pull.state.value}{rejected}."
    if pull.failing:
        yield f"Failing there: {', '.join(_harmless(name) for name in pull.failing)}"
    for review in pull.reviews[-_MAX_REVIEWS:]:
        author, text = _harmless(review.author), cut(_harmless(review.text), _REVIEW_TOKENS)
        yield f"Review by {author} ({_harmless(review.verdict)}): {text}"


def _visible_diff(draft: Draft) -> str:
    return _harmless(edits.unified_diff(draft.edits))


def _harmless(text: str) -> str:
    return without_comments(text).strip()
