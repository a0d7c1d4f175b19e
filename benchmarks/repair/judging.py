"""What a night's answer to a case was worth. Pure; the definitions are those of ``README.md``."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.repair.casefile import NO_PATCH
from selfimprover.domain import State
from selfimprover.verification.results import Run

WHOLE = "the whole command"
"""Stands for all tests where a run left no results test by test."""
_ANSWERS = frozenset({State.PARKED, State.DIAGNOSED, State.SKIPPED})
_NAMED = 3


class Status(StrEnum):
    """How a case ended."""

    RESOLVED = "resolved"
    """A pull request, proven; every hidden test that it had to mend passes, and none fails that passed before."""
    PLAUSIBLE = "plausible"
    """A pull request, proven; some hidden tests that it had to mend pass, not all, and none fails that passed."""
    WRONG = "wrong"
    """A pull request that mends no hidden test, breaks one, was not proven, or should not have been made."""
    PARKED = "parked"
    """No pull request; the state of the finding and its reason say why."""
    FAILED = "failed"
    """The case could not be run or judged: it says nothing of the drafts."""


@dataclass(frozen=True)
class Results:
    """The tests of one run by id."""

    passed: frozenset[str]
    failed: frozenset[str]

    @classmethod
    def of(cls, run: Run) -> "Results":
        """A test that passed and failed in one run has failed."""
        if run.report is None:
            one = frozenset({WHOLE})
            return cls(one, frozenset()) if run.status == 0 else cls(frozenset(), one)
        failed = frozenset(run.report.failed)
        return cls(frozenset(run.report.passed) - failed, failed)


@dataclass(frozen=True)
class Sought:
    """What the hidden tests ask of a fix."""

    mend: frozenset[str]
    """Fail on the base, and have to pass."""
    keep: frozenset[str]
    """Pass on the base, and have to go on passing."""


def sought(base: Results, reference: Results | None = None, mends: Sequence[str] = ()) -> Sought:
    """By the case's own list, else by what a reference solution mends, else by all that fails on the base."""
    failing = base.failed if reference is None else reference.passed - base.passed
    keep = base.passed if reference is None else base.passed & reference.passed
    return Sought(frozenset(mends) or failing, keep)


def no_pull_request(expected: str, state: State | None) -> tuple[Status, bool]:
    """The status of a case without one, and whether that was right: a finding that only waits is no answer."""
    return Status.PARKED, expected == NO_PATCH and state in _ANSWERS


def judged(expected: str, *, proven: bool, wanted: Sought, patched: Results) -> tuple[Status, str]:
    """The status of a case with a pull request, and why."""
    if expected == NO_PATCH:
        return Status.WRONG, "a pull request where nothing should have been changed"
    broken, left = wanted.keep - patched.passed, wanted.mend - patched.passed
    told = f"hidden tests: {len(wanted.mend) - len(left)} of {len(wanted.mend)} mended"
    if broken:
        return Status.WRONG, f"{told}; broken: {_names(broken)}"
    if len(left) == len(wanted.mend):
        return Status.WRONG, told
    if not proven:
        return Status.WRONG, f"{told}, but the night had no proof"
    return (Status.PLAUSIBLE, f"{told}; left: {_names(left)}") if left else (Status.RESOLVED, told)


def _names(ids: frozenset[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(sorted(ids)[:_NAMED]) + more
