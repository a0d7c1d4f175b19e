"""Joins templates that are equal but for one word, where enough different words were seen in its place.

The rule is *leave one out*: the evidence for a join is the slot and the values that were seen in it. It looks at sets
of templates only, so the order in which errors came does not matter, and more templates never undo a join.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from selfimprover.patterns.union import Union
from selfimprover.patterns.words import without_masks

ANY = "<*>"
"""Stands for the words that differ."""

_ROUNDS = 4
_LEAST_CONSTANT = 2
_MASKED, _PREFIXED, _BARE = 2, 3, 5
"""How many different values a slot must have shown: with a mask among them, with a common prefix, of bare words."""
_FLAGS = frozenset(("true", "false", "True", "False", "null", "None", "yes", "no", "on", "off"))
_PEOPLE = frozenset(("user", "username", "account", "customer", "tenant"))
"""Whom it happened to is no cause."""
_CAUSE = re.compile(
    r"(?:^|[^A-Za-z\d.-])-?\d+(?:\.\d+)*(?:$|[^A-Za-z\d])|\bE[A-Z]{4,}\b|\b[A-Z]+_[A-Z_]+\b"
    r"|\w(?:Error|Exception|Timeout|Warning|Interrupt)\b"
)
"""What names a cause: a number that was not masked, a constant, or the class of an error."""
_NAMING = frozenset(("status", "code", "error", "reason", "errno", "signal", "type", "state", "exception"))
"""The word after one of these names a cause."""
_BRACKETS = "([{<'\""
_SERIES = 3
_MOST_WORDS = 80
_SHOWN = 5


_Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """Why templates are one: what they have in common, and what was seen in the place where they differ."""

    template: str
    values: tuple[str, ...]
    """Some of the values, in order."""
    seen: int
    """How many different values there were."""


def merge(templates: Iterable[str], *, names_tell_apart: bool = False) -> Mapping[str, tuple[str, Slot]]:
    """Template → the smallest template it is one with, and why; those that stay alone are left out.

    ``names_tell_apart``: quotes are no mark of a value; for messages that quote names of the code.
    """
    joined = Union()
    members: dict[_Words, set[str]] = defaultdict(set)
    for template in templates:
        words = tuple(template.split(" "))
        if len(words) <= _MOST_WORDS:
            members[words].add(template)
    current = set(members)
    why: dict[str, Slot] = {}
    for _ in range(_ROUNDS):
        fresh: dict[_Words, set[str]] = {}
        for pattern, values in _slots(current).items():
            if len(values) > 1 and _enough(pattern, values, names_tell_apart=names_tell_apart):
                texts = set().union(*(members[whole] for whole in values.values()))
                fresh[pattern] = texts
                slot = Slot(" ".join(pattern), tuple(sorted(values)[:_SHOWN]), len(values))
                for text in texts:
                    joined.unite(next(iter(texts)), text)
                    why[text] = max(why.get(text, slot), slot, key=_breadth)
        for pattern, texts in fresh.items():
            members[pattern] |= texts
        if current.issuperset(fresh):
            break
        current |= fresh.keys()
    return {text: (joined.root(text), slot) for text, slot in why.items()}


def covers(wide: str, template: str) -> bool:
    """Whether a template with places for any word is that of another."""
    places, words = wide.split(" "), template.split(" ")
    return len(places) == len(words) and all(place in (ANY, word) for place, word in zip(places, words, strict=True))


def _breadth(slot: Slot) -> tuple[int, int, str]:
    return slot.template.count(ANY), slot.seen, slot.template


def _slots(templates: Iterable[_Words]) -> Mapping[_Words, dict[str, _Words]]:
    """Template with one word left out → the words seen there, with the template that had each."""
    slots: dict[_Words, dict[str, _Words]] = defaultdict(dict)
    for words in templates:
        for place, word in enumerate(words):
            if word == ANY or _tells_apart(word):
                continue
            slots[(*words[:place], ANY, *words[place + 1 :])][word] = words
    return slots


def _enough(pattern: _Words, values: Collection[str], *, names_tell_apart: bool) -> bool:
    if sum(word[:1].isalpha() for word in pattern) < _LEAST_CONSTANT:
        return False
    if any(map(_is_value, values)) or _FLAGS.issuperset(values):
        return len(values) >= _MASKED
    place = pattern.index(ANY)
    before = pattern[place - 1].lower().strip("=:") if place else ""
    if before in _NAMING:
        return False
    marked = not names_tell_apart and (before in _PEOPLE or _share_prefix(values))
    return len(values) >= (_PREFIXED if marked else _BARE)


def _is_value(word: str) -> bool:
    """Whether a word is nothing but a value: masked, but for its key and its punctuation."""
    rest = without_masks(word)
    return rest != word and not any(map(str.isalpha, rest.partition("=")[2] or rest))


@lru_cache(100_000)
def _tells_apart(word: str) -> bool:
    """Whether a word names a cause."""
    return _CAUSE.search(without_masks(word)) is not None


def _share_prefix(words: Collection[str]) -> bool:
    """Whether all begin alike with ``key=``, a quote or a bracket, or as numbered names do: the mark of a value."""
    prefixes = {word[0] if word[:1] in _BRACKETS else "".join(word.partition("=")[:2]) for word in words}
    if len(prefixes) == 1 and prefixes.pop()[-1:] in ("=", *_BRACKETS):
        return True
    begins = {word[:_SERIES] for word in words}
    return len(begins) == 1 and begins.pop().isalpha() and all(without_masks(word) != word for word in words)
