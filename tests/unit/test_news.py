"""What the webhook hears: news, and nothing if there is none."""

from dataclasses import replace
from datetime import timedelta

from selfimprover.domain import (
    ChecksState,
    Choice,
    FindingReport,
    Outcome,
    OutcomeState,
    Problem,
    PullRequest,
    PullState,
    State,
)
from selfimprover.reporting import news
from tests.builders import NIGHT
from tests.fakes.duties import a_report

QUIET = a_report("2026-02-16", NIGHT)
PULL = PullRequest(
    number=4,
    finding_id="a" * 12,
    fingerprints=(),
    title="Delegate a to b",
    branch="selfimprover/fix-a",
    url="https://forge.example/4",
    state=PullState.OPEN,
    draft=False,
    checks=ChecksState.PASSING,
    head_commit="c" * 40,
    opened_at=NIGHT,
)


def a_finding(state: State, before: State | None, **changes: object) -> FindingReport:
    finding = FindingReport(
        id="a" * 12,
        kind="repeated_error",
        title="AttributeError: 'A' object has no attribute 'a'",
        error_type="AttributeError",
        occurrences=3,
        first_seen=NIGHT - timedelta(days=1),
        last_seen=NIGHT,
        projects=("assistant",),
        state=state,
        triage=Choice.FIX,
        reason="because",
        pr_number=4,
        confidence=0.9,
        before=before,
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


def test_a_quiet_night_is_no_news() -> None:
    known = replace(QUIET, findings=(a_finding(State.OPEN, State.OPEN),), pull_requests=(PULL,))

    assert news.of(QUIET) is None
    assert news.of(known) is None


def test_a_new_pull_request_is_told_with_its_address() -> None:
    report = replace(QUIET, findings=(a_finding(State.OPEN, State.FOUND),), pull_requests=(PULL,))

    assert str(news.of(report)).splitlines() == [
        "selfimprover, night 2026-02-16: 1 finding, 1 new pull request, 0 errors",
        "• PR #4 opened: AttributeError: 'A' object has no attribute 'a' https://forge.example/4",
    ]


def test_what_observe_mode_holds_back_is_told_with_the_command_that_opens_it() -> None:
    report = replace(QUIET, findings=(a_finding(State.VERIFIED, None),))

    assert "selfimprover findings publish aaaaaaaaaaaa" in str(news.of(report))


def test_what_others_did_and_what_went_wrong_is_told() -> None:
    outcome = Outcome(
        finding_id="a" * 12,
        pr_number=4,
        state=OutcomeState.REDUCED,
        before_failures=9,
        before_tasks=20,
        after_failures=0,
        after_tasks=90,
        rate_ratio_low=0.0,
        rate_ratio_high=0.2,
        p_value=0.001,
        more_tasks_needed=None,
        sentence="reduced",
    )
    report = replace(
        QUIET,
        pull_requests=(replace(PULL, state=PullState.MERGED),),
        outcomes=(outcome,),
        settled=(outcome.finding_id,),
        errors=(Problem("project assistant", "there is no such file", "mend it"),),
    )

    assert [line[2:] for line in str(news.of(report)).splitlines()[1:]] == [
        "PR #4 merged: Delegate a to b",
        "what PR #4 did: reduced",
        "error: project assistant: there is no such file",
    ]
    assert news.of(replace(QUIET, outcomes=(outcome,))) is None


def test_hostile_titles_stay_on_their_line_and_many_are_cut() -> None:
    hostile = a_finding(State.PARKED, None, title="x\n• PR #1 opened\x1b[31m")
    report = replace(QUIET, findings=(hostile,) * 30)

    lines = str(news.of(report)).splitlines()

    assert len(lines) == 1 + 20 + 1
    assert lines[-1] == "• and 10 more: selfimprover report --night 2026-02-16"
    assert "\x1b" not in lines[1]
