"""A pull request that conflicts, or whose check fails, gets another fix: once, and never over what a person did."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from selfimprover.domain import CaseFile, State, Trigger
from selfimprover.night import Mode
from tests.fakes.github import FakeGitHub
from tests.life import BROKEN, CANARY, MENDED, MENDED_AGAIN, Kill, Life, Plan, Trouble

HOUR = timedelta(hours=1)
MOVED = f"# new\n{BROKEN}"
"""What makes the branch conflict."""


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with FakeGitHub() as hub:
        one = Life(tmp_path, hub)
        one.fail("alpha", 3)
        one.night(Plan())
        one.wait(HOUR)
        yield one


def only_case(life: Life) -> CaseFile:
    (case,) = life.cases().values()
    return case


def content(life: Life) -> str:
    return life.repository.files(life.branches()[0])["agent/alpha.py"].decode()


def comments(life: Life) -> list[str]:
    return [comment.body for comment in life.pulls()[1].comments]


def move_base(life: Life, text: str = MOVED) -> str:
    return life.repository.commit("main", {"agent/alpha.py": text}, "work on the base")


def fail_check(life: Life) -> None:
    life.repository.add_check_run(life.branches()[0], name="unit tests", conclusion="failure", summary=f"3 is {CANARY}")


def test_a_conflicting_branch_is_made_again_on_the_new_base(life: Life) -> None:
    base = move_base(life)

    report = life.night(Plan())

    assert content(life) == f"# new\n{MENDED}"
    head = life.repository.branch(life.branches()[0])
    assert head is not None
    assert life.repository.objects.commits[head].parents == (base,)
    assert (only_case(life).head_commit, only_case(life).state) == (head, State.OPEN)
    assert len(life.pulls()) == 1
    (told,) = comments(life)
    assert told.startswith(f"This fix was made and proven again on {base[:12]}, because it did not fit its base")
    assert report is not None
    assert "made again" in report.findings[0].reason


def test_what_was_made_again_is_left_alone_by_the_next_night(life: Life) -> None:
    move_base(life)
    life.night(Plan())
    before = len(life.hub.log.writes())

    life.night(Plan())

    assert len(life.hub.log.writes()) == before


@pytest.mark.parametrize("call", ["*/git/trees", "*/git/commits", "*/graphql", "*/comments"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_night_that_dies_while_it_makes_a_fix_again_is_finished_by_the_next(life: Life, call: str, when: str) -> None:
    move_base(life)

    assert life.night(Plan(kill=Kill(f"{when} POST {call}"))) is None
    life.night(Plan())

    assert content(life) == f"# new\n{MENDED}"
    assert len(comments(life)) == 1
    assert only_case(life).head_commit == life.repository.branch(life.branches()[0])


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_night_that_dies_after_any_commit_of_the_memory_is_finished_by_the_next(life: Life, nth: int) -> None:
    move_base(life)

    assert life.night(Plan(kill=Kill("memory", nth))) is None
    life.night(Plan())

    assert content(life) == f"# new\n{MENDED}"
    assert len(comments(life)) == 1
    assert only_case(life).revises is None


def test_a_person_who_pushes_at_the_last_moment_is_not_overwritten(life: Life) -> None:
    move_base(life)
    branch = life.branches()[0]

    def push() -> None:
        life.repository.commit(branch, {"notes.md": "by hand"})

    life.night(Plan(meanwhile=("before POST */graphql", push)))
    life.night(Plan())

    assert b"by hand" in life.repository.files(branch)["notes.md"]
    assert only_case(life).head_commit is None
    assert comments(life) == []


def test_the_reply_to_the_exchange_may_be_lost(life: Life) -> None:
    move_base(life)

    life.night(Plan(troubles=(Trouble("lost", "POST */graphql"),)))

    assert content(life) == f"# new\n{MENDED}"
    assert len(comments(life)) == 1


def test_a_conflict_that_cannot_be_solved_is_told_once(life: Life) -> None:
    move_base(life, "value = 7\n")

    for _ in range(2):
        life.night(Plan())

    (told,) = comments(life)
    assert "no new fix could be proven there" in told
    assert content(life) == MENDED
    assert "left as it is" in only_case(life).reason


def test_a_failing_check_goes_back_to_the_drafter_with_what_it_says(life: Life) -> None:
    fail_check(life)

    life.night(Plan())

    (feedback,) = life.drafter.told
    assert feedback.trigger is Trigger.CHECKS
    assert "unit tests" in feedback.text
    assert "3 is" in feedback.text
    assert CANARY not in feedback.text
    assert feedback.draft is not None
    assert feedback.draft.edits[0].after == MENDED
    assert content(life) == MENDED_AGAIN
    assert "because a check of it failed" in comments(life)[0]


def test_a_failing_check_goes_back_only_once(life: Life) -> None:
    fail_check(life)
    life.night(Plan())
    life.wait(HOUR)
    fail_check(life)

    for _ in range(2):
        life.night(Plan())

    assert len(life.drafter.told) == 1
    assert content(life) == MENDED_AGAIN


def test_a_drafter_without_another_answer_leaves_the_pull_request_as_it_is(life: Life) -> None:
    life.drafter.stubborn = True
    fail_check(life)

    for _ in range(2):
        life.night(Plan())

    assert len(life.drafter.told) == 1
    assert (content(life), comments(life)) == (MENDED, [])
    assert "makes the same change again" in only_case(life).reason


def test_what_a_person_reopened_is_not_made_again(life: Life) -> None:
    life.repository.close(1)
    life.night(Plan())
    life.repository.reopen(1)
    move_base(life)

    life.night(Plan())

    assert content(life) == MENDED
    assert only_case(life).state is State.OPEN


def test_a_draft_that_a_person_took_back_is_not_marked_ready_again(tmp_path: Path) -> None:
    with FakeGitHub() as hub:
        life = Life(tmp_path, hub)
        life.fail("alpha", 3)
        life.night(Plan(mode=Mode.DRAFT))
        life.wait(HOUR)
        life.repository.add_check_run(life.branches()[0])
        life.night(Plan())
        assert not life.pulls()[1].draft

        life.repository.set_draft(life.pulls()[1], life.repository.owner, draft=True)
        life.night(Plan())

        assert life.pulls()[1].draft


def test_a_request_for_changes_goes_back_to_the_drafter_with_its_words(life: Life) -> None:
    life.repository.review(1, "CHANGES_REQUESTED", f"Use three, not {CANARY}", by="bob")

    for _ in range(2):
        life.night(Plan())

    (feedback,) = life.drafter.told
    assert feedback.trigger is Trigger.REVIEW
    assert "bob: Use three" in feedback.text
    assert CANARY not in feedback.text
    assert content(life) == MENDED_AGAIN
    assert "because somebody asked for changes" in comments(life)[0]


def test_only_so_many_requests_for_changes_are_answered(life: Life) -> None:
    life.drafter.stubborn = True
    for number in range(4):
        life.wait(HOUR)
        life.repository.review(1, "CHANGES_REQUESTED", f"No, {number}", by="bob")
        life.night(Plan())

    assert len(life.drafter.told) == 2
