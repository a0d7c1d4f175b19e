"""What a run of the tests left behind, and what two runs show together."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from selfimprover.domain import Strength
from selfimprover.verification import summaries
from selfimprover.verification.junit import Report

_NAMED = 3
_MAX_ID = 120


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the test command on one tree."""

    status: int | None
    """Exit status as a shell tells it; ``None``: its time ran out."""
    seconds: float
    report: Report | None
    printed: str
    """The last part of what it printed."""
    why: str = ""
    """The limit that ended it, where the sandbox knows of one."""
    witnessed: bool = False
    """The report is our own witness's, not one that the code under test could have written."""

    @property
    def executed(self) -> int | None:
        """How many tests were executed; ``None`` if nothing tells."""
        return self.report.executed if self.report else summaries.executed(self.printed)

    @property
    def strength(self) -> Strength:
        """How much it can be compared by."""
        return Strength.BY_TEST if self.report else Strength.BY_EXIT_CODE


@dataclass(frozen=True, slots=True)
class Proof:
    """What the runs show together."""

    passed: bool
    strength: Strength
    reason: str
    detail: str
    newly_failing: tuple[str, ...] = ()
    newly_passing: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()


def count(number: int, noun: str) -> str:
    """``1 test``, ``2 tests``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def names(ids: Sequence[str]) -> str:
    """The first few of some test ids, and how many more there are."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(plain(one) for one in ids[:_NAMED]) + more


def plain(text: str) -> str:
    """A text of the code under test, fit for a line that people read."""
    return "".join(character for character in text if unicodedata.category(character)[0] != "C")[:_MAX_ID]
