"""The seams: what the night expects of each stage. Read this first.

The night knows only these Protocols; ``bootstrap`` hands it the real parts and tests hand it fakes.
Plug-ins of others import this module and ``domain``, nothing else.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from selfimprover.domain import (
    Baseline,
    Calendar,
    CaseFile,
    Commit,
    Confidence,
    DaemonState,
    Draft,
    Due,
    Evidence,
    Examined,
    Feedback,
    Finding,
    Fingerprint,
    KnownPatterns,
    LedgerNight,
    ModelCall,
    NightClock,
    NightReport,
    Occurrences,
    Outcome,
    Past,
    Pattern,
    Proposal,
    PullRequest,
    Query,
    Spent,
    TaskCounts,
    TaskRecord,
    Transition,
    Triage,
    Usage,
    Verdict,
    Window,
)

# --- telemetry -----------------------------------------------------------------------------------------


class TelemetrySource(Protocol):
    """A project's task telemetry, read-only. Every text it gives, ids apart, has been redacted.

    Every method raises ``TelemetryError`` if the telemetry cannot be read at all.
    """

    project: str

    async def task_counts(self, windows: Sequence[Window]) -> Sequence[TaskCounts]:
        """Tasks by kind and status, one answer per window, in the order asked."""
        ...

    def failures(self, window: Window) -> AsyncIterator[Sequence[TaskRecord]]:
        """The failed tasks of the window in batches, oldest first."""
        ...

    async def failures_query(self, window: Window) -> Query:
        """The statement that ``failures`` runs for the window, for the record."""
        ...

    async def notes(self) -> Sequence[str]:
        """What had to be left out or cut so far, one sentence each; empty if nothing was."""
        ...


# --- analysis ------------------------------------------------------------------------------------------


class Fingerprinter(Protocol):
    """Turns an error text into the identity of its pattern: a pure function, the same on every machine."""

    version: int

    def fingerprint(self, error: str | None, traceback: str | None) -> Fingerprint:
        """The fingerprint of an error text (redacted) and its traceback, either of which may be missing."""
        ...

    def named(self, *parts: str) -> Fingerprint:
        """The fingerprint of something that is not an error text, such as a rate; the last part is its template."""
        ...


class Grouper(Protocol):
    """Tells which fingerprints mean the same cause. Pure; the order of its arguments does not matter."""

    def __call__(
        self, fingerprints: Iterable[Fingerprint], *, same: Mapping[str, str], apart: Collection[str]
    ) -> Mapping[str, Pattern]:
        """Value of a fingerprint → its pattern.

        ``same``: value → another that means the same; ``apart``: values that join nothing by themselves.
        """
        ...


class Patterns(Protocol):
    """The failures of tonight as patterns. A window that was read once is not read again."""

    async def in_window(self, telemetry: TelemetrySource, window: Window) -> Sequence[Occurrences]:
        """The patterns of the failures of one project, most frequent first; raises ``TelemetryError``."""
        ...

    def members(self, fingerprints: Collection[str]) -> frozenset[str]:
        """These values and all that tonight are found to mean the same."""
        ...


@dataclass(frozen=True, slots=True)
class AnalysisContext:
    """What an analyzer may know besides the telemetry."""

    project: str
    at: datetime
    """The instant the night stands for: nothing at or after it is looked at."""
    calendar: Calendar
    fingerprinter: Fingerprinter
    patterns: Patterns


class Analyzer(Protocol):
    """A plug-in that turns telemetry into findings. It keeps no state between nights.

    A finding that it no longer returns while its project was read is taken to have stopped by itself.
    """

    name: str
    kind: str
    """The ``kind`` of the findings it makes."""

    async def analyze(self, telemetry: TelemetrySource, context: AnalysisContext) -> Sequence[Finding]:
        """The findings of one project, most occurrences first."""
        ...


AnalyzerFactory = Callable[[Mapping[str, object]], Analyzer]
"""What the entry point group ``selfimprover.analyzers`` names: options of its configuration section → analyzer.

