"""Proposed changes, what their proof showed, and how sure we are."""

from dataclasses import dataclass
from enum import StrEnum

from selfimprover.domain.patterns import Fingerprint


@dataclass(frozen=True, slots=True)
class Edit:
    """One file of a draft: its whole text before and after (``None``: the file does not exist)."""

    path: str
    """POSIX path from the root of the repository."""
    before: str | None
    after: str | None


class Risk(StrEnum):
    """The class of a change: what auto-merge may be allowed by."""

    RETRY = "retry"
    DEFENSIVE_CHECK = "defensive-check"
    TYPO = "typo"
    MISSING_IMPORT = "missing-import"
    LOGIC = "logic"
    INTERFACE = "interface"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A test that fails as the finding does as long as the fix is missing: a new file of the draft."""

    path: str
    """POSIX path from the root of the repository; no file of the base has it."""
    text: str
    select: str = ""
    """What to append to the test command so that it runs this test alone; empty: the whole command is run."""
    fingerprint: Fingerprint | None = None
    """The finding's, which the failure on the base must have; ``None``: any failure will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A proposed change."""

    drafter: str
    """``recipe:<name>``."""
    title: str
    """One imperative line: the subject of the commit and of the pull request."""
    summary: str
    """What the change is, as a noun phrase: "delegated property"."""
    root_cause: str
    change: str
    may_hide: tuple[str, ...]
    """What the change could cover up, one sentence each."""
    risk: Risk
    edits: tuple[Edit, ...]
    proof: tuple[str, ...] = ()
    """The preconditions that were shown from code and telemetry, one sentence each."""
    reproduction: Reproduction | None = None
    rounds: int = 1
    """Answers that it took: what could not be used or proven went back to the drafter, which answered again."""

    @property
    def changes(self) -> tuple[Edit, ...]:
        """Everything that a commit of the draft holds: its edits, and the reproduction test as a new file."""
        added = () if self.reproduction is None else (Edit(self.reproduction.path, None, self.reproduction.text),)
        return (*self.edits, *added)


class Trigger(StrEnum):
    """Why a finding is drafted again."""

    CONFLICT = "conflict"
    """The base has moved, and the branch does not fit it any more."""
    CHECKS = "checks"
    """A check of the pull request fails."""
    REVIEW = "review"
    """Somebody asks for changes."""
    PROOF = "proof"
    """The draft was not proven; there is no pull request yet."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What came back on a draft, for the drafter that is to draft again."""

    trigger: Trigger
    text: str
    """What was seen (redacted); empty for a conflict."""
    draft: Draft | None
    """What was proposed; ``None`` if that was forgotten."""


class CheckStatus(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a verdict and what it showed."""

    name: str
    status: CheckStatus
    detail: str
    seconds: float = 0.0


class Strength(StrEnum):
    """How much the test run can prove."""

    BY_TEST = "test by test"
    BY_EXIT_CODE = "by exit code"
    NONE = "no tests ran"


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many of the lines that a draft changes the tests were seen to run; they may have run more."""

    run: int
    total: int
    """Changed lines that can run at all: no comments, no blank lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verification showed for a draft on one base commit."""

    base_commit: str
    passed: bool
    strength: Strength
    sandbox: str
    """What isolated the run: ``none`` means that the tests ran bare."""
    checks: tuple[Check, ...]
    reason: str
    """Why it passed or did not, in one sentence."""
    output: str = ""
    """The end of what the run that failed printed (redacted), for whoever drafts again."""
    reproduced: bool = False
    """The draft's own test failed on the base as the finding does, and passes with the change."""
    replayed: bool = False
    """Recorded tasks of the finding failed again on the base, and end well with the change."""
    newly_passing: tuple[str, ...] = ()
    """Ids of tests that fail on the base and pass with the change."""
    flaky: tuple[str, ...] = ()
    """Ids of tests that failed once and passed when they ran again on the same files; they judge nothing."""
    changed_lines: LineCount | None = None
    """``None``: it could not be told."""

    @property
    def unproven(self) -> bool:
        """Whether nothing speaks against the draft, and nothing could be run that speaks for it."""
        failed = any(check.status is CheckStatus.FAILED for check in self.checks)
        return not self.passed and self.strength is Strength.NONE and not failed


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure we are that a fix is right: ``value`` between 0 and 1, and the parts that it is the sum of."""

    value: float
    parts: tuple[tuple[str, float], ...]
