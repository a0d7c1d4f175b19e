"""Confidence is a sum of parts that somebody can check, and older drafts and verdicts can still be read."""

import json

import pytest

from selfimprover.domain import Draft, LineCount, Reproduction, Strength, Verdict
from selfimprover.memory.codec import decode, encode
from selfimprover.verification.confidence import confidence
from tests.fakes.drafting import a_draft


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


@pytest.mark.parametrize(
    ("verdict", "proof", "value"),
    [
        (a_verdict(), ("shown",), 0.92),
        (a_verdict(reproduced=True), ("shown",), 1.0),
        (a_verdict(reproduced=True), (), 0.92),
        (a_verdict(), (), 0.72),
        (a_verdict(strength=Strength.BY_EXIT_CODE), (), 0.62),
        (a_verdict(flaky=("a", "b")), (), 0.67),
        (a_verdict(changed_lines=LineCount(0, 3)), (), 0.62),
        (a_verdict(changed_lines=LineCount(1, 3)), (), 0.72),
        (a_verdict(passed=False, reproduced=True), ("shown",), 0.0),
    ],
)
def test_what_was_shown_adds_up(verdict: Verdict, proof: tuple[str, ...], value: float) -> None:
    found = confidence(a_draft(proof=proof), verdict)

    assert found.value == pytest.approx(value)
    assert sum(weight for _, weight in found.parts) == pytest.approx(value)


def test_a_draft_that_was_stored_before_there_were_reproductions_can_be_read() -> None:
    stored = json.loads(encode(a_draft()))
    del stored["reproduction"]

    assert decode(Draft, json.dumps(stored)) == a_draft()


def test_a_verdict_that_was_stored_before_it_said_more_can_be_read() -> None:
    stored = json.loads(encode(a_verdict()))
    for name in ("reproduced", "newly_passing", "flaky", "changed_lines"):
        del stored[name]

    assert decode(Verdict, json.dumps(stored)) == a_verdict()


def test_a_reproduction_is_stored_and_is_part_of_what_is_committed() -> None:
    draft = a_draft(reproduction=Reproduction(path="tests/test_x.py", text="x\n"))

    assert decode(Draft, encode(draft)) == draft
    assert [edit.path for edit in draft.changes] == ["agent/mail.py", "tests/test_x.py"]
    assert draft.changes[1].before is None
