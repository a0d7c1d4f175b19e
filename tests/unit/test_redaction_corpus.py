"""How many secrets in realistic error lines are found, and how few harmless lines are touched."""

import pytest

from selfimprover.redaction import Redactor
from tests.secrets_corpus import Case, held_out, leaks, negatives, positives

REDACT = Redactor(b"a key of this installation")


def test_the_corpus_is_wide_enough_to_mean_something() -> None:
    assert len({case.kind for case in positives()}) >= 30
    assert len(positives()) >= 500
    assert len({case.text for case in negatives()}) >= 300


def test_nearly_every_secret_of_the_corpus_is_taken_out() -> None:
    missed = [case for case in positives() if leaks(case.secret, REDACT(case.text))]

    assert len(missed) <= 0.02 * len(positives()), [case.text for case in missed]


def test_lines_without_a_secret_stay_as_they_are() -> None:
    touched = [case.text for case in negatives() if REDACT(case.text) != case.text]

    assert len(touched) <= 0.02 * len(negatives()), touched


def test_lines_that_the_rules_never_saw_do_not_get_worse() -> None:
    cases = held_out.positives()
    missed = [case for case in cases if leaks(case.secret, REDACT(case.text))]
    touched = [case for case in held_out.negatives() if REDACT(case.text) != case.text]

    assert len(missed) <= 0.1 * len(cases)
    assert len(touched) <= 1


@pytest.mark.parametrize("case", positives()[::7], ids=lambda case: case.kind)
def test_a_line_can_be_redacted_again(case: Case) -> None:
    once = REDACT(case.text)

    assert REDACT(once) == once


def test_the_gate_opens_for_what_was_redacted_and_for_what_is_harmless() -> None:
    redacted = (REDACT(case.text) for case in positives())
    harmless = (case.text for case in negatives())

    assert [text for text in (*redacted, *harmless) if REDACT.leak(text) is not None] == []