It raises ``ValueError`` with one clear line for options it does not know or cannot use.
"""


class TriagePolicy(Protocol):
    """Decides what to do about a finding."""

    def decide(self, case: CaseFile, returned: "Returned | None") -> Triage:
        """Pure. ``returned`` tells what happened after the merge, if there was one."""
        ...


@dataclass(frozen=True, slots=True)
class Returned:
    """Failures of a finding after its fix was merged, by what code ran them."""

    with_fix: int
    without_fix: int
    unknown: int
    """The telemetry does not say which version of the code ran, or the repository does not know it."""


# --- drafting and proof --------------------------------------------------------------------------------


class Drafter(Protocol):
    """Proposes a change for a finding."""

    @property
    def name(self) -> str:
        """What drafts say they are from: ``recipe:…`` or ``llm:…``."""
        ...

    async def draft(self, case: CaseFile, tree: Path, feedback: Feedback | None = None) -> Draft:
        """A draft against the plain files under ``tree``; raises ``RefusedError`` with the reason.

        ``NotCodeError`` says that there is nothing to draft, ``ModelError`` that tonight there will be no draft.

        ``feedback`` tells what came back on the pull request that an earlier draft led to.
        """
        ...


class Verifier(Protocol):
    """Shows what a draft does to the project, before anybody is asked to read it."""

    async def verify(self, draft: Draft, tree: Path, base_commit: str, recorded: Sequence[TaskRecord] = ()) -> Verdict:
        """Checks the draft on a copy of ``tree`` (the files of ``base_commit``, which stay untouched).

        ``recorded`` are tasks of the project that failed as the finding does, newest first.
        """
        ...

    def key(self) -> str:
        """Names the configuration that a verdict depends on."""
        ...


class ConfidenceRule(Protocol):
    """Computes confidence from evidence, never from a drafter's own opinion."""

    def __call__(self, draft: Draft, verdict: Verdict) -> Confidence:
        """Pure."""
        ...


# --- forges --------------------------------------------------------------------------------------------


class Forge(Protocol):
    """Where a project's repository and pull requests live. Raises ``ForgeError`` when it cannot be used."""

    async def base_commit(self) -> str:
        """The commit that the base branch points to now."""
        ...

    async def export(self, commit: str, into: Path) -> None:
        """Writes the plain files of ``commit`` beneath the empty folder ``into``."""
        ...

    async def pull_requests(self, seen_at: datetime, known: Collection[int] = ()) -> Sequence[PullRequest]:
        """Our own pull requests with their state now, oldest first; ``seen_at`` dates what the forge does not.

        All open ones are among them, those that ended lately, and those whose numbers are ``known``; one of these that
        is missing does not exist any more.
        """
        ...

    async def refreshed(self, pull: PullRequest) -> PullRequest:
        """An open pull request with its state and its checks now; cheap to ask again and again."""
        ...

    async def push(self, commit: Commit) -> str:
        """Makes the commit and its branch, and returns its id; doing it again changes nothing.

        Raises ``ConflictError`` if the branch exists with anything else on it than ``commit.replaces``, and
        ``RefusedError`` if a rule of the forge is against it.
        """
        ...

    async def is_ours(self, commit: str, author: str) -> bool:
        """Whether ``push`` made it: ``author`` is all that wrote it, directly upon something that the base has."""
        ...

    async def complaints(self, pull: PullRequest) -> str:
        """What the failing checks of a pull request say, redacted and cut; empty where the forge does not tell."""
        ...

    async def open(self, proposal: Proposal) -> PullRequest:
        """Opens the pull request, or returns the one that the branch already has.

        Raises ``ConflictError`` if the branch is not as it was pushed, and ``RefusedError`` if the forge will not.
        """
        ...

    async def ready(self, pull: PullRequest) -> None:
        """Marks a draft pull request as ready for review."""
        ...

    async def tell(self, pull: PullRequest, key: str, text: str) -> None:
        """Comments on the pull request, if it may; what was told under the same ``key`` before is not told again."""
        ...

    async def withdraw(self, pull: PullRequest, why: str) -> None:
        """Closes a pull request of ours, and says why. Doing it again changes nothing."""
        ...

    async def contains(self, version: str, commit: str) -> bool | None:
        """Whether code of ``version`` has ``commit`` in it; ``None`` if that version is not known here."""
        ...


# --- memory --------------------------------------------------------------------------------------------


