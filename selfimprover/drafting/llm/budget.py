"""Tokens and money: what a call came to, the most one can come to, and whether that fits. Pure and exact."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from selfimprover.domain import Spent, TokenUsage
from selfimprover.errors import BudgetSpentError

_PER_MESSAGE = 64
"""Tokens that a server puts around a prompt."""
_BYTES_PER_TOKEN = 2
"""Code and prose have three to four: a bound must err on one side only."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens."""

    prompt: Decimal
    cached: Decimal
    completion: Decimal

    @classmethod
    def exact(cls, prompt: float, cached: float, completion: float) -> Self:
        """The prices as they were written: 0.1 is a tenth."""
        return cls(*(Decimal(str(one)) for one in (prompt, cached, completion)))

    def cost(self, usage: TokenUsage) -> Decimal:
        """US dollars of one call."""
        fresh = usage.prompt - usage.cached
        total = fresh * self.prompt + usage.cached * self.cached + usage.completion * self.completion
        return total.scaleb(-6)

    def most(self, usage: TokenUsage) -> Decimal:
        """The same if nobody knows what will be cached."""
        dearest = max(self.prompt, self.cached)
        return (usage.prompt * dearest + usage.completion * self.completion).scaleb(-6)


@dataclass(frozen=True, slots=True)
class Caps:
    """What a night may use. The settings refuse a cap on the cost without prices."""

    tokens: int
    cost: Decimal | None = None

    def require_room(self, spent: Spent, worst: TokenUsage, prices: Prices | None) -> None:
        """Raises ``BudgetSpentError`` unless a call that comes to ``worst`` still fits."""
        if spent.tokens + worst.total > self.tokens:
            raise _spent(
                f"a call of up to {worst.total} tokens does not fit: {spent.tokens} of {self.tokens} are used",
                "llm.max_tokens_per_night",
                alone=worst.total > self.tokens,
            )
        if self.cost is None or prices is None:
            return
        most = prices.most(worst)
        if spent.cost + most > self.cost:
            raise _spent(
                f"a call of up to ${most:.4f} does not fit: ${spent.cost:.4f} of ${self.cost} are spent",
                "llm.max_cost_per_night",
                alone=most > self.cost,
            )


def estimate(text: str) -> int:
    """At least as many tokens as any usual model makes of code and prose."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


def worst_case(request: str, max_tokens: int) -> TokenUsage:
    """The most that a request can come to."""
    return TokenUsage(estimate(request) + _PER_MESSAGE, 0, max_tokens, estimated=True)


def _spent(what: str, key: str, *, alone: bool) -> BudgetSpentError:
    mend = f"raise {key}: it would not fit on any night" if alone else f"the next night goes on, or raise {key}"
    return BudgetSpentError(what, where="budget of the model", mend=mend)
