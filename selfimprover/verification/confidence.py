"""How sure we are of a fix: a sum of parts, each of which somebody can check.

The weights are a rule of thumb until enough merged fixes have been measured to calibrate them.
"""

from selfimprover.domain import Confidence, Draft, Strength, Verdict
from selfimprover.edits import changed_lines

_SMALL = 40


def confidence(draft: Draft, verdict: Verdict) -> Confidence:
    """Zero without a passed verdict; at most 0.92 without a reproduction test, and 1 with one."""
    if not verdict.passed:
        return Confidence(0.0, (("verification not passed", 0.0),))
    parts = [("the draft passed its checks", 0.50)]
    if draft.proof:
        parts.append((f"{len(draft.proof)} preconditions proven from code and telemetry", 0.20))
    if verdict.reproduced:
        weight = 0.08 if draft.proof else 0.20
        parts.append(("a test that fails on the base as the finding does, and passes with the change", weight))
    if verdict.strength is Strength.BY_TEST:
        parts.append(("base and patched compared test by test", 0.15))
    elif verdict.strength is Strength.BY_EXIT_CODE:
        parts.append(("base and patched compared by exit code", 0.05))
    lines = changed_lines(draft.edits)
    if lines <= _SMALL:
        parts.append((f"a small change ({lines} lines)", 0.07))
    if verdict.changed_lines and not verdict.changed_lines.run:
        parts.append(("no test was seen to run a changed line", -0.10))
    if verdict.flaky:
        parts.append((f"tests that are not steady: {len(verdict.flaky)}", -0.05))
    return Confidence(round(sum(weight for _, weight in parts), 2), tuple(parts))
