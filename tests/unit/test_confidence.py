"""Confidence is a sum of parts that somebody can check, and older drafts and verdicts can still be read."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.domain import Draft, Edit, LineCount, Reproduction, Strength, Verdict
from selfimprover.memory.codec import decode, encode
from selfimprover.verification.confidence import confidence
from tests.fakes.drafting import a_draft

Better = Callable[[Draft, Verdict], tuple[Draft, Verdict]]


def a_verdict(**changes: object) -> Verdict:
    values: dict[str, object] = {
        "base_commit": "1" * 40,
        "passed": True,
        "strength": Strength.BY_TEST,
        "sandbox": "bubblewrap",
        "checks": (),
        "reason": "",
    }
    return Verdict(**{**values, **changes})  # type: ignore[arg-type]


RECIPE, MODEL = a_draft(proof=("shown",)), a_draft(drafter="llm:m-1", proof=())
LARGE = tuple(Edit(f"f{n}.py", None, "x = 1\n" * 50) for n in range(3))


@pytest.mark.parametrize(
    ("draft", "verdict", "value"),
    [
        (RECIPE, a_verdict(), 0.92),
        (RECIPE, a_verdict(reproduced=True), 0.95),
        (RECIPE, a_verdict(replayed=True, reproduced=True), 1.0),
        (MODEL, a_verdict(), 0.72),
        (MODEL, a_verdict(reproduced=True), 0.90),
        (MODEL, a_verdict(replayed=True), 0.94),
        (MODEL, a_verdict(replayed=True, reproduced=True), 0.97),
        (MODEL, a_verdict(strength=Strength.BY_EXIT_CODE), 0.62),
        (MODEL, a_verdict(flaky=("a", "b")), 0.67),
        (MODEL, a_verdict(changed_lines=LineCount(0, 3)), 0.62),
        (MODEL, a_verdict(changed_lines=LineCount(1, 3)), 0.72),
        (replace(MODEL, rounds=2), a_verdict(), 0.68),
        (replace(MODEL, rounds=9), a_verdict(), 0.60),
        (replace(MODEL, edits=LARGE[:2]), a_verdict(), 0.68),
        (replace(MODEL, edits=LARGE), a_verdict(), 0.65),
        (RECIPE, a_verdict(passed=False, reproduced=True), 0.0),
    ],
)
def test_what_was_shown_adds_up(draft: Draft, verdict: Verdict, value: float) -> None:
    found = confidence(draft, verdict)

    assert found.value == pytest.approx(value)
    assert sum(weight for _, weight in found.parts) == pytest.approx(value)


def test_what_a_model_claims_to_have_proven_counts_for_nothing() -> None:
    assert confidence(replace(MODEL, proof=("sure",)), a_verdict()) == confidence(MODEL, a_verdict())


drafts = st.builds(
    lambda recipe, rounds, lines: replace(
        RECIPE if recipe else MODEL, rounds=rounds, edits=(Edit("a.py", None, "x = 1\n" * lines),)
    ),
    st.booleans(),
    st.integers(1, 12),
    st.integers(0, 400),
)
verdicts = st.builds(
    a_verdict,
    reproduced=st.booleans(),
    replayed=st.booleans(),
    strength=st.sampled_from(Strength),
    flaky=st.sampled_from([(), ("a",), ("a", "b")]),
    changed_lines=st.sampled_from([None, LineCount(0, 2), LineCount(2, 2)]),
)
better = st.sampled_from(
    [
        lambda draft, verdict: (draft, replace(verdict, reproduced=True)),
        lambda draft, verdict: (draft, replace(verdict, replayed=True)),
        lambda draft, verdict: (draft, replace(verdict, strength=Strength.BY_TEST)),
        lambda draft, verdict: (draft, replace(verdict, flaky=())),
        lambda draft, verdict: (draft, replace(verdict, changed_lines=LineCount(2, 2))),
        lambda draft, verdict: (replace(draft, rounds=max(1, draft.rounds - 1)), verdict),
        lambda draft, verdict: (replace(draft, drafter=RECIPE.drafter, proof=RECIPE.proof), verdict),
        lambda draft, verdict: (replace(draft, edits=(Edit("a.py", None, "x = 1\n"),)), verdict),
    ]
)


@given(drafts, verdicts, better)
def test_more_evidence_never_makes_it_less_sure(draft: Draft, verdict: Verdict, change: Better) -> None:
    before, after = confidence(draft, verdict), confidence(*change(draft, verdict))

    assert before.value <= after.value


@given(drafts, verdicts)
def test_it_is_between_0_and_1_and_the_sum_of_its_parts(draft: Draft, verdict: Verdict) -> None:
    found = confidence(draft, verdict)

    assert 0.2 < found.value <= 1
    assert found.value == pytest.approx(sum(weight for _, weight in found.parts))


def test_a_draft_that_was_stored_before_there_were_reproductions_can_be_read() -> None:
    stored = json.loads(encode(a_draft()))
    del stored["reproduction"], stored["rounds"]

    assert decode(Draft, json.dumps(stored)) == a_draft()


def test_a_verdict_that_was_stored_before_it_said_more_can_be_read() -> None:
    stored = json.loads(encode(a_verdict()))
    for name in ("reproduced", "replayed", "newly_passing", "flaky", "changed_lines"):
        del stored[name]

    assert decode(Verdict, json.dumps(stored)) == a_verdict()


def test_a_reproduction_is_stored_and_is_part_of_what_is_committed() -> None:
    draft = a_draft(reproduction=Reproduction(path="tests/test_x.py", text="x\n"))

    assert decode(Draft, encode(draft)) == draft
    assert [edit.path for edit in draft.changes] == ["agent/mail.py", "tests/test_x.py"]
    assert draft.changes[1].before is None
