"""From fingerprints to patterns: which of them mean the same cause, and why.

Three things make two fingerprints one: templates that differ in a value only (``merging``); an error without a
traceback beside the one place in the code that raises the same (*adoption*); and a person. All look at the set of
fingerprints, not at the order in which they came. What a person took apart stays apart.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from selfimprover.domain import Fingerprint, Join, Pattern
from selfimprover.patterns.fingerprints import names_tell_apart
from selfimprover.patterns.masks import says_something
from selfimprover.patterns.merging import ANY, Slot, covers, merge
from selfimprover.patterns.union import Union

_FROM = " ⟵ "
_MOST_VALUES = 200
_MOST_ALIKE = 200


def group(
    fingerprints: Iterable[Fingerprint],
    *,
    same: Mapping[str, str] | None = None,
    apart: Collection[str] = (),
) -> Mapping[str, Pattern]:
    """Value of a fingerprint → the pattern that it means, for all of ``fingerprints``.

    A value may come with several templates, places and roots. ``same``: values that were found to be one before or by a
    person, each with another of its set. ``apart``: values that a person took out of a pattern; they join nothing but
    what ``same`` names.
    """
    seen = sorted({(one.value, one.template, one.place or ""): one for one in fingerprints}.items())
    return _Grouping([one for _, one in seen], same or {}, frozenset(apart)).patterns()


class _Grouping:
    def __init__(self, seen: list[Fingerprint], same: Mapping[str, str], apart: frozenset[str]) -> None:
        self._seen = seen
        self._free = [one for one in seen if one.value not in apart]
        self._joined = Union()
        self._why: dict[str, str] = {}
        self._wide: dict[str, str] = {}
        for value, other in sorted(same.items()):
            self._joined.unite(value, other)

    def patterns(self) -> Mapping[str, Pattern]:
        self._merge()
        self._adopt()
        return self._found()

    def _merge(self) -> None:
        """Within one type and place."""
        alike: dict[tuple[str | None, str, str | None, bool], dict[str, str]] = defaultdict(dict)
        for one in self._free:
            text = one.template if one.root is None else f"{one.template}{_FROM}{one.root}"
            names = names_tell_apart(one.error_type, one.template)
            alike[one.error_type, (one.root or "").partition(" ")[0], one.locus, names][text] = one.value
        for (_, _, _, names), values in alike.items():
            for text, (root, slot) in merge(values, names_tell_apart=names).items():
                value = values[text]
                if self._joined.unite(value, values[root]) or value == values[root]:
                    self._why.setdefault(value, _differ(text, slot))
                wide = slot.template.partition(_FROM)[0]
                self._wide[value] = max(self._wide.get(value, wide), wide, key=lambda each: (each.count(ANY), each))

    def _adopt(self) -> None:
        """An error that tells less of itself is one with the only pattern that says the same and more."""
        told: dict[str, list[Fingerprint]] = defaultdict(list)
        wides: dict[tuple[str | None, int], set[str]] = defaultdict(set)
        for one in self._free:
            told[one.template].append(one)
            if (wide := self._wide.get(one.value)) is not None:
                told[wide].append(one)
                wides[one.error_type, wide.count(" ")].add(wide)
        for one in self._free:
            near = wides.get((one.error_type, one.template.count(" ")), ())
            texts = (one.template, *(wide for wide in near if covers(wide, one.template)))
            alike = [other for text in texts for other in told[text][:_MOST_ALIKE]]
            richer = sorted((other.value, other.place or "") for other in alike if _tells_more(other, one))
            homes = {self._joined.root(value) for value, _ in richer}
            if len(homes) == 1:
                place = richer[0][1] or "one chain of errors"
                self._unite(one.value, homes.pop(), f"{one.template!r} without its place, which only {place} gives")

    def _unite(self, value: str, other: str, why: str) -> None:
        if self._joined.unite(value, other):
            self._why.setdefault(value, why)

    def _found(self) -> Mapping[str, Pattern]:
        members: dict[str, list[Fingerprint]] = defaultdict(list)
        for one in self._seen:
            members[self._joined.root(one.value)].append(one)
        result: dict[str, Pattern] = {}
        for group_ in members.values():
            pattern = self._pattern(group_)
            result.update(dict.fromkeys(pattern.members, pattern))
        return result

    def _pattern(self, members: list[Fingerprint]) -> Pattern:
        """Shown by its most telling member, under its smallest value."""
        values = tuple(dict.fromkeys(one.value for one in members))
        telling = min(members, key=lambda one: (one.error_type is None, one.place is None, not one.template, one.value))
        wide = max(
            (self._wide[value] for value in values if value in self._wide), key=_breadth, default=telling.template
        )
        shown = replace(telling, value=values[0], template=wide)
        joins = tuple(Join(value, self._why[value]) for value in values if value in self._why)
        return Pattern(shown, values, joins if len(values) > 1 else ())


def _tells_more(other: Fingerprint, one: Fingerprint) -> bool:
    """Whether ``other`` says all that ``one`` says of itself, and more."""
    if one.value == other.value or one.error_type not in (None, other.error_type):
        return False
    if one.error_type is None and (one.place is not None or not says_something(one.template)):
        return False
    if one.locus not in (None, other.locus) or one.root not in (None, other.root):
        return False
    return _told(other) > _told(one)


def _told(one: Fingerprint) -> int:
    return (one.error_type is not None) + (one.locus is not None) + (one.root is not None)


def _breadth(template: str) -> tuple[int, str]:
    return template.count(ANY), template


def _differ(text: str, slot: Slot) -> str:
    """Its own template first: by it a person sees which one to take out."""
    values = ", ".join(value[:_MOST_VALUES] for value in slot.values)
    more = f" and {slot.seen - len(slot.values)} more" if slot.seen > len(slot.values) else ""
    return f"{text!r}, one of {slot.seen} that differ in a value only: {values}{more}"
