"""Outcomes: no success without opportunity, no claim without evidence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from selfimprover.domain import (
    Baseline,
    CaseFile,
    ChecksState,
    DayCount,
    OutcomeState,
    PullRequest,
    PullState,
    State,
    Window,
)
from selfimprover.interfaces import Measured, Returned
from selfimprover.outcomes.tracker import Tracker
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from tests.builders import BUG, NIGHT, a_finding, context_of
from tests.fakes.forge import FakeForge
from tests.fakes.telemetry import FakeTelemetry, task

HOUR = timedelta(hours=1)
MERGED = NIGHT + 8 * HOUR
NEXT = NIGHT + timedelta(days=1)
CONTEXT = context_of("assistant", NEXT)


def merged_case() -> CaseFile:
    with_frames = ErrorFingerprinter().fingerprint(BUG, task(1, NIGHT, error=BUG).traceback)
    finding = a_finding()
    pull = PullRequest(
        number=4,
        finding_id=finding.id,
        fingerprints=(with_frames.value,),
        title="Fix",
        branch="selfimprover/fix-x",
        url="fake://4",
        state=PullState.MERGED,
        draft=False,
        checks=ChecksState.PASSING,
        head_commit="h",
        opened_at=NIGHT,
        merged_at=MERGED,
        merge_commit="merge-4",
    )
    return CaseFile(
        project="assistant",
        finding=finding,
        state=State.MERGED,
        reason="",
        fingerprints=(with_frames.value,),
        pull_request=pull,
        baseline=finding.baseline,
    )


async def measured(*tasks: object) -> Measured:
    forge = FakeForge()
    forge.history["old"], forge.history["new"] = {"old"}, {"old", "merge-4"}
    (found,) = await Tracker().measure([merged_case()], FakeTelemetry("assistant", tasks), forge, CONTEXT)  # type: ignore[arg-type]
    return found


async def test_only_tasks_of_the_kind_after_the_merge_are_opportunities() -> None:
    found = await measured(
        task(1, MERGED - HOUR, error=BUG),
        task(2, MERGED),
        task(3, MERGED + HOUR, error=BUG),
        task(4, MERGED + HOUR, kind="sync"),
        task(5, NEXT, error=BUG),
    )

    assert (found.after.failures, found.after.tasks) == (1, 2)
    assert found.after.window == Window(MERGED, NEXT)


async def test_failures_are_told_apart_by_the_code_that_ran() -> None:
    versions = ("new", "old", "old", None, "unheard of")
    found = await measured(*(task(n, MERGED + n * HOUR, error=BUG, version=v) for n, v in enumerate(versions)))

    assert found.returned == Returned(with_fix=1, without_fix=2, unknown=2)


async def test_an_open_pull_request_has_no_outcome() -> None:
    case = replace(merged_case(), pull_request=None)

    assert await Tracker().measure([case], FakeTelemetry("assistant"), FakeForge(), CONTEXT) == []


def counts(failures: int, tasks: int, days: int = 7) -> Baseline:
    """Failures spread evenly over the days."""
    per_day = [DayCount(NIGHT.date() + timedelta(days=day), tasks // days, failures // days) for day in range(days)]
    return Baseline(
        window=Window(NIGHT, NEXT), kinds=(), tasks=tasks, failures=failures, succeeded=0, daily=tuple(per_day)
    )


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ((42, 1001), (0, 700), OutcomeState.REDUCED),
        ((14, 1001), (56, 1001), OutcomeState.INCREASED),
        ((140, 1001), (133, 1001), OutcomeState.NOT_REDUCED),
        ((13, 169), (1, 8), OutcomeState.NOT_YET_KNOWN),
        ((5, 200), (0, 200), OutcomeState.NOT_YET_KNOWN),
        ((5, 200), (0, 0), OutcomeState.NOT_YET_KNOWN),
    ],
)
def test_the_state_is_what_the_interval_allows(
    before: tuple[int, int], after: tuple[int, int], state: OutcomeState
) -> None:
    one = Measured(merged_case(), counts(*before), counts(*after), Returned(0, 0, 0))

    (outcome,) = Tracker().judge([one])

    assert outcome.state is state
    assert f"{before[0]} of {before[1]} before, {after[0]} of {after[1]} after" in outcome.sentence
    assert (outcome.more_tasks_needed is not None) == (state is OutcomeState.NOT_YET_KNOWN)


def test_the_missing_number_of_tasks_is_told() -> None:
    one = Measured(merged_case(), counts(13, 169), counts(0, 8), Returned(0, 0, 0))

    (outcome,) = Tracker().judge([one])

    assert outcome.more_tasks_needed == 56 - 8
    assert outcome.sentence.startswith(f"not yet known, about {outcome.more_tasks_needed} more tasks needed:")


async def test_what_old_code_did_after_the_merge_is_not_counted_against_or_for_the_fix() -> None:
    found = await measured(
        task(1, MERGED + HOUR, error=BUG, version="old"),
        task(2, MERGED + 2 * HOUR, version="old"),
        task(3, MERGED + 3 * HOUR, error=BUG, version="old"),
        task(4, MERGED + 4 * HOUR, version="new"),
        task(5, MERGED + 5 * HOUR, error=BUG, version="new"),
    )

    assert (found.after.failures, found.after.tasks) == (1, 2)
    assert found.returned == Returned(with_fix=1, without_fix=2, unknown=0)


async def test_one_late_failure_of_old_code_does_not_block_the_outcome_for_ever() -> None:
    clean = [task(n, MERGED + HOUR + timedelta(minutes=n), version="new") for n in range(2, 400)]
    found = await measured(task(1, MERGED + HOUR, error=BUG, version="old"), *clean)

    (outcome,) = Tracker().judge([found])

    assert outcome.state is OutcomeState.REDUCED
    assert "counted since the last of 1 failures in code without the fix" in outcome.sentence


def test_one_small_p_value_among_many_is_no_success() -> None:
    unchanged = Measured(merged_case(), counts(14, 1001), counts(14, 1001), Returned(0, 0, 0))
    lucky = Measured(merged_case(), counts(14, 1001), counts(3, 1001), Returned(0, 0, 0))

    assert Tracker().judge([lucky])[0].state is OutcomeState.REDUCED
    assert Tracker().judge([lucky, *[unchanged] * 30])[0].state is not OutcomeState.REDUCED
