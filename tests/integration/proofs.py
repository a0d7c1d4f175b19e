"""A small project, drafts for it, and a verifier, for tests that prove."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selfimprover.domain import Check, CheckStatus, Draft, Edit, Reproduction, Risk, Verdict
from selfimprover.verification.bare import Bare
from selfimprover.verification.sandbox import Ending, Job, Limits, Sandbox
from selfimprover.verification.verifier import TreeVerifier

BASE = "1" * 40
PYTEST = "python -m pytest -q -p no:cacheprovider"
UNITTEST = "python -m unittest -q"
MAIL = "def count(mails):\n    return len(mails)\n"
TESTS = """\
import unittest
from mail import count

class CountTest(unittest.TestCase):
    def test_none(self):
        self.assertEqual(count([]), 0)

    def test_one(self):
        self.assertEqual(count(["a"]), 1)
"""
BETTER = "def count(mails):\n    return len(mails or ())\n"
WORSE = "def count(mails):\n    return 0\n"


def plant(folder: Path, **files: str) -> Path:
    """The project in a new folder, with further Python files."""
    tree = folder / "tree"
    tree.mkdir()
    for name, text in {"mail": MAIL, "test_mail": TESTS, **files}.items():
        (tree / f"{name}.py").write_text(text)
    return tree


def draft(
    after: str = BETTER,
    *more: Edit,
    path: str = "mail.py",
    before: str | None = MAIL,
    reproduction: Reproduction | None = None,
) -> Draft:
    return Draft(
        drafter="recipe:test",
        title="Count right",
        summary="count",
        root_cause="",
        change="",
        may_hide=(),
        risk=Risk.DEFENSIVE_CHECK,
        edits=(Edit(path, before, after), *more),
        reproduction=reproduction,
    )


def verifier(
    test: str | None = PYTEST, timeout: float = 60.0, sandbox: Sandbox | None = None, **options: Any
) -> TreeVerifier:
    """On the bare sandbox unless another is given; its tests find our own interpreter and pytest."""
    limits = Limits(timeout=timeout)
    return TreeVerifier(test, sandbox=sandbox or Bare(), limits=limits, expose=[Path(sys.prefix)], **options)


def statuses(verdict: Verdict) -> dict[str, CheckStatus]:
    return {check.name: check.status for check in verdict.checks}


def check_of(verdict: Verdict, name: str) -> Check:
    return next(check for check in verdict.checks if check.name == name)


class Watched:
    """A sandbox, bare unless another is given, that notes its jobs, and how many ran at once."""

    name = "none"

    def __init__(self, after: Callable[[Job], None] = lambda _job: None, inner: Sandbox | None = None) -> None:
        self.jobs: list[Job] = []
        self.most = 0
        self._after = after
        self._inner = inner or Bare()
        self._now = 0

    def key(self) -> str:
        return self.name

    async def run(self, job: Job, limits: Limits) -> Ending:
        self.jobs.append(job)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await self._inner.run(job, limits)
        finally:
            self._now -= 1
            self._after(job)
