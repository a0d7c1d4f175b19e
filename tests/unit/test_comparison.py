"""What two runs show together, as a pure function of what each left."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.verification.comparison import base_problem, compare, settle
from selfimprover.verification.junit import Report
from selfimprover.verification.results import Run


def _run_of(passed: str = "", failed: str = "", skipped: str = "") -> Run:
    """A run whose tests have ids of one letter."""
    return Run(int(bool(failed)), 1.0, Report(Counter(passed), Counter(failed), Counter(skipped)), "")


@pytest.mark.parametrize(
    ("base", "patched", "reason"),
    [
        (_run_of("ab"), _run_of("bb"), "test a passed on the base and did not run on the patched tree"),
        (_run_of("aab"), _run_of("abb"), "test a passed on the base and ran less often on the patched tree"),
        (
            _run_of("ab", "", "c"),
            _run_of("ac", "", "b"),
            "test b passed on the base and is skipped on the patched tree",
        ),
        (_run_of("aa", "a"), _run_of("a", "aa"), "1 test newly failing on the patched tree: a"),
        (_run_of("ab", "xy"), _run_of("ab", "x"), "only 3 of the base's 4 tests were executed on the patched tree"),
        (_run_of("ab", "x"), _run_of("abx"), None),
        (
            _run_of("", "ab"),
            _run_of("", "ab"),
            "no test passes on the patched tree (2 tests red), so nothing is proved",
        ),
        (_run_of("", "ab"), _run_of("a", "b"), None),
    ],
)
def test_tests_are_compared_one_by_one_as_often_as_they_ran(base: Run, patched: Run, reason: str | None) -> None:
    proof = compare(base, patched, 60)

    assert proof.passed == (reason is None)
    assert reason is None or proof.reason == reason


def test_at_most_three_lost_tests_are_named() -> None:
    proof = compare(_run_of("abcdez"), _run_of("z"), 60)

    assert [name for name in "abcde" if f"test {name} passed" in proof.reason] == ["a", "b", "c"]
    assert proof.reason.endswith("; and 2 more")
    assert proof.detail == "6 passed on base, 1 on patched, none newly failing, 5 no longer run"


def test_the_counts_of_the_detail_count_each_occurrence_of_an_id() -> None:
    proof = compare(_run_of("aab", "xx"), _run_of("aab", "xxx"), 60)

    assert proof.reason == "1 test newly failing on the patched tree: x"
    assert proof.detail == "3 passed on base, 3 on patched, 1 newly failing, 2 red on the base already"


def test_the_tests_of_a_file_that_was_added_do_not_make_up_for_lost_ones() -> None:
    base = Run(1, 1.0, Report(Counter(["t.py::a"]), Counter(["t.py::red"]), Counter()), "")
    patched = Run(0, 1.0, Report(Counter(["t.py::a", "new.py::b"]), Counter(), Counter()), "")

    assert compare(base, patched, 60).passed
    assert compare(base, patched, 60, "new.py").reason.startswith("only 1 of the base's 2 tests")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": None}, "did not end within 60 s on the patched tree"),
        ({"why": "memory"}, "by the limit on memory, and not on the base"),
        ({"report": None}, "left no report on the patched tree"),
        ({"witnessed": False}, "left no report that is whole and ours"),
        ({"status": 3}, "ended with exit status 3"),
    ],
)
def test_a_patched_run_must_be_as_good_as_that_on_the_base(change: dict[str, object], reason: str) -> None:
    run = replace(_run_of("ab"), witnessed=True)

    assert compare(run, run, 60).passed
    assert reason in compare(run, replace(run, **change), 60).reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        (Run(None, 9.0, None, ""), "did not end within 60 s on the base already"),
        (Run(137, 9.0, None, "", "memory"), "ended on the base already, by the limit on memory"),
        (Run(127, 0.1, None, ""), "the test command was not found: run it"),
        (Run(153, 0.1, None, ""), "grew beyond 256 MB"),
        (Run(1, 0.1, None, ""), "cannot be told apart without test ids"),
        (Run(0, 0.1, None, "Ran 0 tests in 0.0s"), "no test was executed on the base"),
        (Run(5, 0.1, Report(Counter(), Counter(), Counter("a")), ""), "no test was executed on the base"),
    ],
)
def test_a_base_on_which_nothing_can_be_proved_says_why(base: Run, reason: str) -> None:
    problem = base_problem("run it", base, 60)

    assert problem is not None
    assert reason in problem.reason
    assert not problem.passed


# --- properties


def counts(alphabet: str = "abcd") -> st.SearchStrategy[Counter[str]]:
    return st.dictionaries(st.sampled_from(alphabet), st.integers(1, 3)).map(Counter)


def runs() -> st.SearchStrategy[Run]:
    reports = st.builds(Report, counts(), counts(), counts())
    return st.builds(Run, st.sampled_from([0, 1]), st.just(1.0), reports, st.just(""), st.just(""), st.booleans())


def _report(run: Run) -> Report:
    assert run.report is not None
    return run.report


@given(runs(), runs())
def test_whatever_passes_has_lost_no_test_and_broken_none(base: Run, patched: Run) -> None:
    if not compare(base, patched, 60).passed:
        return
    before, after = _report(base), _report(patched)

    assert after.executed >= max(before.executed, 1)
    for test in {*before.passed, *before.failed, *after.failed}:
        assert after.failed[test] <= before.failed[test]
        assert after.passed[test] >= before.passed[test]
    assert patched.witnessed or not base.witnessed


@given(runs())
def test_a_tree_passes_beside_itself_if_any_test_does(run: Run) -> None:
    assert compare(run, run, 60).passed == (_report(run).passed.total() > 0)


@given(runs(), runs(), counts())
def test_one_more_failure_never_turns_a_refusal_into_a_pass(base: Run, patched: Run, more: Counter[str]) -> None:
    worse = replace(patched, report=replace(_report(patched), failed=_report(patched).failed + more))

    assert compare(base, patched, 60).passed or not compare(base, worse, 60).passed or _mends(base, more)


def _mends(base: Run, more: Counter[str]) -> bool:
    """Failures of tests that are red on the base count as executed, and so may be what was missing."""
    return bool(set(more) & set(_report(base).failed))


@given(runs(), runs())
def test_newly_passing_tests_failed_on_the_base_and_fail_no_more(base: Run, patched: Run) -> None:
    for test in compare(base, patched, 60).newly_passing:
        assert _report(base).failed[test]
        assert not _report(patched).failed[test]


@given(runs(), st.lists(runs(), max_size=3))
def test_settling_moves_only_tests_that_passed_every_time_and_loses_none(first: Run, again: list[Run]) -> None:
    settled, flaky = settle(first, again)
    before, after = _report(first), _report(settled)

    assert after.executed == before.executed
    assert not flaky or again
    for test in {*before.failed, *after.failed}:
        if test in flaky:
            assert all(not _report(run).failed[test] and _report(run).passed[test] for run in again)
            assert not after.failed[test]
        else:
            assert after.failed[test] == before.failed[test]
