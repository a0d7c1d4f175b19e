"""Rates before and after: exact intervals, checked against published tables and against their own definition."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from selfimprover.statistics import benjamini_hochberg, compare_rates, overdispersion, regularized_beta, tasks_needed


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        ((13, 169), (1, 8), 0.04, 10.8),
        ((40, 1000), (0, 200), 0.0, 0.483),
        ((40, 1000), (4, 500), 0.052, 0.553),
        ((40, 1000), (10, 1000), 0.111, 0.509),
        ((5, 200), (0, 200), 0.0, 1.09),
        ((12, 90), (0, 90), 0.0, 0.36),
    ],
)
def test_interval_is_the_exact_one(before: tuple[int, int], after: tuple[int, int], low: float, high: float) -> None:
    comparison = compare_rates(before, after)

    assert comparison.low == pytest.approx(low, abs=0.005)
    assert comparison.high == pytest.approx(high, rel=0.01)


def test_thirteen_of_169_against_one_of_eight_is_no_evidence() -> None:
    assert compare_rates((13, 169), (1, 8)).p_value == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("before", "needed"), [((13, 169), 56), ((40, 1000), 97), ((5, 200), 219), ((3, 200), 484)])
def test_tasks_needed_reproduces_the_table(before: tuple[int, int], needed: int) -> None:
    assert tasks_needed(before) == pytest.approx(needed, abs=1)


@given(st.integers(1, 200), st.integers(200, 5000), st.integers(0, 3), st.floats(1, 4))
def test_tasks_needed_is_the_smallest_number_that_settles_it(k0: int, n0: int, k1: int, phi: float) -> None:
    assume(k0 >= phi)
    needed = tasks_needed((k0, n0), k1, dispersion=phi)

    assert needed is not None
    assert compare_rates((k0, n0), (k1, needed), dispersion=phi).high < 1
    assert needed == 1 or compare_rates((k0, n0), (k1, needed - 1), dispersion=phi).high >= 1


@given(st.integers(1, 60), st.integers(100, 5000))
def test_tasks_needed_agrees_with_the_closed_form(failures: int, tasks: int) -> None:
    assert tasks_needed((failures, tasks)) == pytest.approx(tasks * (0.025 ** (-1 / failures) - 1) + 1, abs=1.01)


def test_nothing_before_can_never_be_settled() -> None:
    assert tasks_needed((0, 100)) is None


@given(st.floats(0.01, 0.99), st.integers(1, 60), st.integers(1, 60))
def test_incomplete_beta_equals_the_binomial_tail(x: float, a: int, b: int) -> None:
    n = a + b - 1
    tail = sum(math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))

    assert regularized_beta(x, a, b) == pytest.approx(tail, abs=1e-9)


@given(st.tuples(st.integers(0, 500), st.integers(1, 5000)), st.tuples(st.integers(0, 500), st.integers(1, 5000)))
def test_interval_and_p_value_agree(before: tuple[int, int], after: tuple[int, int]) -> None:
    comparison = compare_rates(before, after)

    assert 0 <= comparison.low <= comparison.high
    if comparison.p_value < 0.049:
        assert comparison.high < 1.001 or comparison.low > 0.999


def test_bursts_widen_the_interval() -> None:
    before = [(0, 100), (0, 100), (20, 100), (0, 100), (0, 100), (0, 100), (0, 100)]
    phi = overdispersion(before, [(0, 100), (4, 100), *[(0, 100)] * 5])

    assert phi > 5
    assert compare_rates((20, 700), (4, 700), dispersion=phi).high > compare_rates((20, 700), (4, 700)).high


def test_steady_counts_are_not_discounted() -> None:
    assert overdispersion([(3, 50)] * 4, [(1, 50)] * 3) == 1.0
    assert overdispersion([(3, 50)], [(1, 50)]) == 1.0


def test_a_busy_day_with_more_failures_is_no_burst() -> None:
    assert overdispersion([(0, 3), (4, 48), (0, 1)], [(0, 36)]) == 1.0


def test_no_opportunity_gives_no_bound_and_no_verdict() -> None:
    comparison = compare_rates((3, 100), (0, 0))

    assert (comparison.low, comparison.high, comparison.p_value) == (0.0, math.inf, 1.0)


def test_nonsense_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        compare_rates((-1, 10), (0, 10))


def test_many_comparisons_need_more_than_one_small_p_value() -> None:
    assert benjamini_hochberg([0.04] + [0.5] * 19) == (False,) * 20
    assert benjamini_hochberg([0.001, 0.5, 0.9]) == (True, False, False)
    assert benjamini_hochberg([]) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_smaller_p_value_never_fares_worse(p_values: list[float]) -> None:
    standing = benjamini_hochberg(p_values)

    ordered = sorted(zip(p_values, standing, strict=True))
    assert all(not (later and not earlier) for (_, earlier), (_, later) in pairwise(ordered))
