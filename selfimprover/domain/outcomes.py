"""What became of merged fixes."""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeState(StrEnum):
    """What a merged fix did, as far as the numbers can tell."""

    REDUCED = "reduced"
    NOT_REDUCED = "not reduced"
    INCREASED = "increased"
    NOT_YET_KNOWN = "not yet known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a merged fix: failures per opportunity after the merge beside the stored baseline."""

    finding_id: str
    pr_number: int
    state: OutcomeState
    before_failures: int
    before_tasks: int
    after_failures: int
    after_tasks: int
    rate_ratio_low: float
    rate_ratio_high: float | None
    """``None``: no upper bound yet."""
    p_value: float
    more_tasks_needed: int | None
    """About how many further tasks without a recurrence would settle it; ``None`` if it is settled or unknowable."""
    sentence: str
