"""What a language model was asked, and what that came to."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The tokens of one call; ``cached`` ones are part of ``prompt``."""

    prompt: int
    cached: int
    completion: int
    estimated: bool = False
    """The server did not say, so these are ours: rather too many than too few."""

    @property
    def total(self) -> int:
        """What a budget of tokens counts."""
        return self.prompt + self.completion


class CallOutcome(StrEnum):
    """What became of a call."""

    ASKED = "asked"
    """Nothing is known yet: it is on its way, or the process ended meanwhile. Counts with the most it may cost."""
    ANSWERED = "answered"
    LOST = "lost"
    """It may have been answered, and paid for, but nothing usable arrived. Counts with the most it may cost."""
    FAILED = "failed"
    """The server did no work for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call as the memory keeps it."""

    request_hash: str
    finding_id: str
    night: str
    at: datetime
    request: str
    """The JSON that was sent, to the letter; the key is in no part of it. Empty once it is too old to be kept."""
    outcome: CallOutcome
    usage: TokenUsage
    cost: Decimal | None = None
    """US dollars; ``None`` where no prices are configured."""
    answer: str | None = None
    """The JSON that came, as it came; for a call that failed what was said of it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What several calls came to."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    cost: Decimal = Decimal(0)

    @property
    def tokens(self) -> int:
        """What a budget of tokens counts."""
        return self.prompt + self.completion
