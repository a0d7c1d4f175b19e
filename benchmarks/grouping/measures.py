"""How well a grouping agrees with the truth. A grouping is one group's name for each row."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

Names = Sequence[Hashable]


@dataclass(frozen=True)
class Scores:
    """The agreement; the first three are between 0 and 1."""

    accuracy: float
    """GA: the share of rows whose predicted group holds exactly the rows of a true one."""
    group_f1: float
    """FGA: F1 over groups; one that is exactly right counts once, however large it is."""
    pair_f1: float
    """PF: F1 over pairs of rows that are together."""
    groups: int
    over: int
    """Predicted groups that mix several truths: false merges."""
    split: int
    """True groups that are torn."""


def members(names: Names) -> dict[Hashable, frozenset[int]]:
    """The positions of the rows of each group."""
    found: defaultdict[Hashable, set[int]] = defaultdict(set)
    for position, name in enumerate(names):
        found[name].add(position)
    return {name: frozenset(rows) for name, rows in found.items()}


def pairs(sizes: Counter[Hashable]) -> int:
    """How many pairs of rows are together."""
    return sum(size * (size - 1) // 2 for size in sizes.values())


def score(truth: Names, found: Names) -> Scores:
    """Compares two groupings of the same rows."""
    true_groups, found_groups = members(truth), members(found)
    wanted = set(true_groups.values())
    exact = [rows for rows in found_groups.values() if rows in wanted]
    both, met = Counter(zip(truth, found, strict=True)), pairs(Counter(truth)) + pairs(Counter(found))
    return Scores(
        accuracy=sum(map(len, exact)) / len(truth),
        group_f1=2 * len(exact) / (len(true_groups) + len(found_groups)),
        pair_f1=2 * pairs(Counter(both)) / met if met else 1.0,
        groups=len(found_groups),
        over=sum(len({truth[row] for row in rows}) > 1 for rows in found_groups.values()),
        split=sum(len({found[row] for row in rows}) > 1 for rows in true_groups.values()),
    )


def moved(first: Names, second: Names) -> float:
    """The share of rows whose group does not hold the same rows in both groupings."""
    of_first, of_second = members(first), members(second)
    return sum(of_first[a] != of_second[b] for a, b in zip(first, second, strict=True)) / len(first)


def torn(first: Names, second: Names) -> int:
    """How many groups of the first grouping are in several groups of the second."""
    return sum(len({second[row] for row in rows}) > 1 for rows in members(first).values())