class Memory(Protocol):
    """What is remembered between nights: cases, their journal, and the evidence, which only grows."""

    async def begin_night(self, date_key: str, at: datetime, due: Due | None = None, resume: str | None = None) -> str:
        """Enters the night in the ledger and returns its key: an unfinished night of the date is taken up again.

        It stands in for the night that is ``due``, if no other run does. Raises ``ConflictError`` if one does and
        ``due.required``, and if the night to ``resume`` is not unfinished any more.
        """
        ...

    async def interrupt_night(self, key: str) -> None:
        """A stop was asked for: the night stays unfinished, and this try does not count."""
        ...

    async def end_night(self, report: NightReport) -> None:
        """Closes the night in the ledger and keeps its report."""
        ...

    async def resolve(self, fingerprints: Collection[str]) -> str | None:
        """The id of the oldest finding that one of these values means."""
        ...

    async def patterns(self, version: int) -> KnownPatterns:
        """What is known about fingerprints of this version of the algorithm."""
        ...

    async def keep_patterns(self, fingerprints: Collection[Fingerprint], night: str) -> None:
        """Keeps fingerprints that were not known before as evidence for what is one."""
        ...

    async def join(self, finding_id: str, into: str, why: str, step: Transition | Evidence) -> None:
        """Lets all that means one finding mean another; ``step`` ends the one, or notes it if it has ended already."""
        ...

    async def split(self, fingerprint: str, at: datetime, evidence: Evidence) -> None:
        """Takes a fingerprint out of the finding that it means; it joins none by itself any more."""
        ...

    async def without_alias(self, version: int) -> Sequence[CaseFile]:
        """The cases that have no fingerprint of this version of the algorithm yet."""
        ...

    async def add_alias(self, finding_id: str, fingerprint: Fingerprint, why: str) -> None:
        """Lets a further fingerprint mean the finding; one that already means something is left alone."""
        ...

    async def case(self, finding_id: str) -> CaseFile | None:
        """Everything about one finding."""
        ...

    async def cases(self) -> Sequence[CaseFile]:
        """Everything about all findings, most occurrences first."""
        ...

    async def past(self, finding_id: str) -> Past:
        """What was tried for a finding before its newest draft and pull request; the last few of each."""
        ...

    async def remember(self, finding: Finding, project: str, evidence: Evidence, night: str, at: datetime) -> CaseFile:
        """New findings begin as *found* at home in ``project``, with ``evidence``; known ones get tonight's numbers."""
        ...

    async def note_triage(self, finding_id: str, triage: Triage) -> None:
        """Keeps tonight's decision."""
        ...

    async def store_draft(self, step: Transition, draft: Draft, attempt_key: str) -> CaseFile:
        """``move`` with a draft; counts as an attempt under ``attempt_key``."""
        ...

    async def park(self, step: Transition, attempt_key: str) -> CaseFile:
        """``move`` after an attempt that gave no draft; counts as an attempt under ``attempt_key``."""
        ...

    async def store_verdict(self, step: Transition, verdict: Verdict, confidence: Confidence) -> CaseFile:
        """``move`` with what verification showed."""
        ...

    async def store_push(self, step: Transition, head_commit: str, baseline: Baseline) -> CaseFile:
        """``move`` with the pushed commit and the baseline that the outcome will be measured against."""
        ...

    async def pushed_in(self, night: str) -> frozenset[str]:
        """The findings whose branch was pushed in the night with this key."""
        ...

    async def store_pull_request(self, step: Transition, pull_request: PullRequest) -> CaseFile:
        """``move`` with the pull request that was opened, merged, closed or reopened."""
        ...

    async def refresh_pull_request(self, pull_request: PullRequest) -> None:
        """Stores what the forge says of a pull request without moving its finding."""
        ...

    async def adopt(self, step: Transition, pull_request: PullRequest, head_commit: str | None) -> CaseFile:
        """``move`` with a pull request that the memory did not know, and with its generation.

        ``head_commit`` is that of its branch if it is one of ours.
        """
        ...

    async def store_head(self, step: Transition, head_commit: str | None) -> CaseFile:
        """``move`` with the commit of ours that an open pull request has now; ``None`` hands it to a person."""
        ...

    async def store_revision(
        self, step: Transition, draft: Draft, verdict: Verdict, confidence: Confidence, attempt_key: str, answer: str
    ) -> CaseFile:
        """``move`` with a proven draft that is to take the place of the commit that the branch has now.

        ``answer`` names what it answers, which needs no other answer then.
        """
        ...

    async def note_answer(self, step: Transition, answer: str) -> CaseFile:
        """``move`` that remembers what was done about something that happened to an open pull request."""
        ...

    async def store_outcome(self, outcome: Outcome, night: str, evidence: Evidence | None) -> None:
        """Keeps what became of a merged fix, with an entry of evidence if the state of knowledge changed."""
        ...

    async def begin_generation(self, step: Transition) -> CaseFile:
        """``move`` of a rejected finding back to its beginning, with a branch and attempts of its own."""
        ...

    async def move(self, step: Transition) -> CaseFile:
        """Compare-and-set: raises ``ConflictError`` if the finding is no longer in ``step.before``."""
        ...


