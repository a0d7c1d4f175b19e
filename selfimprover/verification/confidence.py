"""How sure we are of a fix: a sum of parts, each of which somebody can check.

What a drafter thinks of its draft is no part of it. The weights are a rule of thumb until enough merged fixes have been
measured to calibrate them; ``docs/verification.md`` has the formula.
"""

from collections.abc import Iterator, Sequence

from selfimprover.domain import Confidence, Draft, Strength, Verdict
from selfimprover.edits import changed_lines

Part = tuple[str, float]

_PASSED = 0.50
_REPLAYED = 0.22
_RECIPE = 0.20
_REPRODUCED = 0.18
_FURTHER = 0.03
"""For each further way to show that the error is gone: they show much the same."""
_TESTS = {Strength.BY_TEST: 0.15, Strength.BY_EXIT_CODE: 0.05}
_SIZES = ((40, "small", 0.07), (120, "middling", 0.03))
"""Lines up to which a change counts as such."""
_ROUND = -0.04
_MOST_ROUNDS = 3
"""Further answers that count: who needed more has been told what is wrong often enough to be led to anything."""
_NOTHING_RUN = -0.10
_FLAKY = -0.05


def confidence(draft: Draft, verdict: Verdict) -> Confidence:
    """Zero without a passed verdict, and at most 1."""
    if not verdict.passed:
        return Confidence(0.0, (("verification not passed", 0.0),))
    parts = (
        ("the draft passed its checks", _PASSED),
        *_together(sorted(_shown(draft, verdict), key=lambda part: -part[1])),
        *_tests(verdict),
        *_size(draft),
        *_rounds(draft),
    )
    return Confidence(round(sum(weight for _, weight in parts), 2), parts)


def _shown(draft: Draft, verdict: Verdict) -> Iterator[Part]:
    """What shows that the error is gone, each with what it counts for alone."""
    if verdict.replayed:
        yield "recorded tasks that fail on the base as they did, and end well with the change", _REPLAYED
    if draft.drafter.startswith("recipe:") and draft.proof:
        yield f"a recipe, with {len(draft.proof)} preconditions proven from code and telemetry", _RECIPE
    if verdict.reproduced:
        yield "a test that fails on the base as the finding does, and passes with the change", _REPRODUCED


def _together(shown: Sequence[Part]) -> Iterator[Part]:
    """The first counts in full."""
    yield from shown[:1]
    yield from ((text, _FURTHER) for text, _ in shown[1:])


def _tests(verdict: Verdict) -> Iterator[Part]:
    if verdict.strength in _TESTS:
        yield f"base and patched compared {verdict.strength}", _TESTS[verdict.strength]
    if verdict.changed_lines and not verdict.changed_lines.run:
        yield "no test was seen to run a changed line", _NOTHING_RUN
    if verdict.flaky:
        yield f"tests that are not steady: {len(verdict.flaky)}", _FLAKY


def _size(draft: Draft) -> Iterator[Part]:
    lines = changed_lines(draft.edits)
    for most, word, weight in _SIZES:
        if lines <= most:
            yield f"a {word} change ({lines} lines)", weight
            return


def _rounds(draft: Draft) -> Iterator[Part]:
    further = min(draft.rounds - 1, _MOST_ROUNDS)
    if further > 0:
        yield f"it took {draft.rounds} answers", _ROUND * further
