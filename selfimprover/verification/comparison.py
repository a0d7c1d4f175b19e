"""What two runs of the tests show, on the base and on the patched tree: pure judgement."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from selfimprover.domain import Strength
from selfimprover.verification.junit import Report
from selfimprover.verification.results import Proof, Run, count, names, plain

_NAMED = 3
_NOT_FOUND = (126, 127)
_GREW = 128 + 25
"""How a shell tells the end by SIGXFSZ: a file grew beyond its limit."""


def base_problem(command: str, base: Run, timeout: float) -> Proof | None:  # noqa: PLR0911 - one for each way to be of no use
    """Why nothing can be proved on this base; ``None`` if the patched tree is worth a run."""
    if base.status is None:
        reason = f"the tests did not end within {timeout:g} s on the base already (raise projects.verify.timeout)"
        return Proof(False, Strength.NONE, reason, f"base: stopped after {base.seconds:.0f} s")
    if base.why and not base.report:
        reason = f"the tests were ended on the base already, by the limit on {base.why}"
        return Proof(False, Strength.NONE, reason, f"base: exit status {base.status}")
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
    if base.executed == 0:
        return Proof(False, base.strength, "no test was executed on the base, so nothing is proved", "base: 0 tests")
    return None


def settle(patched: Run, again: Sequence[Run]) -> tuple[Run, tuple[str, ...]]:
    """The run with tests that failed in it, but passed in each of the runs ``again``, as passed; and their ids.

    A test counts as flaky only if every one of its occurrences passed each time. The exit status is then that of the
    last run: the first one's spoke of these tests.
    """
    if patched.report is None or not again:
        return patched, ()
    first = patched.report
    flaky = {one for one in first.failed if all(_all_passed(one, first, run.report) for run in again)}
    if not flaky:
        return patched, ()
    moved = Counter({one: first.failed[one] for one in flaky})
    report = replace(first, passed=first.passed + moved, failed=first.failed - moved)
    return replace(patched, report=report, status=again[-1].status), tuple(sorted(flaky))


def _all_passed(test: str, first: Report, report: Report | None) -> bool:
    occurrences = first.passed[test] + first.failed[test]
    return report is not None and not report.failed[test] and report.passed[test] >= occurrences


def compare(base: Run, patched: Run, timeout: float, added: str = "") -> Proof:
    """What the run on the patched tree shows beside that on the base, which ``base_problem`` had nothing against.

    ``added``: the path of a test file that only the patched tree has.
    """
    strength = base.strength
    if patched.status is None:
        reason = f"the tests did not end within {timeout:g} s on the patched tree"
        return Proof(False, strength, reason, f"base: ended after {base.seconds:.0f} s; patched: stopped")
    if patched.why and not base.why:
        reason = f"the tests were ended on the patched tree by the limit on {patched.why}, and not on the base"
        return Proof(False, strength, reason, f"patched: exit status {patched.status}")
    if base.report and not patched.report:
        reason = "the tests left no report on the patched tree, though they did on the base"
        return Proof(False, strength, reason, f"patched: exit status {patched.status}")
    if base.witnessed and not patched.witnessed:
        reason = "the tests left no report that is whole and ours on the patched tree, though they did on the base"
        return Proof(False, strength, reason, f"patched: exit status {patched.status}")
    if base.report and patched.report:
        return _by_test(base.report, patched.report, base.status, patched.status, added)
    return _by_exit_code(base, without_report(patched))


def without_report(run: Run) -> Run:
    """The run as its exit status and output tell it. A report that only the patched tree leaves is nobody's word."""
    return replace(run, report=None, witnessed=False)


def _by_exit_code(base: Run, patched: Run) -> Proof:
    detail = f"exit status 0 on base, {patched.status} on patched"

    def refused(reason: str) -> Proof:
        return Proof(False, Strength.BY_EXIT_CODE, reason, detail)

    if patched.status:
        return refused(f"the tests fail on the patched tree (exit status {patched.status}) and pass on the base")
    if patched.executed == 0:
        return refused("no test was executed on the patched tree")
    if base.executed is not None:
        detail += f"; {count(base.executed, 'test')} on base, {patched.executed or 'none'} on patched"
        if patched.executed is None or patched.executed < base.executed:
            told = "no number of tests" if patched.executed is None else f"only {count(patched.executed, 'test')}"
            return refused(f"the runner tells of {count(base.executed, 'test')} on the base, {told} on the patched")
    return Proof(True, Strength.BY_EXIT_CODE, "the tests pass on base and patched tree, by exit code", detail)


def _by_test(base: Report, patched: Report, base_status: int | None, patched_status: int | None, added: str) -> Proof:
    newly = patched.failed - base.failed
    lost = base.passed - patched.passed - newly
    mended = sorted(one for one in base.failed if patched.passed[one] > base.passed[one] and not patched.failed[one])
    red = f", {base.failed.total()} red on the base already" if base.failed else ""
    detail = _detail(base, patched, newly, lost) + red

    def refused(reason: str, failing: tuple[str, ...] = ()) -> Proof:
        return Proof(False, Strength.BY_TEST, reason, detail, newly_failing=failing)

    if nothing := _proves_nothing(patched):
        return refused(nothing)
    if newly:
        reason = f"{count(newly.total(), 'test')} newly failing on the patched tree: {names(sorted(newly))}"
        return refused(reason, () if lost else tuple(sorted(newly)))
    if lost:
        return refused(_losses(sorted(lost), patched))
    left = patched.executed - sum(n for one, n in (patched.passed + patched.failed).items() if belongs(one, added))
    if left < base.executed:
        return refused(f"only {left} of the base's {base.executed} tests were executed on the patched tree")
    if patched_status and patched_status != base_status:
        return refused(f"no test is newly failing, but the test command ended with exit status {patched_status}")
    reason = f"{count(patched.executed, 'test')} ran, none is newly failing{red}"
    return Proof(True, Strength.BY_TEST, reason, detail, newly_passing=tuple(mended))


def _proves_nothing(patched: Report) -> str:
    """Where every test is red on the base, none can be newly failing: that is no proof of anything."""
    if not patched.executed:
        return "no test was executed on the patched tree"
    reds = count(patched.failed.total(), "test")
    return "" if patched.passed else f"no test passes on the patched tree ({reds} red), so nothing is proved"


def belongs(test: str, path: str) -> bool:
    """Whether a test id is of the test file at ``path``, by pytest's own ids and by those of a JUnit report."""
    if not path:
        return False
    module = path.rpartition(".")[0].replace("/", ".")
    return test.partition("::")[0] == path or test.startswith((f"{module}::", f"{module}."))


def _detail(base: Report, patched: Report, newly: Counter[str], lost: Counter[str]) -> str:
    passed, failing = base.passed.total(), f"{newly.total() or 'none'} newly failing"
    if base.passed == patched.passed and not newly:
        return f"{passed} passed on base and patched, {failing}"
    gone = f", {lost.total()} no longer run" if lost else ""
    return f"{passed} passed on base, {patched.passed.total()} on patched, {failing}{gone}"


def _losses(lost: Sequence[str], patched: Report) -> str:
    """What became of tests that passed on the base, and neither passed nor newly failed as often since."""
    said = [f"test {plain(one)} passed on the base and {_fate(one, patched)} on the patched tree" for one in lost]
    more = [f"and {len(lost) - _NAMED} more"] if len(lost) > _NAMED else []
    return "; ".join(said[:_NAMED] + more)


def _fate(test: str, patched: Report) -> str:
    if test in patched.skipped:
        return "is skipped"
    return "ran less often" if test in patched.passed or test in patched.failed else "did not run"
