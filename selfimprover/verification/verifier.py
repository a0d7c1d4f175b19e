"""Proves a draft: it keeps the rules, mends what its own test and recorded tasks show, and breaks no test."""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfimprover import edits as edit_rules
from selfimprover.domain import Check, CheckStatus, Draft, Edit, LineCount, Strength, TaskRecord, Verdict
from selfimprover.errors import RefusedError
from selfimprover.interfaces import Fingerprinter
from selfimprover.verification import judges, lines, reproduction
from selfimprover.verification.base_results import BaseResults
from selfimprover.verification.checks import parses
from selfimprover.verification.comparison import base_problem, compare, settle
from selfimprover.verification.dependencies import Dependencies, Prepared
from selfimprover.verification.reach import reach
from selfimprover.verification.replay import replay
from selfimprover.verification.reproduction import Likeness
from selfimprover.verification.results import Proof, Run, names, plain
from selfimprover.verification.runner import Runner, chosen, refused_plugin
from selfimprover.verification.sandbox import Limits, Sandbox

_VERSION = 3
"""Counted up when the same draft could get another verdict than before."""
_RERUNS = 2
_MOST_NAMED = 50
_MOST_TOLD = 4_000
NO_SANDBOX = (
    'there is no sandbox, so nothing was run (`selfimprover check` says how to get one, or what sandbox = "none" means)'
)
_NO_TEST = 'no test command is configured, so nothing can be proved (set projects.verify.test = "…")'
_ORDER = ("edits", "parses", "reach", "setup", "reproduction", "replay", "tests", "lines")
_ALWAYS = ("edits", "parses", "reach", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is being verified."""

    draft: Draft
    tree: Path
    commit: str
    prepared: Prepared
    recorded: Sequence[TaskRecord] = ()
    """Failed tasks of the finding, to be run again."""

    @property
    def added(self) -> str:
        """The path of the draft's own test."""
        return self.draft.reproduction.path if self.draft.reproduction else ""


class TreeVerifier:
    """Runs the checks cheap first and stops at the first that fails.

    ``test`` is a shell command, and so is ``replay``, which runs one recorded task; ``sandbox`` runs them, ``None``
    means that nothing is run, for the reason ``no_sandbox``. ``expose`` are folders whose ``bin`` goes first on their
    PATH, ``readable`` all that the sandbox must show for that (default: the same). ``allow`` and ``deny`` are the globs
    of ``edits.check``. ``dependencies`` prepares what the tests need; ``results`` keeps what they do on a base. At most
    ``slots`` runs happen at once.
    """

    def __init__(
        self,
        test: str | None,
        *,
        sandbox: Sandbox | None,
        limits: Limits,
        replay: str | None = None,
        no_sandbox: str = NO_SANDBOX,
        expose: Sequence[Path] = (),
        readable: Sequence[Path] | None = None,
        allow: Sequence[str] = ("**",),
        deny: Sequence[str] = (),
        dependencies: Dependencies | None = None,
        results: BaseResults | None = None,
        slots: asyncio.Semaphore | None = None,
        fingerprinter: Fingerprinter | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._test = test.strip() if test else ""
        self._replay = replay.strip() if replay else ""
        self._sandbox = sandbox
        self._no_sandbox = no_sandbox
        self._limits = limits
        self._expose = tuple(expose)
        self._allow = tuple(allow)
        self._deny = tuple(deny)
        self._dependencies = dependencies
        self._results = results or BaseResults()
        self._likeness = Likeness(fingerprinter, redact)
        self._redact = redact
        self._runner: Runner | None = None
        if sandbox is not None:
            self._runner = Runner(
                sandbox=sandbox,
                limits=limits,
                expose=self._expose,
                readable=self._expose if readable is None else tuple(readable),
                slots=slots or asyncio.Semaphore(os.cpu_count() or 1),
            )

    def key(self) -> str:
        """A digest of everything that the verdict on a draft depends on, besides draft and base commit."""
        return _digest(
            {
                "version": _VERSION,
                "test": self._test,
                "replay": self._replay,
                "limits": repr(self._limits),
                "sandbox": self._sandbox.key() if self._sandbox else "none available",
                "expose": [str(folder) for folder in self._expose],
                "allow": self._allow,
                "deny": [*edit_rules.DENIED, *self._deny],
                "setup": list(self._dependencies.setup) if self._dependencies else [],
                "setup_network": bool(self._dependencies and self._dependencies.network),
            }
        )

    async def verify(self, draft: Draft, tree: Path, base_commit: str, recorded: Sequence[TaskRecord] = ()) -> Verdict:
        """The verdict on ``draft`` against ``tree``, the files of ``base_commit``, which stay untouched.

        ``recorded`` are failed tasks that it should mend. They are run again if there is a command for that.
        Raises ``SelfImproverError`` if the tests could not be run at all, for example for want of room.
        """
        report = _Report(base_commit, self._sandbox.name if self._sandbox else "none available", self._redact)
        for cheap in (self._edits_check, _parses_check, _reach_check):
            started = time.monotonic()
            check = await asyncio.to_thread(cheap, draft, tree)
            report.add(check, started)
            if check.status is CheckStatus.FAILED:
                return report.verdict(Proof(False, Strength.NONE, check.detail, "not run"))
        if not self._test:
            return report.verdict(Proof(False, Strength.NONE, _NO_TEST, "no test command"))
        if self._runner is None:
            return report.verdict(Proof(False, Strength.NONE, self._no_sandbox, "not run"))
        prepared = await self._prepare(tree, report)
        if prepared.problem:
            return report.verdict(Proof(False, Strength.NONE, prepared.problem, "not run"))
        subject = Subject(draft=draft, tree=tree, commit=base_commit, prepared=prepared, recorded=recorded)
        return await self._run_checks(self._runner, subject, report)

    # --- the cheap checks

    def _edits_check(self, draft: Draft, tree: Path) -> Check:
        try:
            edit_rules.check(draft.edits, self._allow, self._deny)
            judges.check(draft.edits)
            judges.check_reproduction(draft)
            edit_rules.check(draft.changes, ("**",), self._deny)
            edit_rules.check_applicable(draft.changes, tree)
        except RefusedError as error:
            return Check(name="edits", status=CheckStatus.FAILED, detail=str(error))
        files, changed = len(draft.edits), edit_rules.changed_lines(draft.edits)
        return Check(
            name="edits", status=CheckStatus.PASSED, detail=f"changed files: {files}, changed lines: {changed}"
        )

    # --- the runs

    async def _prepare(self, tree: Path, report: "_Report") -> Prepared:
        if self._dependencies is None or not self._dependencies.setup:
            return Prepared(None, "")
        started = time.monotonic()
        prepared = await self._dependencies.prepare(tree)
        status = CheckStatus.FAILED if prepared.problem else CheckStatus.PASSED
        detail = prepared.problem or f"environment {prepared.key} is ready"
        report.add(Check(name="setup", status=status, detail=detail), started)
        return prepared

    async def _run_checks(self, runner: Runner, subject: Subject, report: "_Report") -> Verdict:
        base = await self._base(runner, subject)
        problem = base_problem(self._test, base, self._limits.timeout)
        patched: Run | None = None
        if problem is None and subject.draft.reproduction:
            started = time.monotonic()
            fault, patched, said = await self._reproduce(runner, subject, report)
            status = CheckStatus.FAILED if fault else CheckStatus.PASSED
            report.add(Check(name="reproduction", status=status, detail=fault.reason if fault else said), started)
            if fault:
                return report.verdict(fault)
            report.reproduced = True
        if problem is None and self._replay and (fault := await self._run_recorded(runner, subject, base, report)):
            return report.verdict(fault)
        started = time.monotonic()
        proof = problem or await self._compare(runner, subject, base, patched, report)
        status = CheckStatus.PASSED if proof.passed else CheckStatus.FAILED
        report.add(Check(name="tests", status=status, detail=proof.detail), started)
        if proof.passed:
            await self._look_at_lines(runner, subject, report)
        return report.verdict(proof)

    async def _base(self, runner: Runner, subject: Subject, turn: int = 1) -> Run:
        """What the tests do on the base; ``turn`` 2 is a second run, to tell a flaky test from a red one."""
        depends = {**self._depends(subject), "turn": turn}
        return await self._results.get(depends, lambda: self._run(runner, subject, (), self._test))

    def _depends(self, subject: Subject) -> dict[str, object]:
        """What any run on the base depends on."""
        return {"commit": subject.commit, "verification": self.key(), "environment": subject.prepared.key}

    async def _run(
        self, runner: Runner, subject: Subject, edits: Sequence[Edit], command: str, *, witnessed: bool = True
    ) -> Run:
        """A run with our witness, or without if the runner does not take it; on patched trees the base has decided."""
        run = await runner.run(subject.tree, edits, command, subject.prepared.folder, witnessed=witnessed)
        if not edits and refused_plugin(run):
            run = await runner.run(subject.tree, edits, command, subject.prepared.folder, witnessed=False)
        return run

    async def _reproduce(
        self, runner: Runner, subject: Subject, report: "_Report"
    ) -> tuple[Proof | None, Run | None, str]:
        """A fault of the reproduction; the run on the patched tree if it was the whole command; what it shows."""
        test = subject.draft.reproduction
        assert test is not None
        plainly = await self._base(runner, subject)
        command = chosen(self._test, test.select)
        own = (Edit(test.path, None, test.text),)
        base = await self._run(runner, subject, own, command, witnessed=plainly.witnessed)
        report.printed = base.printed
        if fault := reproduction.base_fault(test, base, self._likeness):
            return fault, None, ""
        patched = await self._run(runner, subject, subject.draft.changes, command, witnessed=plainly.witnessed)
        report.printed = patched.printed
        fault = reproduction.patched_fault(test, base, patched)
        same = reproduction.compared(test, base, self._likeness)
        how = "with the fingerprint of the finding" if same else "with an error that could not be compared"
        said = f"{plain(test.path)} fails on the base {how} and passes on the patched tree"
        return fault, None if test.select else patched, said

    async def _run_recorded(self, runner: Runner, subject: Subject, base: Run, report: "_Report") -> Proof | None:
        """What speaks against the draft when recorded tasks are run again."""
        started = time.monotonic()

        async def on(edits: Sequence[Edit], content: bytes) -> Run:
            return await runner.replay(subject.tree, edits, self._replay, content, subject.prepared.folder)

        async def on_base(content: bytes) -> Run:
            given = hashlib.sha256(content).hexdigest()
            depends = {**self._depends(subject), "replay": given}
            return await self._results.get(depends, lambda: on((), content), written=False)

        shown = await replay(
            subject.recorded, self._likeness, on_base, lambda content: on(subject.draft.changes, content)
        )
        report.add(Check(name="replay", status=shown.status, detail=shown.detail), started)
        report.replayed = shown.status is CheckStatus.PASSED
        if shown.status is not CheckStatus.FAILED:
            return None
        report.printed = shown.printed
        return Proof(False, base.strength, shown.detail, shown.detail)

    async def _compare(
        self, runner: Runner, subject: Subject, base: Run, patched: Run | None, report: "_Report"
    ) -> Proof:
        """Runs the tests on the patched tree, and again where that can tell a flaky test from a broken one."""

        async def once() -> Run:
            return await self._run(runner, subject, subject.draft.changes, self._test, witnessed=base.witnessed)

        def judge(run: Run) -> Proof:
            return compare(base, run, self._limits.timeout, subject.added)

        patched = patched or await once()
        report.printed = patched.printed
        proof = judge(patched)
        flaky: tuple[str, ...] = ()
        again: list[Run] = []
        while proof.newly_failing and len(again) < _RERUNS:
            again.append(await once())
            settled, flaky = settle(patched, again)
            if not set(proof.newly_failing) <= set(flaky):
                return proof
        if again:
            proof = judge(settled)
        if proof.newly_passing:
            second = await self._base(runner, subject, turn=2)
            red = second.report.failed if second.report else {}
            flaky = (*flaky, *(one for one in proof.newly_passing if one not in red))
        mended = tuple(one for one in proof.newly_passing if one not in flaky)
        return _worded(proof, mended, flaky)

    async def _look_at_lines(self, runner: Runner, subject: Subject, report: "_Report") -> None:
        started = time.monotonic()
        edits = subject.draft.edits
        wanted = await asyncio.to_thread(lines.changed, edits)
        seen: frozenset[tuple[str, int]] = frozenset()
        if wanted:
            changes = subject.draft.changes
            seen = await runner.lines_run(subject.tree, changes, self._test, subject.prepared.folder)
        check, report.changed_lines = lines.judged(wanted, seen)
        report.add(check, started)


class _Report:
    """The verdict as it grows."""

    def __init__(self, commit: str, sandbox: str, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._commit = commit
        self._sandbox = sandbox
        self._checks: dict[str, Check] = {}
        self.reproduced = False
        self.replayed = False
        self.printed = ""
        """By the last run on the patched tree."""
        self.changed_lines: LineCount | None = None

    def add(self, check: Check, started: float) -> None:
        seconds = time.monotonic() - started
        self._checks[check.name] = Check(name=check.name, status=check.status, detail=check.detail, seconds=seconds)

    def verdict(self, proof: Proof) -> Verdict:
        left = {one: Check(name=one, status=CheckStatus.SKIPPED, detail="not run") for one in _ALWAYS}
        checks = {**left, **self._checks}
        return Verdict(
            base_commit=self._commit,
            passed=proof.passed,
            strength=proof.strength,
            sandbox=self._sandbox,
            checks=tuple(checks[name] for name in _ORDER if name in checks),
            reason=proof.reason,
            output="" if proof.passed else self._redact(self.printed)[-_MOST_TOLD:],
            reproduced=self.reproduced and proof.passed,
            replayed=self.replayed and proof.passed,
            newly_passing=tuple(plain(one) for one in proof.newly_passing[:_MOST_NAMED]),
            flaky=tuple(plain(one) for one in proof.flaky[:_MOST_NAMED]),
            changed_lines=self.changed_lines,
        )


def _parses_check(draft: Draft, tree: Path) -> Check:  # noqa: ARG001 - of one shape with the other cheap checks
    return parses(draft)


def _reach_check(draft: Draft, tree: Path) -> Check:
    return reach(draft, tree)


def _worded(proof: Proof, mended: tuple[str, ...], flaky: tuple[str, ...]) -> Proof:
    """The proof with what passes newly and what is flaky, in its detail as well."""
    more = (f"; newly passing: {names(mended)}" if mended else "") + (f"; flaky: {names(flaky)}" if flaky else "")
    return Proof(
        passed=proof.passed,
        strength=proof.strength,
        reason=proof.reason,
        detail=proof.detail + more,
        newly_failing=proof.newly_failing,
        newly_passing=mended,
        flaky=flaky,
    )


def _digest(settings: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
