"""What nights on GitHub do after trouble: each was found to go wrong once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from selfimprover.domain import CaseFile, State
from selfimprover.night import Mode
from tests.fakes.github import FakeGitHub
from tests.life import CANARY, LIMITS, MENDED, WORDS, Kill, Lag, Life, Plan, Trouble

DAY, HOUR, MINUTE = timedelta(1), timedelta(hours=1), timedelta(minutes=1)
NOT_OPENED = Trouble("502 nothing", "POST */pulls", times=99)
IN_DOUBT = Trouble("lost", "POST */pulls", times=99)


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with FakeGitHub() as hub:
        yield Life(tmp_path, hub)


def fail(life: Life, *words: str) -> None:
    for word in words:
        life.fail(word, 3)


def only_case(life: Life) -> CaseFile:
    (case,) = life.cases().values()
    return case


def test_a_night_taken_up_again_keeps_the_limit_of_one_night(life: Life) -> None:
    fail(life, *WORDS)
    life.night(Plan(kill=Kill("before POST */git/refs", 2)))
    life.wait(MINUTE)

    life.night(Plan())

    assert len(life.pulls()) == LIMITS.new_pull_requests


def test_what_an_earlier_night_pushed_keeps_the_limits(life: Life) -> None:
    fail(life, *WORDS)
    life.night(Plan(troubles=(NOT_OPENED,)))
    life.wait(DAY)

    life.night(Plan())

    assert len(life.pulls()) <= LIMITS.new_pull_requests
    assert len(life.open_pulls()) <= LIMITS.open_pull_requests


def test_what_was_opened_in_doubt_counts_in_the_limits(life: Life) -> None:
    fail(life, *WORDS)

    life.night(Plan(lag=Lag(pulls=90), troubles=(IN_DOUBT,)))

    assert len(life.pulls()) <= LIMITS.new_pull_requests


def test_observe_mode_opens_nothing_that_was_pushed_before(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(kill=Kill("before POST */pulls")))
    life.wait(DAY)

    life.night(Plan(mode=Mode.OBSERVE))

    assert not life.pulls()


def test_a_forge_that_fails_in_the_follow_up_does_not_end_the_night(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan())
    life.wait(HOUR)
    life.repository.merge(1)
    life.wait(DAY)
    fail(life, "alpha", "bravo")

    report = life.night(Plan(troubles=(Trouble("500 nothing", "GET */compare/*", times=99),)))

    assert report is not None
    assert len(life.cases()) == 2


def test_a_lost_memory_leaves_a_branch_to_the_person_who_pushed(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(mode=Mode.DRAFT))
    life.wait(HOUR)
    (branch,) = life.branches()
    life.repository.commit(branch, {"notes.md": "by hand"})
    life.repository.add_check_run(branch)
    life.lose_memory()

    for _ in range(2):
        life.wait(DAY)
        life.night(Plan())

    assert life.pulls()[1].draft


def test_a_restored_memory_does_not_close_what_a_person_pushed_to(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(mode=Mode.OBSERVE))
    life.backups.make(life.now)
    life.night(Plan())
    life.wait(HOUR)
    life.repository.commit(life.branches()[0], {"notes.md": "by hand"})
    life.repository.commit("main", {"agent/alpha.py": MENDED})
    life.backups.restore(life.backups.all()[0], life.now, "a test says so")

    life.night(Plan())

    assert life.pulls()[1].state == "open"


def test_a_branch_that_a_person_pushed_to_before_it_was_opened_is_left_to_them(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(kill=Kill("before POST */pulls")))
    life.wait(HOUR)
    life.repository.commit(life.branches()[0], {"notes.md": "by hand"})

    life.night(Plan())

    assert not life.pulls()


def test_a_lost_memory_finds_the_newest_try_again(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan())
    life.wait(HOUR)
    life.repository.close(1)
    life.wait(DAY)
    fail(life, "alpha")
    life.night(Plan())
    life.allow_another_try(only_case(life))
    life.night(Plan())
    life.lose_memory()

    life.night(Plan())

    assert (only_case(life).state, only_case(life).generation) == (State.OPEN, 2)


def test_an_open_pull_request_is_looked_after_though_the_memory_is_older_and_the_error_stopped(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(mode=Mode.OBSERVE))
    life.backups.make(life.now)
    life.night(Plan())
    life.wait(9 * DAY)
    life.backups.restore(life.backups.all()[0], life.now, "a test says so")

    life.night(Plan())

    assert only_case(life).state is State.OPEN


def test_what_a_person_reopens_is_open(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan())
    life.wait(HOUR)
    life.repository.close(1)
    life.night(Plan())
    life.repository.reopen(1)

    life.night(Plan())

    assert only_case(life).state is State.OPEN


def test_a_pull_request_gets_its_labels_though_the_night_was_killed(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(kill=Kill("after POST */pulls")))
    life.wait(HOUR)

    life.night(Plan())

    assert life.pulls()[1].labels == ["bot"]


def test_a_branch_that_reads_do_not_show_yet_is_not_called_refused(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(kill=Kill("after POST */git/refs"), lag=Lag(refs=90)))

    life.night(Plan())

    assert "refuses the branch" not in only_case(life).reason


def test_a_secret_in_the_words_of_a_refusal_is_not_remembered(life: Life) -> None:
    fail(life, "alpha")

    life.night(Plan(troubles=(Trouble("422 nothing", "POST */pulls"),)))

    assert CANARY.encode() not in life.remembered()


def test_a_secret_in_the_name_of_a_check_is_not_remembered(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan())
    life.repository.add_check_run(life.branches()[0], name=f"deploy {CANARY}", conclusion="failure")

    life.night(Plan())

    assert CANARY.encode() not in life.remembered()


def test_a_secret_in_a_title_is_not_remembered(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan())
    life.repository.retitle(1, title=f"Do not use {CANARY}")

    life.night(Plan())

    assert CANARY.encode() not in life.remembered()


def test_a_forge_that_fails_while_a_lost_memory_is_made_up_for_does_not_end_the_night(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan())
    life.lose_memory()

    report = life.night(Plan(troubles=(Trouble("dropped", "GET */git/commits/*", times=99),)))

    assert report is not None
    assert len(report.errors) == 1
    assert only_case(life).state is State.FOUND
    life.night(Plan())
    assert only_case(life).state is State.OPEN
