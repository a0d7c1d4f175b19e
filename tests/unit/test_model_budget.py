"""Tokens and money: exact, and never more than was allowed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.domain import Spent, TokenUsage
from selfimprover.drafting.llm.budget import Caps, Prices, estimate, worst_case
from selfimprover.errors import BudgetSpentError

PRICES = Prices.exact(prompt=2.5, cached=0.25, completion=10)
counts = st.integers(0, 10**9)
amounts = st.decimals(0, 1000, places=6)


def test_cached_tokens_cost_what_cached_tokens_cost() -> None:
    assert PRICES.cost(TokenUsage(1_000_000, 400_000, 100_000)) == Decimal("1.5") + Decimal("0.1") + Decimal(1)


def test_a_tenth_of_a_dollar_is_a_tenth_however_often_it_is_added() -> None:
    prices = Prices.exact(prompt=0.1, cached=0.1, completion=0.1)

    assert sum((prices.cost(TokenUsage(1, 0, 0)) for _ in range(10)), Decimal(0)) == Decimal("0.000001")


@given(prompt=counts, share=st.floats(0, 1), completion=counts, prices=st.builds(Prices, amounts, amounts, amounts))
def test_no_call_costs_more_than_the_most_that_was_said_of_it(
    prompt: int, share: float, completion: int, prices: Prices
) -> None:
    usage = TokenUsage(prompt, int(prompt * share), completion)

    assert prices.cost(usage) <= prices.most(usage)


def test_a_call_fits_to_the_last_token_and_not_beyond() -> None:
    caps = Caps(tokens=1000)
    spent = Spent(calls=1, prompt=500, completion=100)

    caps.require_room(spent, TokenUsage(300, 0, 100), None)
    with pytest.raises(BudgetSpentError, match="600 of 1000 are used") as caught:
        caps.require_room(spent, TokenUsage(300, 0, 101), None)
    assert "the next night goes on" in str(caught.value)


def test_a_call_fits_to_the_last_cent_and_not_beyond() -> None:
    caps = Caps(tokens=10**9, cost=Decimal("0.01"))
    spent = Spent(calls=1, cost=Decimal("0.0075"))

    caps.require_room(spent, TokenUsage(1000, 0, 0), PRICES)
    with pytest.raises(BudgetSpentError, match="max_cost_per_night"):
        caps.require_room(spent, TokenUsage(1001, 0, 0), PRICES)


def test_a_call_that_fits_on_no_night_says_so() -> None:
    with pytest.raises(BudgetSpentError, match="it would not fit on any night"):
        Caps(tokens=100).require_room(Spent(), TokenUsage(90, 0, 20), None)


def test_a_cap_of_nothing_lets_nothing_through() -> None:
    with pytest.raises(BudgetSpentError):
        Caps(tokens=0).require_room(Spent(), worst_case("", 1), None)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("def f(x):\n    return x + 1\n" * 10, 120), ("なぜ動かないのか。", 9), ("deadbeef" * 10, 40), ("", 0)],
    ids=["code", "Japanese", "hexadecimal", "nothing"],
)
def test_an_estimate_is_not_below_what_models_count(text: str, tokens: int) -> None:
    assert estimate(text) >= tokens
