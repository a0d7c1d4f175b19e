"""The pieces of what a model is shown, and which of them fit into a budget."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from selfimprover.drafting.reading import tokens

ORDER = (
    *("instructions", "finding", "history", "frame", "class", "producer", "raiser", "mention"),
    *("caller", "test", "convention"),
)
"""The kinds in the order in which they are shown: what the findings of a project share comes first, for the server's
cache; then the finding, the failing code and what is around it."""

_PER_PART = 6
"""Tokens for what frames a part in the prompt: delimiters and its kind."""
_NOTES_SHARE = 10
_MAX_NOTES = 400
_SMALLEST = 40


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of context. Its text is data, whatever it says."""

    kind: str
    """One of ``ORDER``."""
    title: str
    """``path:first-last`` with what it is, or a short name."""
    text: str
    rank: int
    """Lower is more important."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A part that could be shown, and what could stand for it where it does not fit, longest first."""

    part: Part
    shorter: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a model is shown about a finding."""

    parts: tuple[Part, ...]
    """Within the budget, in the order in which they are shown; the same for the same case and files."""
    left_out: tuple[str, ...]
    """What did not fit or could not be read, and why."""
    tokens: int
    """Estimated, with what frames each part and with the notes on what was left out."""


def cost(part: Part) -> int:
    """The estimated tokens of a part as it is shown."""
    return tokens.estimate(part.title) + tokens.estimate(part.text) + _PER_PART


def fill(
    candidates: Sequence[Candidate], notes: Iterable[str], budget: int, redact: Callable[[str], str] | None = None
) -> Context:
    """The most important candidates that fit, each as long as it may be; and notes on those that do not."""
    for_notes = min(_MAX_NOTES, max(0, budget) // _NOTES_SHARE)
    left = max(0, budget) - for_notes
    taken: list[tuple[int, Part]] = []
    missing: list[str] = []
    by_rank = sorted(enumerate(candidates), key=lambda item: (item[1].part.rank, item[0]))
    for place, candidate in by_rank:
        whole = _clean(candidate.part, redact)
        fitting = next((each for each in _versions(candidate, redact) if cost(each) <= left), None)
        if fitting is None:
            missing.append(f"{whole.title}: {cost(whole)} tokens, more than were left")
            continue
        if fitting.text != whole.text:
            missing.append(f"{whole.title}: shortened")
        taken.append((place, fitting))
        left -= cost(fitting)
    shown = sorted(taken, key=lambda item: (ORDER.index(item[1].kind), item[0]))
    kept = _notes([*missing, *notes], for_notes)
    used = sum(cost(part) for _, part in taken) + sum(tokens.estimate(note) for note in kept)
    return Context(tuple(part for _, part in shown), kept, used)


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and end with a note of what is missing, within about ``limit`` tokens."""
    if tokens.estimate(text) <= limit:
        return text
    room = tokens.characters(max(_SMALLEST // 4, limit - 12)) * len(text) // max(1, _weight(text))
    head, tail = text[: room // 2], text[len(text) - room // 2 :]
    missing = len(text) - len(head) - len(tail)
    return f"{head}\n… {missing} characters left out …\n{tail}"


def _weight(text: str) -> int:
    """The length that an ASCII text of as many tokens would have."""
    return max(len(text), tokens.characters(tokens.estimate(text)))


def _versions(candidate: Candidate, redact: Callable[[str], str] | None) -> Iterable[Part]:
    for text in (candidate.part.text, *candidate.shorter):
        yield _clean(replace(candidate.part, text=text), redact)


def _clean(part: Part, redact: Callable[[str], str] | None) -> Part:
    return part if redact is None else replace(part, title=redact(part.title), text=redact(part.text))


def _notes(notes: Sequence[str], budget: int) -> tuple[str, ...]:
    """As many notes as the budget allows; the last says how many more there would be."""
    kept: list[str] = []
    used = tokens.estimate(f"and {len(notes)} more")
    if used > budget:
        return ()
    for note in notes:
        used += tokens.estimate(note)
        if used > budget:
            return (*kept, f"and {len(notes) - len(kept)} more")
        kept.append(note)
    return tuple(kept)
