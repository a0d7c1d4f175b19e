"""What the checks of a verdict mean: pure judgement over edits and over two runs of the tests."""

import ast
import json
import re
import tomllib
import unicodedata
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from selfimprover.domain import Check, CheckStatus, Draft, Strength
from selfimprover.verification.junit import Report

_NAMED = 3
_MAX_ID = 120
_NOT_FOUND = (126, 127)
_RAN_NOTHING = re.compile(r"^(Ran 0 tests\b|no tests ran\b|=+ no tests ran\b)", re.MULTILINE)
_RAN_SOMETHING = re.compile(r"^Ran [1-9]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the test command on one tree."""

    status: int | None
    """Exit status as a shell tells it; ``None``: its time ran out."""
    seconds: float
    report: Report | None
    printed: str
    """The last part of what it printed."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the two runs show together."""

    passed: bool
    strength: Strength
    reason: str
    detail: str


# --- parses --------------------------------------------------------------------------------------------


def parses(draft: Draft) -> Check:
    """Whether every changed file is still readable as what its name says.

    A file that was not readable before either is left out: it may be meant for another version of the language.
    """
    looked_at = 0
    for edit in draft.edits:
        suffix = edit.path.rpartition(".")[2]
        if edit.after is None or (edit.before is not None and _fault(suffix, edit.before)):
            continue
        looked_at += suffix in {"py", "json", "toml"}
        if fault := _fault(suffix, edit.after):
            return Check(name="parses", status=CheckStatus.FAILED, detail=f"{edit.path} does not parse: {fault}")
    return Check(name="parses", status=CheckStatus.PASSED, detail=f"{_count(looked_at, 'changed file')} parsed")


def _fault(suffix: str, text: str) -> str:
    try:
        if suffix == "py":
            _compile(text)
        elif suffix == "json":
            json.loads(text)
        elif suffix == "toml":
            tomllib.loads(text)
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return _plain(str(error) or type(error).__name__)
    return ""


def _compile(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(ast.parse(text), "<draft>", "exec", dont_inherit=True)


# --- tests ---------------------------------------------------------------------------------------------


_GREW = 128 + 25
"""How a shell tells the end by SIGXFSZ: a file grew beyond its limit."""


def base_problem(command: str, base: Run, timeout: float) -> Proof | None:
    """Why nothing can be proved on this base; ``None`` if the patched tree is worth a run."""
    if base.status is None:
        reason = f"the tests did not end within {timeout:g} s on the base already (raise projects.verify.timeout)"
        return Proof(False, Strength.NONE, reason, f"base: stopped after {base.seconds:.0f} s")
    if base.report is None and base.status in _NOT_FOUND:
        mend = "mend projects.verify.test, or name the folder it is installed in under projects.verify.expose"
        reason = f"the test command was not found: {command} ({mend})"
        return Proof(False, Strength.NONE, reason, f"base: exit status {base.status}")
    if base.report is None and base.status == _GREW:
        reason = "a file that the tests wrote, their output included, grew beyond 256 MB on the base already"
        return Proof(False, Strength.NONE, reason, f"base: exit status {base.status}")
    if base.report is None and base.status:
        return Proof(
            False,
            Strength.BY_EXIT_CODE,
            "the tests fail on the base already and cannot be told apart without test ids "
            "(run the test command on the base, or let it write JUnit XML to $SELFIMPROVER_JUNIT)",
            f"base: exit status {base.status}",
        )
    if _ran_nothing(base):
        return Proof(False, _strength(base), "no test was executed on the base, so nothing is proved", "base: 0 tests")
    return None


def compare(base: Run, patched: Run, timeout: float) -> Proof:
    """What the run on the patched tree shows beside that on the base, which ``base_problem`` had nothing against."""
    if patched.status is None:
        reason = f"the tests did not end within {timeout:g} s on the patched tree"
        return Proof(False, _strength(base), reason, f"base: ended after {base.seconds:.0f} s; patched: stopped")
    if base.report and not patched.report:
        reason = "the tests left no report on the patched tree, though they did on the base"
        return Proof(False, Strength.BY_TEST, reason, f"patched: exit status {patched.status}")
    if base.report and patched.report:
        return _by_test(base.report, patched.report, base.status, patched.status)
    return _by_exit_code(patched)


def _by_exit_code(patched: Run) -> Proof:
    detail = f"exit status 0 on base, {patched.status} on patched"
    if patched.status:
        reason = f"the tests fail on the patched tree (exit status {patched.status}) and pass on the base"
        return Proof(False, Strength.BY_EXIT_CODE, reason, detail)
    if _ran_nothing(patched):
        return Proof(False, Strength.BY_EXIT_CODE, "no test was executed on the patched tree", detail)
    return Proof(True, Strength.BY_EXIT_CODE, "the tests pass on base and patched tree, by exit code", detail)


def _by_test(base: Report, patched: Report, base_status: int | None, patched_status: int | None) -> Proof:
    newly = patched.failed - base.failed
    lost = base.passed - patched.passed - newly
    red = f", {base.failed.total()} red on the base already" if base.failed else ""
    detail = _detail(base, patched, newly, lost) + red

    def refused(reason: str) -> Proof:
        return Proof(False, Strength.BY_TEST, reason, detail)

    if not patched.executed:
        return refused("no test was executed on the patched tree")
    if newly:
        return refused(f"{_count(newly.total(), 'test')} newly failing on the patched tree: {_names(sorted(newly))}")
    if lost:
        return refused(_losses(sorted(lost), patched))
    if patched.executed < base.executed:
        return refused(f"only {patched.executed} of the base's {base.executed} tests were executed on the patched tree")
    if patched_status and patched_status != base_status:
        return refused(f"no test is newly failing, but the test command ended with exit status {patched_status}")
    return Proof(True, Strength.BY_TEST, f"{_count(patched.executed, 'test')} ran, none is newly failing{red}", detail)


def _detail(base: Report, patched: Report, newly: Counter[str], lost: Counter[str]) -> str:
    passed, failing = base.passed.total(), f"{newly.total() or 'none'} newly failing"
    if base.passed == patched.passed and not newly:
        return f"{passed} passed on base and patched, {failing}"
    gone = f", {lost.total()} no longer run" if lost else ""
    return f"{passed} passed on base, {patched.passed.total()} on patched, {failing}{gone}"


def _losses(lost: Sequence[str], patched: Report) -> str:
    """What became of tests that passed on the base, and neither passed nor newly failed as often since."""
    said = [f"test {_plain(one)} passed on the base and {_fate(one, patched)} on the patched tree" for one in lost]
    more = [f"and {len(lost) - _NAMED} more"] if len(lost) > _NAMED else []
    return "; ".join(said[:_NAMED] + more)


def _fate(test: str, patched: Report) -> str:
    if test in patched.skipped:
        return "is skipped"
    return "ran less often" if test in patched.passed or test in patched.failed else "did not run"


def _ran_nothing(run: Run) -> bool:
    if run.report:
        return not run.report.executed
    said_nothing = _RAN_NOTHING.search(run.printed) and not _RAN_SOMETHING.search(run.printed)
    return not run.status and bool(said_nothing)


def _strength(run: Run) -> Strength:
    return Strength.BY_TEST if run.report else Strength.BY_EXIT_CODE


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _names(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(_plain(one) for one in ids[:_NAMED]) + more


def _plain(text: str) -> str:
    """A text of the code under test, fit for a line that people read."""
    return "".join(character for character in text if unicodedata.category(character)[0] != "C")[:_MAX_ID]
