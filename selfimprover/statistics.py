"""Exact statistics of rare events, on the standard library alone.

Failures are counted per opportunity (tasks that could have failed this way), before and after. Given ``k = k0 + k1``
failures, ``k1`` is binomial with ``pi = n1 r / (n0 + n1 r)``, where ``r`` is the rate ratio; the Clopper-Pearson
interval of ``pi`` (Clopper and Pearson, Biometrika 26, 1934) becomes the interval of ``r``. It stays honest where
nothing recurred, which is the commonest case after a fix.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_ALPHA = 0.05
_STEPS = 300
_EPSILON = 1e-14
_TINY = 1e-300
_LEAST_MEAN = 0.3
_MIN_DAYS = 3
_MOST_TASKS = 100_000_000


@dataclass(frozen=True, slots=True)
class RateComparison:
    """The 95 % interval of the rate ratio after/before, and the two-sided p-value of no change."""

    low: float
    high: float
    """``inf`` where nothing bounds it."""
    p_value: float


def compare_rates(
    before: tuple[int, int], after: tuple[int, int], *, dispersion: float = 1.0, alpha: float = _ALPHA
) -> RateComparison:
    """Compares ``(failures, tasks)`` before and after; ``dispersion`` ≥ 1 discounts failures that come in bursts.

    Raises ``ValueError`` for negative counts.
    """
    if min(*before, *after) < 0 or dispersion < 1:
        raise ValueError("counts must not be negative, and dispersion must be at least 1")
    (k0, n0), (k1, n1) = before, after
    if n0 == 0 or n1 == 0 or k0 + k1 == 0:
        return RateComparison(0.0, math.inf, 1.0)
    few0, few1 = k0 / dispersion, k1 / dispersion
    low = _beta_quantile(alpha / 2, few1, few0 + 1) if few1 > 0 else 0.0
    high = _beta_quantile(1 - alpha / 2, few1 + 1, few0) if few0 > 0 else 1.0
    share = n1 / (n0 + n1)
    at_most = regularized_beta(1 - share, few0, few1 + 1) if few0 > 0 else 1.0
    at_least = regularized_beta(share, few1, few0 + 1) if few1 > 0 else 1.0
    scale = n0 / n1
    return RateComparison(_odds(low) * scale, _odds(high) * scale, min(1.0, 2 * min(at_most, at_least)))


def tasks_needed(before: tuple[int, int], recurrences: int = 0, *, dispersion: float = 1.0) -> int | None:
    """After how many tasks with only ``recurrences`` failures the interval's upper end falls below 1.

    ``before`` is ``(failures, tasks)``. ``None`` if there was no failure before, or no number of tasks is enough.
    """
    low, high = 0, max(1, before[1])
    if min(before) <= 0:
        return None
    while compare_rates(before, (recurrences, high), dispersion=dispersion).high >= 1:
        low, high = high, high * 2
        if high > _MOST_TASKS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if compare_rates(before, (recurrences, middle), dispersion=dispersion).high < 1:
            high = middle
        else:
            low = middle
    return high


def overdispersion(before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]) -> float:
    """How much more the daily failures vary than independent events would (≥ 1): bursts are one event, not many.

    Each day is ``(failures, tasks)``. Pearson's statistic over both stretches, each day against what its tasks would
    have at the stretch's own rate; 1 where there are too few days to tell.
    """
    days = len(before) + len(after)
    if days < _MIN_DAYS:
        return 1.0
    return max(1.0, (_pearson(before) + _pearson(after)) / (days - 2))


def benjamini_hochberg(p_values: Sequence[float], *, level: float = _ALPHA) -> tuple[bool, ...]:
    """Which of many comparisons stand at a false discovery rate of ``level`` (Benjamini and Hochberg, 1995)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    last = max((rank for rank, index in enumerate(order, 1) if p_values[index] <= level * rank / len(order)), default=0)
    standing = set(order[:last])
    return tuple(index in standing for index in range(len(p_values)))


def regularized_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - regularized_beta(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _continued_fraction(x, a, b) / a


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's method for the fraction 1/(1 + d1/(1 + d2/(1 + …)))."""
    c = 1.0
    d = 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        for coefficient in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _nonzero(1.0 + coefficient * d)
            c = _nonzero(1.0 + coefficient / c)
            value *= c * d
        if abs(c * d - 1.0) < _EPSILON:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _beta_quantile(probability: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if regularized_beta(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _odds(share: float) -> float:
    return math.inf if share >= 1.0 else share / (1.0 - share)


def _pearson(days: Sequence[tuple[int, int]]) -> float:
    tasks = sum(count for _, count in days)
    rate = sum(failures for failures, _ in days) / tasks if tasks else 0.0
    return sum((failures - rate * count) ** 2 / max(rate * count, _LEAST_MEAN) for failures, count in days)
