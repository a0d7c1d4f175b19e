"""Which fingerprints mean one cause: joins need evidence, adoption needs one place, and people have the last word."""

import random

from hypothesis import given
from hypothesis import strategies as st

from selfimprover.domain import Fingerprint, KnownPatterns, Pattern
from selfimprover.night.owning import settle
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.patterns.grouping import group

FINGERPRINTER = ErrorFingerprinter()


def of(error: str | None, traceback: str | None = None) -> Fingerprint:
    return FINGERPRINTER.fingerprint(error, traceback)


def traceback_in(place: str, error: str) -> str:
    path, _, function = place.partition(":")
    return f'Traceback (most recent call last):\n  File "/srv/{path}", line 3, in {function}\n    go()\n{error}\n'


def are_one(*fingerprints: Fingerprint) -> bool:
    patterns = group(fingerprints)
    return len({patterns[one.value].fingerprint.value for one in fingerprints}) == 1


def stalled(*words: str) -> list[Fingerprint]:
    return [of(f"WorkerError: worker {word} stalled while it wrote its notes") for word in words]


def test_five_different_words_in_one_place_are_a_value_and_four_are_not() -> None:
    assert are_one(*stalled("amber", "birch", "cedar", "delta", "ember"))
    assert not are_one(*stalled("amber", "birch", "cedar", "delta"))


def test_a_value_that_was_masked_is_evidence_enough() -> None:
    assert are_one(*stalled("81723", "main"))


def test_what_names_a_cause_is_never_taken_for_a_value() -> None:
    names = ("ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT", "ECONNRESET", "EPIPE", "EHOSTUNREACH")
    connects = [of(f"Error: connect {name} while it asked the model") for name in names]
    statuses = [of(f"ApiError: the model answered with status {code} to us") for code in (400, 401, 403, 404, 429, 500)]
    classes = [of(f"ToolError: search ended with {name}Error at last") for name in "ABCDEFG"]

    for causes in (connects, statuses, classes):
        assert len({pattern.fingerprint.value for pattern in group(causes).values()}) == len(causes)


def test_a_join_says_why_and_shows_its_values() -> None:
    seen = stalled("amber", "birch", "cedar", "delta", "ember", "fir")

    pattern = group(seen)[seen[0].value]

    assert pattern.fingerprint.value == min(one.value for one in seen)
    assert pattern.fingerprint.template == "worker <*> stalled while it wrote its notes"
    assert len(pattern.members) == 6
    assert (
        "one of 6 that differ in a value only: amber, birch, cedar, delta, ember and 1 more" in pattern.joins[0].reason
    )


def test_an_error_without_traceback_is_one_with_the_only_place_that_raises_it() -> None:
    bare = of("KeyError: 'user'")
    here = of("KeyError: 'user'", traceback_in("app/mail.py:read", "KeyError: 'user'"))
    there = of("KeyError: 'user'", traceback_in("app/chat.py:reply", "KeyError: 'user'"))

    assert are_one(bare, here)
    patterns = group([bare, here, there])
    assert len({pattern.fingerprint.value for pattern in patterns.values()}) == 3
    assert "app/mail.py:read" in group([bare, here])[bare.value].joins[0].reason


def test_a_traceback_that_was_cut_off_tells_no_place() -> None:
    whole = traceback_in("app/mail.py:read", "ValueError: no such folder here")
    cut = 'Traceback (most recent call last):\n  File "/srv/app/run.py", line 1, in main\n    wor'

    assert of("ValueError: no such folder here", cut).place is None
    assert are_one(of("ValueError: no such folder here", cut), of("ValueError: no such folder here", whole))


def test_what_a_person_took_apart_stays_apart_and_what_was_one_stays_one() -> None:
    seen = stalled("amber", "birch", "cedar", "delta", "ember", "fir")
    other = of("OtherError: nothing alike at all")

    patterns = group([*seen, other], same={other.value: seen[1].value}, apart={seen[0].value})

    assert patterns[seen[0].value].members == (seen[0].value,)
    assert other.value in patterns[seen[1].value].members
    assert len(patterns[seen[1].value].members) == 6


WORDS = st.sampled_from(["amber", "birch", "cedar", "delta", "ember", "w17223", "503", "user=a", "user=b", "user=c"])
ERRORS = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=25)


@given(ERRORS, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(errors: list[str], shuffle: random.Random) -> None:
    seen = [of(f"StepError: {error} did not end well") for error in errors]
    shuffled = [*seen, *seen]
    shuffle.shuffle(shuffled)

    assert group(shuffled) == group(seen)


@given(ERRORS, ERRORS)
def test_more_errors_never_undo_a_join(first: list[str], more: list[str]) -> None:
    before = [of(f"StepError: {error} did not end well") for error in first]
    after = [*before, *(of(f"StepError: {error} did not end well") for error in more)]
    joined, grown = group(before), group(after)

    for one in before:
        assert set(joined[one.value].members) <= set(grown[one.value].members)


def pattern_of(*values: str) -> Pattern:
    return Pattern(Fingerprint(values[0], 2, None, None, "told"), values)


def test_findings_that_are_one_go_into_the_oldest() -> None:
    known = KnownPatterns(owners={"b": "old", "a": "new"})
    pattern = pattern_of("a", "b", "c")

    settled, moves = settle(dict.fromkeys(pattern.members, pattern), known)

    assert moves == {"new": "old"}
    assert {one.members for one in settled.values()} == {("a", "b", "c")}


def test_a_finding_that_people_know_takes_in_and_is_never_taken_in() -> None:
    known = KnownPatterns(owners={"a": "old", "b": "open", "c": "merged"}, settled=frozenset({"open", "merged"}))
    pattern = pattern_of("a", "b", "c", "d")

    settled, moves = settle(dict.fromkeys(pattern.members, pattern), known)

    assert moves == {"old": "open"}
    assert {one.members for one in settled.values()} == {("a", "b", "d"), ("c",)}
