"""What a draft's own test shows: it must fail on the base as the finding does, and pass with the change."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from selfimprover.domain import Fingerprint, Reproduction, Strength, TaskRecord
from selfimprover.interfaces import Fingerprinter
from selfimprover.patterns.fingerprints import place_tells
from selfimprover.patterns.merging import covers
from selfimprover.verification.comparison import belongs, without_report
from selfimprover.verification.junit import Report
from selfimprover.verification.results import Proof, Run, plain

_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:.+\n?)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Compares the text of a failure with a finding's fingerprint."""

    fingerprinter: Fingerprinter | None
    redact: Callable[[str], str]

    def differs(self, text: str, wanted: Fingerprint | None) -> str | None:
        """What failed instead of the wanted; empty: the same; ``None``: the text does not tell.

        A text without a traceback does not tell the place; then type and message decide.
        """
        if self.fingerprinter is None or wanted is None or wanted.version != self.fingerprinter.version:
            return None
        found = self.fingerprinter.fingerprint(None, self.redact(text)) if _traced(text) else self._named(text)
        return None if found is None else _difference(found, wanted)

    def differs_by_message(self, line: str, wanted: Fingerprint | None) -> str | None:
        """The same for a line that may name an exception and its message."""
        if self.fingerprinter is None or wanted is None or wanted.version != self.fingerprinter.version:
            return None
        return _difference(self.fingerprinter.fingerprint(self.redact(line), None), wanted)

    def recorded(self, task: TaskRecord) -> Fingerprint | None:
        """The fingerprint of a task's own error."""
        return None if self.fingerprinter is None else self.fingerprinter.fingerprint(task.error, task.traceback)

    def _named(self, text: str) -> Fingerprint | None:
        """By the line of pytest that names the exception."""
        assert self.fingerprinter is not None
        lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E   ")]
        return self.fingerprinter.fingerprint(self.redact(lines[0]), None) if lines else None


def _difference(found: Fingerprint, wanted: Fingerprint) -> str | None:
    if found.error_type is None:
        return None
    if found.value == wanted.value:
        return ""
    alike = found.error_type == wanted.error_type and (
        covers(wanted.template, found.template) or _told_by_its_place(found, wanted)
    )
    if alike and _may_be_same_place(found.locus, wanted.locus):
        return ""
    where = f" in {found.place}" if alike and found.place else ""
    return plain(f"{found.error_type}: {found.template}{where}")


def _told_by_its_place(found: Fingerprint, wanted: Fingerprint) -> bool:
    """Whether both have a place, and their messages are about the values at hand."""
    return found.locus is not None and wanted.locus is not None and place_tells(wanted.error_type, wanted.template)


def _may_be_same_place(found: str | None, wanted: str | None) -> bool:
    """By file and function: the folder above the project has another name here than in production."""
    if found is None or wanted is None:
        return True
    return found.rpartition("/")[2] == wanted.rpartition("/")[2]


def _traced(text: str) -> bool:
    return "Traceback (most recent call last)" in text


def base_fault(test: Reproduction, base: Run, likeness: Likeness) -> Proof | None:
    """Why the run with the test on the base shows no reproduction; ``None`` if it does."""
    if base.status is None:
        return _refused(base, "the reproduction did not end on the base in time")
    texts = tracebacks(base.printed)
    if base.report:
        own = _own(base.report, test)
        if not own.executed:
            return _refused(base, f"the reproduction was not executed: no result of {plain(test.path)}")
        if not own.failed:
            return _refused(base, "the reproduction passes on the base, so it does not show the error")
        texts = [base.report.texts.get(one, "") for one in own.failed]
    elif not base.status:
        return _refused(base, "the reproduction passes on the base, so it does not show the error")
    differences = [likeness.differs(text, test.fingerprint) for text in texts]
    if differences and all(differences):  # no failure is the same, and each of them tells
        return _refused(
            base, f"the reproduction fails on the base with another error than the finding: {differences[0]}"
        )
    return None


def patched_fault(test: Reproduction, base: Run, patched: Run) -> Proof | None:
    """Why the run with the test on the patched tree does not show that the change mends it; ``None`` if it does."""
    if patched.status is None:
        return _refused(base, "the reproduction did not end on the patched tree in time")
    if base.report is None:
        fails = patched.status or without_report(patched).executed == 0
        return _refused(base, "the reproduction fails on the patched tree as well") if fails else None
    if patched.report is None or (base.witnessed and not patched.witnessed):
        return _refused(base, "the reproduction left no whole report on the patched tree")
    before, after = _own(base.report, test), _own(patched.report, test)
    if after.failed:
        return _refused(base, "the reproduction fails on the patched tree as well")
    if before.passed + before.failed - after.passed:
        return _refused(base, "the reproduction was not executed on the patched tree")
    return None


def compared(test: Reproduction, base: Run, likeness: Likeness) -> bool:
    """Whether the failure on the base was shown to be the finding's."""
    own = base.report and _own(base.report, test)
    texts = [own.texts.get(one, "") for one in own.failed] if own else tracebacks(base.printed)
    return any(likeness.differs(text, test.fingerprint) == "" for text in texts)


def tracebacks(printed: str) -> list[str]:
    """Every traceback in an output; a blank line ends one."""
    return _TRACEBACK.findall(printed)


def _own(report: Report, test: Reproduction) -> Report:
    """The part of a report that speaks of the test."""
    parts = (report.passed, report.failed, report.skipped)
    own = (Counter({one: n for one, n in part.items() if belongs(one, test.path)}) for part in parts)
    passed, failed, skipped = own
    return Report(passed, failed, skipped, report.texts)


def _refused(base: Run, reason: str) -> Proof:
    return Proof(False, base.strength if base.status is not None else Strength.NONE, reason, reason)
