"""What people said about a pull request, cut to a screenful: others write it, and as much of it as they like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from rich.console import Console
from rich.text import Text

from selfimprover.domain import Review
from selfimprover.reporting.safe import one_line, visible
from selfimprover.reporting.words import counted

_LINES = 24
"""Lines of text of all together."""
_EACH = 8
"""Lines of one of them, where they do not all fit."""
_WIDEST = 100
_BAR = "│ "
"""Begins every line of theirs, so that no text can pass for a heading of ours."""
_VERDICTS = {"approved": "approves", "changes requested": "asks for changes", "commented": "comments"}


@dataclass(frozen=True, slots=True)
class _Said:
    heading: str
    lines: tuple[str, ...]
    is_verdict: bool

    def height(self, most: int) -> int:
        """Lines on the screen if at most so many of the text are shown."""
        return 1 + min(len(self.lines), most) + (len(self.lines) > most)


def print_reviews(console: Console, given: Sequence[Review], timezone: tzinfo) -> None:
    """Oldest first, with dates of ``timezone``, each with its beginning where they do not fit on a screen.

    What does not fit even so is left out: remarks before verdicts, old ones before new ones.
    """
    width = max(1, min(console.width, _WIDEST) - len(_BAR))
    said = [_said(console, review, timezone, width) for review in given]
    each = _LINES if sum(one.height(_LINES) for one in said) <= _LINES else _EACH
    shown = _chosen(said, each)
    if left := len(said) - len(shown):
        _note(console, f"{left} more left out, `--json` has all")
    for one in shown:
        console.print(Text(one.heading), soft_wrap=True)
        for line in one.lines[:each]:
            console.print(Text(f"{_BAR}{line}"), soft_wrap=True)
        if len(one.lines) > each:
            _note(console, f"{_BAR}… {counted(len(one.lines) - each, 'more line')}, `--json` has all")


def _said(console: Console, review: Review, timezone: tzinfo, width: int) -> _Said:
    verdict = _VERDICTS.get(review.verdict, review.verdict)
    heading = f"{review.at.astimezone(timezone):%Y-%m-%d %H:%M}  {one_line(review.author, 40)} {one_line(verdict, 40)}"
    text = Text(visible(review.text).strip())
    lines = [line.plain.rstrip() for line in text.wrap(console, width)] if text.plain else []
    # of several blank lines one is enough
    kept = [line for number, line in enumerate(lines) if line or lines[number - 1]]
    return _Said(heading, tuple(kept), review.verdict != "commented")


def _chosen(said: Sequence[_Said], each: int) -> Sequence[_Said]:
    """Those that fit, in their order."""
    left = _LINES
    chosen: set[int] = set()
    for number in sorted(range(len(said)), key=lambda number: (said[number].is_verdict, number), reverse=True):
        left -= said[number].height(each)
        if left < 0:
            break
        chosen.add(number)
    return [one for number, one in enumerate(said) if number in chosen]


def _note(console: Console, text: str) -> None:
    console.print(Text(text, style="dim"), soft_wrap=True)
