"""A drafter and a verifier that a test can steer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfimprover.domain import CaseFile, Check, CheckStatus, Draft, Edit, Feedback, Risk, Strength, TaskRecord, Verdict
from selfimprover.errors import RefusedError


def a_draft(**changes: object) -> Draft:
    """A draft that changes one line."""
    values: dict[str, object] = {
        "drafter": "recipe:fake",
        "title": "Fix the value",
        "summary": "fixed value",
        "root_cause": "The value is wrong.",
        "change": "The value is right.",
        "may_hide": ("Nothing.",),
        "risk": Risk.DEFENSIVE_CHECK,
        "edits": (Edit("agent/mail.py", "value = 1\n", "value = 2\n"),),
        "proof": ("the value is wrong in agent/mail.py:1",),
    }
    return Draft(**{**values, **changes})  # type: ignore[arg-type]


@dataclass
class FakeDrafter:
    """Drafts the same fix for every finding, or refuses."""

    refuses: str | None = None
    breaks: Exception | None = None
    after: str = "value = 2\n"
    root_cause: str = "The value is wrong."
    breaks_for: str = ""
    """Breaks only for findings with this in their title."""
    name: str = "recipe:fake"
    seen: list[str] = field(default_factory=list)

    async def draft(self, case: CaseFile, tree: Path, feedback: Feedback | None = None) -> Draft:
        finding = case.finding
        assert (tree / "agent/mail.py").exists()
        self.seen.append(finding.id)
        if self.breaks is not None and self.breaks_for in finding.title:
            raise self.breaks
        if self.refuses is not None:
            raise RefusedError(self.refuses)
        edit = Edit("agent/mail.py", "value = 1\n", self.after)
        return a_draft(edits=(edit,), root_cause=self.root_cause)


@dataclass
class FakeVerifier:
    """Passes every draft, or none."""

    passes: bool = True
    configuration: str = "fake"
    seen: int = 0
    takes: float = 0.0
    """Seconds for each draft."""
    now: int = 0
    most: int = 0
    """How many drafts are, and were at most, verified at the same time."""
    recorded: tuple[TaskRecord, ...] = ()
    """The tasks that came with the newest draft."""

    def key(self) -> str:
        return self.configuration

    async def verify(self, draft: Draft, tree: Path, base_commit: str, recorded: Sequence[TaskRecord] = ()) -> Verdict:
        assert str(tree)
        self.recorded = tuple(recorded)
        self.seen += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.takes)
        self.now -= 1
        status = CheckStatus.PASSED if self.passes else CheckStatus.FAILED
        return Verdict(
            base_commit=base_commit,
            passed=self.passes,
            strength=Strength.BY_TEST,
            sandbox="none",
            checks=(Check(name="tests", status=status, detail=f"of {draft.title}"),),
            reason="no test fails that passed before" if self.passes else "a test fails that passed before",
        )