class ModelCalls(Protocol):
    """What the language model was asked, kept so that nothing is paid twice and everything can be read later."""

    async def stored_reply(self, request_hash: str) -> ModelCall | None:
        """The newest call of this hash that was answered, in whatever night."""
        ...

    async def note_call(self, call: ModelCall) -> int:
        """Enters a call that is about to be made, with the most that it may cost, and returns its number."""
        ...

    async def store_reply(self, number: int, call: ModelCall) -> None:
        """Keeps what became of the call with this number: request as sent, raw answer, usage, cost and outcome."""
        ...

    async def calls_of(self, finding_id: str) -> Sequence[ModelCall]:
        """Every call about a finding, oldest first."""
        ...

    async def spent_in(self, night: str) -> Spent:
        """What the calls of a night came to; one whose outcome is not known counts with the most it may cost."""
        ...


# --- outcome and text ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """A merged fix with what was counted before and after."""

    case: CaseFile
    before: Baseline
    after: Baseline
    returned: Returned


class OutcomeTracker(Protocol):
    """Looks at what became of merged fixes."""

    async def measure(
        self, cases: Sequence[CaseFile], telemetry: TelemetrySource, forge: "Forge", context: AnalysisContext
    ) -> Sequence[Measured]:
        """Counts failures and opportunities since each merge; ``cases`` are merged ones of one project."""
        ...

    def judge(self, measured: Sequence[Measured]) -> Sequence[Outcome]:
        """One outcome for each fix, in order; all together, because many comparisons find differences by chance."""
        ...


class Meter(Protocol):
    """What the language model is asked in a night, and what that comes to."""

    def begin(self, night: str) -> None:
        """From now on everything is of the night with this key."""
        ...

    async def usage(self) -> Usage:
        """What the night came to so far."""
        ...


class LeakDetector(Protocol):
    """Finds what must not leave this machine, whatever redaction did before."""

    def __call__(self, text: str) -> str | None:
        """What kind of secret is in the text, and where; never the secret."""
        ...


class PullRequestWriter(Protocol):
    """Writes the text of a pull request."""

    def __call__(self, case: CaseFile) -> tuple[str, str]:
        """Title and body (Markdown)."""
        ...


class Progress(Protocol):
    """Told what the night is doing, for a person who watches."""

    def __call__(self, step: str, detail: str = "") -> None:
        """``step`` is one of a few constant names; ``detail`` is for the eye."""
        ...


class Notifier(Protocol):
    """Tells whoever asked to be told. A message that cannot be delivered is logged; it never fails a night."""

    async def night_ended(self, news: str | None) -> None:
        """A night came to its end; ``news`` is what there is to say of it, ``None`` if nothing is."""
        ...


# --- the daemon ----------------------------------------------------------------------------------------


class Duties(Protocol):
    """What the daemon does all this for, under one configuration."""

    @property
    def clock(self) -> NightClock:
        """When nights are due."""
        ...

    @property
    def config(self) -> str:
        """The file that the configuration came from."""
        ...

    def is_the_instance(self) -> bool:
        """Whether this process still holds the state folder, as others see it."""
        ...

    async def prepare(self) -> None:
        """Makes the memory usable. Raises ``SelfImproverError`` if it cannot be."""
        ...

    async def examine(self) -> Sequence[Examined]:
        """Looks at every part of the configuration."""
        ...

    def reloaded(self) -> "Duties":
        """The same under the configuration as it is now. Raises ``SelfImproverError`` if it is wrong."""
        ...

    def is_settled(self, due: Due) -> bool:
        """Whether a night of the ledger stands in for the due one."""
        ...

    def unfinished(self) -> Sequence[LedgerNight]:
        """The nights that were begun and did not end, newest first."""
        ...

    async def abandon(self, key: str) -> None:
        """Gives an unfinished night up."""
        ...

    async def hold(
        self, at: datetime, due: Due | None, stop_requested: Callable[[], bool], resume: str | None = None
    ) -> NightReport:
        """A whole night as of ``at``, which stands in for ``due``, or the unfinished one to ``resume``."""
        ...

    async def follow(self) -> None:
        """After a night: looks at its pull requests until their checks have ended, or it is cancelled."""
        ...

    def last_night(self) -> str | None:
        """What the last night that ended came to, in a few words."""
        ...

    def publish_state(self, state: DaemonState) -> None:
        """Lets ``status`` know. Raises ``OSError`` if that cannot be written."""
        ...
