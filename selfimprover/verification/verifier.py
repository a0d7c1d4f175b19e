"""Proves a draft: its edits keep the rules, its files parse, and no test fails that passed before."""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfimprover import edits as edit_rules
from selfimprover.domain import Check, CheckStatus, Draft, Edit, Strength, Verdict
from selfimprover.errors import RefusedError, UsageError
from selfimprover.verification.checks import Proof, Run, base_problem, compare, parses
from selfimprover.verification.junit import read_report
from selfimprover.verification.sandbox import Limits, Sandbox, environment, run
from selfimprover.verification.workspace import workspace

_VERSION = 1
"""Counted up when the same draft could get another verdict than before."""
_PRINTED = 1 << 16
_NO_SANDBOX = 'no sandbox in this version: tests run only with sandbox = "none"; nothing was run'
_NO_TEST = 'no test command is configured, so nothing can be proved (set projects.verify.test = "…")'


class TreeVerifier:
    """Runs the checks cheap first and stops at the first that fails.

    ``test`` is a shell command, ``timeout`` seconds of one run of it, ``expose`` folders whose ``bin`` goes first on
    its PATH, ``allow`` and ``deny`` the globs of ``edits.check``, ``memory`` bytes a process. What the tests do on a
    base commit is found out once and kept.
    """

    def __init__(
        self,
        test: str | None,
        *,
        timeout: float,
        sandbox: str = "auto",
        expose: Sequence[Path] = (),
        allow: Sequence[str] = ("**",),
        deny: Sequence[str] = (),
        memory: int | None = None,
    ) -> None:
        if sandbox not in set(Sandbox):
            raise UsageError(f"unknown sandbox {sandbox!r}", where="projects.verify.sandbox", mend=" | ".join(Sandbox))
        self._test = test.strip() if test else ""
        self._limits = Limits(timeout=timeout, memory=memory)
        self._sandbox = Sandbox(sandbox)
        self._expose = tuple(expose)
        self._allow = tuple(allow)
        self._deny = tuple(deny)
        self._base_runs: dict[str, Run] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def key(self) -> str:
        """A digest of everything that the verdict on a draft depends on, besides draft and base commit."""
        settings: Mapping[str, object] = {
            "version": _VERSION,
            "test": self._test,
            "timeout": self._limits.timeout,
            "memory": self._limits.memory,
            "sandbox": self._sandbox,
            "expose": [str(folder) for folder in self._expose],
            "allow": self._allow,
            "deny": [*edit_rules.DENIED, *self._deny],
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]

    async def verify(self, draft: Draft, tree: Path, base_commit: str) -> Verdict:
        """The verdict on ``draft`` against ``tree``, the files of ``base_commit``, which stay untouched.

        Raises ``SelfImproverError`` if the tests could not be run at all, for example for want of room.
        """
        checks = []
        for cheap in (self._edits_check, self._parses_check):
            started = time.monotonic()
            check = await asyncio.to_thread(cheap, draft, tree)
            checks.append(_timed(check, started))
            if check.status is CheckStatus.FAILED:
                return self._verdict(base_commit, checks, Proof(False, Strength.NONE, check.detail, "not run"))
        if not self._test:
            return self._verdict(base_commit, checks, Proof(False, Strength.NONE, _NO_TEST, "no test command"))
        if self._sandbox is not Sandbox.NONE:
            return self._verdict(base_commit, checks, Proof(False, Strength.NONE, _NO_SANDBOX, "not run"))
        started = time.monotonic()
        proof = await self._prove(draft, tree, base_commit)
        status = CheckStatus.PASSED if proof.passed else CheckStatus.FAILED
        checks.append(_timed(Check(name="tests", status=status, detail=proof.detail), started))
        return self._verdict(base_commit, checks, proof)

    def _edits_check(self, draft: Draft, tree: Path) -> Check:
        try:
            edit_rules.check(draft.edits, self._allow, self._deny)
            edit_rules.check_applicable(draft.edits, tree)
        except RefusedError as error:
            return Check(name="edits", status=CheckStatus.FAILED, detail=str(error))
        files, lines = len(draft.edits), edit_rules.changed_lines(draft.edits)
        return Check(name="edits", status=CheckStatus.PASSED, detail=f"changed files: {files}, changed lines: {lines}")

    def _parses_check(self, draft: Draft, tree: Path) -> Check:  # noqa: ARG002 - of one shape with the check above
        return parses(draft)

    async def _prove(self, draft: Draft, tree: Path, base_commit: str) -> Proof:
        base = await self._base_run(tree, base_commit)
        if problem := base_problem(self._test, base, self._limits.timeout):
            return problem
        return compare(base, await self._run(tree, draft.edits), self._limits.timeout)

    async def _base_run(self, tree: Path, base_commit: str) -> Run:
        async with self._locks.setdefault(base_commit, asyncio.Lock()):
            if base_commit not in self._base_runs:
                self._base_runs[base_commit] = await self._run(tree, ())
            return self._base_runs[base_commit]

    async def _run(self, tree: Path, edits: Sequence[Edit]) -> Run:
        async with workspace(tree, edits) as place:
            env = environment(self._expose, place.scratch, place.report)
            ending = await run(self._test, place.tree, env, place.output, self._limits)
            report = await asyncio.to_thread(read_report, place.report)
            printed = await asyncio.to_thread(_last_part, place.output)
        return Run(ending.status, ending.seconds, report, printed)

    def _verdict(self, base_commit: str, checks: Sequence[Check], proof: Proof) -> Verdict:
        done = {check.name for check in checks}
        left = [Check(name=name, status=CheckStatus.SKIPPED, detail="not run") for name in ("parses", "tests")]
        return Verdict(
            base_commit=base_commit,
            passed=proof.passed,
            strength=proof.strength,
            sandbox="none" if self._sandbox is Sandbox.NONE else "none available",
            checks=(*checks, *(check for check in left if check.name not in done)),
            reason=proof.reason,
        )


def _timed(check: Check, started: float) -> Check:
    return Check(name=check.name, status=check.status, detail=check.detail, seconds=time.monotonic() - started)


def _last_part(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _PRINTED))
        return file.read(_PRINTED).decode("utf-8", "replace")
