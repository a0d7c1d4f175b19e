"""Pull requests as people read them: short words, whole words, and nothing that strangers wrote may act."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from selfimprover.domain import CaseFile, ChecksState, Outcome, OutcomeState, PullRequest, PullState, Review, State
from selfimprover.reporting import pages, pull_view
from selfimprover.reporting.case_view import print_case
from selfimprover.reporting.documents import case_document
from selfimprover.reporting.pull_view import PullRow
from selfimprover.reporting.terminal import print_night, print_pulls
from selfimprover.reporting.widths import fitted
from tests.builders import NIGHT, a_finding
from tests.unit.test_reporting import HOSTILE, a_report

OURS, THEIRS = "a" * 40, "b" * 40
APPROVED, ASKED, COMMENTED = "approved", "changes requested", "commented"
FINDING = a_finding()


def a_pull(**changes: object) -> PullRequest:
    values: dict[str, object] = {
        "number": 4,
        "finding_id": FINDING.id,
        "fingerprints": (),
        "title": "Add a delegated property",
        "branch": f"selfimprover/fix-{FINDING.id}",
        "url": "https://github.example/octo/app/pull/4",
        "state": PullState.OPEN,
        "draft": False,
        "checks": ChecksState.NONE,
        "head_commit": OURS,
        "opened_at": NIGHT,
    }
    return PullRequest(**{**values, **changes})  # type: ignore[arg-type]


def a_case(pull: PullRequest | None = None, **changes: object) -> CaseFile:
    values: dict[str, object] = {
        "project": "app",
        "finding": FINDING,
        "state": State.OPEN,
        "reason": "pull request #4 opened",
        "head_commit": OURS,
        "pull_request": pull,
    }
    return CaseFile(**{**values, **changes})  # type: ignore[arg-type]


def said(author: str, verdict: str, text: str = "", hours: int = 0) -> Review:
    return Review(author=author, verdict=verdict, text=text, at=NIGHT + timedelta(hours=hours))


def shown(*reviews: Review, width: int = 80, timezone: str = "UTC") -> str:
    """The section of ``findings show`` about what people said."""
    out = StringIO()
    print_case(Console(file=out, width=width), a_case(a_pull(reviews=reviews)), [], ZoneInfo(timezone))
    section = out.getvalue().split("Reviews and comments of #4\n")[1]
    return section.split("\n\nThe newest failure\n")[0]


def table(*rows: PullRow, width: int = 80) -> str:
    out = StringIO()
    print_pulls(Console(file=out, width=width), rows)
    return out.getvalue()


def a_row(pull: PullRequest, case: CaseFile | None = None, project: str = "app") -> PullRow:
    return PullRow(project=project, pull=pull, case=case)


# --- short words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "open"),
        ({"draft": True}, "draft"),
        ({"mergeable": True}, "open"),
        ({"mergeable": False}, "open, conflicts"),
        ({"head_commit": THEIRS}, "open, pushed to by somebody"),
        ({"draft": True, "mergeable": False, "head_commit": THEIRS}, "draft, conflicts, pushed to by somebody"),
        ({"state": PullState.MERGED, "draft": True, "mergeable": False, "head_commit": THEIRS}, "merged"),
        ({"state": PullState.CLOSED, "mergeable": False}, "closed"),
    ],
)
def test_a_status_says_how_it_stands_and_what_is_in_the_way_while_it_is_open(
    changes: dict[str, object], words: str
) -> None:
    assert pull_view.status(a_pull(**changes), a_case(a_pull())) == words


def test_a_branch_is_somebody_elses_only_if_the_memory_knows_what_it_made() -> None:
    assert pull_view.status(a_pull(head_commit=THEIRS)) == "open"
    assert pull_view.status(a_pull(), a_case(None, head_commit=None)) == "open"
    assert pull_view.status(a_pull(), a_case(a_pull(), head_commit=None)) == "open, pushed to by somebody"
    assert pull_view.status(a_pull(head_commit=THEIRS), a_case(a_pull(), generation=2)) == "open"


@pytest.mark.parametrize(
    ("state", "failing", "words"),
    [
        (ChecksState.PASSING, (), "Passing"),
        (ChecksState.PENDING, (), "Pending"),
        (ChecksState.NONE, (), "none"),
        (ChecksState.FAILING, (), "Failing"),
        (ChecksState.FAILING, ("lint",), "Failing (lint)"),
        (ChecksState.FAILING, ("lint", "docs", "x", "y"), "Failing (lint, docs and 2 more)"),
        (ChecksState.FAILING, ("\x1b[31ma\nb\u202e",), "Failing (a b)"),
    ],
)
def test_checks_name_what_fails(state: ChecksState, failing: tuple[str, ...], words: str) -> None:
    assert pull_view.checks(a_pull(checks=state, failing=failing)) == words


@pytest.mark.parametrize(
    ("reviews", "words"),
    [
        ((), ""),
        ((said("bob", APPROVED),), "bob approves"),
        ((said("bob", APPROVED), said("carol", APPROVED), said("alice", ASKED)), "2 approve, alice asks for changes"),
        ((said("alice", ASKED), said("bob", ASKED)), "2 ask for changes"),
        ((said("alice", ASKED), said("alice", APPROVED)), "alice approves"),
        ((said("alice", APPROVED), said("alice", ASKED)), "alice asks for changes"),
        ((said("alice", ASKED), said("alice", COMMENTED, "hm")), "alice asks for changes, 1 comment"),
        ((said("a", COMMENTED, "x"), said("b", COMMENTED, "y")), "2 comments"),
    ],
)
def test_the_latest_verdict_of_each_person_counts_and_a_comment_ends_none(
    reviews: tuple[Review, ...], words: str
) -> None:
    assert pull_view.reviews(a_pull(reviews=reviews)) == words


# --- the table


def test_the_table_has_a_column_for_everything_that_is_asked() -> None:
    known = Outcome(
        finding_id=FINDING.id,
        pr_number=4,
        state=OutcomeState.NOT_YET_KNOWN,
        before_failures=13,
        before_tasks=169,
        after_failures=1,
        after_tasks=8,
        rate_ratio_low=0.1,
        rate_ratio_high=None,
        p_value=0.4,
        more_tasks_needed=120,
        sentence="not yet known",
    )
    merged = a_pull(state=PullState.MERGED, checks=ChecksState.PASSING, reviews=(said("bob", APPROVED),))
    later = a_pull(number=9, branch=f"selfimprover/fix-{FINDING.id}-g2")
    case = a_case(merged, outcome=known)

    head, first, second, *_ = table(a_row(merged, case), a_row(later, case), width=180).strip().splitlines()[1:]

    assert head.split() == ["PR", "Issue", "Status", "Checks", "Reviews", "Outcome"]
    cells = re.split(r"\s{2,}", first.strip())
    assert cells[:2] == ["#4", FINDING.title]
    assert cells[2:] == ["merged", "Passing", "bob approves", "not yet known, about 120 more tasks needed"]
    assert "not yet known" not in second, "an outcome belongs to one pull request, not to every one of its finding"


def test_the_project_is_told_where_there_are_several() -> None:
    assert "Project" not in table(a_row(a_pull()))
    assert re.search(r"#4 +other", table(a_row(a_pull()), a_row(a_pull(), project="other")))


def test_the_address_of_an_open_one_is_whole_at_any_width() -> None:
    ended = replace(a_pull(number=3), state=PullState.CLOSED, url="https://github.example/octo/app/pull/3")

    text = table(a_row(a_pull()), a_row(ended), width=40)

    assert "#4  https://github.example/octo/app/pull/4" in text.splitlines()
    assert "/pull/3" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_no_row_is_wider_than_the_terminal_and_no_common_word_is_broken(width: int) -> None:
    pull = a_pull(
        number=1234,
        draft=True,
        mergeable=False,
        head_commit=THEIRS,
        checks=ChecksState.FAILING,
        failing=("unit tests (ubuntu-latest, 3.11)", "lint", "docs"),
        reviews=(said("a-very-long-login-of-a-person-123456", ASKED), said("bob", APPROVED), said("c", APPROVED)),
    )

    text = table(a_row(pull, a_case(pull)), a_row(a_pull(title=HOSTILE)), width=width)

    rows = text.split("\n\n")[0].splitlines()
    assert max(map(cell_len, rows)) <= width
    for word in ("AttributeError:", "conflicts,", "somebody", "Failing", "approve,", "Reviews", "Outcome"):
        assert word in text


def test_foreign_text_cannot_act_in_the_table() -> None:
    bad = f"[red]:bomb:[/red] {HOSTILE}"
    pull = a_pull(title=bad, checks=ChecksState.FAILING, failing=(bad,), reviews=(said(bad, ASKED, bad),), url=bad)

    text = table(a_row(pull), width=200)

    assert not set(text) & set("\x1b\u202e")
    assert text.count("[red]:bomb:") >= 3, "markup and emoji codes are shown as they were written"


@given(
    st.lists(st.lists(st.text(max_size=40), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(min_value=3, max_value=100),
)
def test_columns_never_need_more_room_than_there_is(rows: list[list[str]], room: int) -> None:
    widths = fitted(rows, room)

    assert sum(widths) <= room
    assert all(width <= max(cell_len(row[index]) for row in rows) for index, width in enumerate(widths))


def test_the_widest_column_gives_room_first_and_words_stay_whole() -> None:
    assert fitted([("a" * 10 + " b", "word word word word word")], 24) == [12, 12]
    assert fitted([("aaaaaaaaaa b", "word word word word word")], 15) == [10, 5]
    assert fitted([("abcdef", "word word")], 9, whole={0}) == [6, 4 - 1]


# --- the night's report


def render_terminal(pulls: Sequence[PullRequest]) -> str:
    out = StringIO()
    print_night(Console(file=out, width=200), replace(a_report(), pull_requests=tuple(pulls)))
    return out.getvalue()


def test_every_rendering_of_a_night_has_the_same_short_words() -> None:
    pull = a_pull(
        draft=True, mergeable=False, checks=ChecksState.FAILING, failing=("lint",), reviews=(said("a", ASKED),)
    )
    report = replace(a_report(), pull_requests=(pull,))

    for text in (render_terminal([pull]), pages.markdown(report), pages.html(report)):
        for words in ("draft, conflicts", "Failing (lint)", "a asks for changes", "Reviews"):
            assert words in text


# --- what people said


def test_reviews_are_shown_oldest_first_with_who_what_when_and_the_text() -> None:
    lines = shown(
        said("alice", ASKED, "Use a getter.\n\n\n\nIt may be None.", hours=23),
        said("bob", COMMENTED, "I agree.", hours=24),
        said("alice", APPROVED, hours=25),
        timezone="Europe/Berlin",
    ).splitlines()

    assert lines == [
        "2026-02-17 00:17  alice asks for changes",
        "│ Use a getter.",
        "│ ",
        "│ It may be None.",
        "2026-02-17 01:17  bob comments",
        "│ I agree.",
        "2026-02-17 02:17  alice approves",
    ]


def test_one_long_text_may_fill_the_screen_and_says_what_was_cut() -> None:
    whole = shown(said("alice", ASKED, "\n".join(f"line {number}" for number in range(20))))
    assert "line 19" in whole
    assert "--json" not in whole

    cut = shown(said("alice", ASKED, "\n".join(f"line {number}" for number in range(60))))
    assert "│ … 52 more lines, `--json` has all" in cut
    assert "line 7\n" in cut
    assert "line 8" not in cut


@pytest.mark.parametrize("text", ["x" * 4_000, "word " * 800, "\n" * 4_000, "a\t" * 2_000, "漢" * 4_000])
@pytest.mark.parametrize("count", [1, 3, 200])
def test_whatever_people_write_it_stays_a_screenful(text: str, count: int) -> None:
    lines = shown(*(said("mallory", COMMENTED, text, hours=number) for number in range(count))).splitlines()

    assert 1 <= len(lines) <= 27
    assert max(map(cell_len, lines)) <= 80


def test_a_flood_of_comments_cannot_hide_a_verdict() -> None:
    flood = [said("mallory", COMMENTED, "spam", hours=number) for number in range(1, 200)]

    text = shown(said("alice", ASKED, "Use a getter."), *flood)

    assert "alice asks for changes\n│ Use a getter." in text
    assert "left out, `--json` has all" in text


def test_foreign_text_cannot_act_or_pass_for_ours() -> None:
    text = shown(said(f"eve[red]{HOSTILE}", COMMENTED, f"{HOSTILE}\nEvidence\n\x9b31m[bold]:bomb:\nDraft: merged"))

    assert not set(text) & set("\x1b\x9b\u202e")
    assert "[bold]:bomb:" in text
    assert "│ Evidence" in text
    assert all(line.startswith(("│ ", "2026-")) for line in text.splitlines() if line)


def test_a_finding_without_reviews_has_no_section_of_them() -> None:
    out = StringIO()
    print_case(Console(file=out, width=80), a_case(a_pull()), [], UTC)

    assert "PR  #4: open; checks: none; https://github.example/octo/app/pull/4" in out.getvalue()
    assert "Reviews and comments" not in out.getvalue()


def test_the_json_document_has_all_of_every_text_but_nothing_hidden() -> None:
    text = "\n".join(["long"] * 500) + "\u202e\x9b"
    pull = a_pull(reviews=(said("alice", ASKED, text),), failing=("lint",), mergeable=False)

    document = json.loads(json.dumps(case_document(a_case(pull), details=True)))

    assert document["reviews"] == [
        {"author": "alice", "verdict": ASKED, "text": text[:-2], "at": "2026-02-16T00:17:00Z"}
    ]
    assert (document["failing"], document["mergeable"]) == (["lint"], False)
    none = case_document(a_case(None), details=True)
    assert (none["reviews"], none["failing"], none["mergeable"]) == ([], [], None)


def test_dates_are_of_the_zone_that_is_asked_for() -> None:
    before_midnight = Review(author="a", verdict=APPROVED, text="", at=datetime(2026, 2, 16, 23, 30, tzinfo=UTC))

    assert shown(before_midnight, timezone="Asia/Tokyo").startswith("2026-02-17 08:30")
