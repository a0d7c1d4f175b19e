"""Which finding a pattern is, where earlier nights made several of what tonight is one."""

from collections.abc import Mapping
from dataclasses import replace

from selfimprover.domain import KnownPatterns, Pattern


def settle(patterns: Mapping[str, Pattern], known: KnownPatterns) -> tuple[Mapping[str, Pattern], Mapping[str, str]]:
    """Value → pattern with at most one finding each, and the findings that are to go into another.

    A finding that people know already stays what it is. Of the others the oldest takes the rest in.
    """
    settled = dict(patterns)
    age = {value: place for place, value in enumerate(known.owners)}
    moves: dict[str, str] = {}
    for pattern in {pattern.fingerprint.value: pattern for pattern in patterns.values()}.values():
        owners = _owners(pattern, known, age)
        if len(owners) <= 1:
            continue
        public = [finding for finding in owners if finding in known.settled]
        main = public[0] if public else owners[0]
        moves |= {finding: main for finding in owners if finding != main and finding not in public}
        kept = {value: finding for value in pattern.members if (finding := known.owners.get(value)) in public[1:]}
        for finding in {main, *public[1:]}:
            values = [value for value in pattern.members if kept.get(value, main) == finding]
            if values:
                settled |= dict.fromkeys(values, _part(pattern, values))
    return settled, moves


def _owners(pattern: Pattern, known: KnownPatterns, age: Mapping[str, int]) -> list[str]:
    """The findings that its members mean, the oldest first."""
    values = sorted((value for value in pattern.members if value in age), key=age.__getitem__)
    return list(dict.fromkeys(known.owners[value] for value in values))


def _part(pattern: Pattern, values: list[str]) -> Pattern:
    return Pattern(
        replace(pattern.fingerprint, value=min(values)),
        tuple(values),
        tuple(join for join in pattern.joins if join.fingerprint in values),
    )
