"""What people, rules and restored memories do to the life of a pull request: each was found to go wrong once."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfimprover.bootstrap import open_app
from selfimprover.bootstrap.following import follow
from selfimprover.domain import CaseFile, Draft, Feedback, NightReport, State, Strength, TaskRecord, Verdict
from selfimprover.forges.github.auth import TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.memory.store import SqlMemory
from selfimprover.night import Mode, Night, ProjectParts, by_hand
from tests.fakes.drafting import FakeVerifier
from tests.fakes.github import FakeGitHub
from tests.fakes.telemetry import FakeTelemetry
from tests.integration.hosted import LATER, NEXT, Hosted
from tests.life import (
    BROKEN,
    LIMITS,
    MENDED,
    MENDED_AGAIN,
    Kill,
    Life,
    Mortal,
    MortalMemory,
    MortalTransport,
    Plan,
    Trouble,
    WordDrafter,
    empty_memory,
    finding_id,
)
from tests.place import AGENT

DAY, HOUR = timedelta(1), timedelta(hours=1)
MOVED = f"# new\n{BROKEN}"
LOCKED = {"message": "Unable to create comment because issue is locked."}


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with FakeGitHub() as hub:
        yield Life(tmp_path, hub)


@pytest.fixture
def opened(life: Life) -> Life:
    """With the open pull request #1 of *alpha*."""
    fail(life, "alpha")
    life.night(Plan())
    assert life.pulls()[1].state == "open"
    life.wait(HOUR)
    return life


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Hosted]:
    with FakeGitHub(now=lambda: datetime(2026, 2, 16, 0, 17, tzinfo=UTC)) as hub:
        yield Hosted(tmp_path, hub)


def fail(life: Life, *words: str) -> None:
    for word in words:
        life.fail(word, 3)


def case_of(life: Life, word: str = "alpha") -> CaseFile:
    return life.cases()[finding_id(word)]


def content(life: Life, word: str = "alpha") -> str:
    return life.repository.files(f"selfimprover/fix-{finding_id(word)}")[f"agent/{word}.py"].decode()


def comments(life: Life, number: int = 1) -> list[str]:
    return [comment.body for comment in life.pulls()[number].comments]


def move_base(life: Life, word: str = "alpha", text: str = MOVED) -> str:
    return life.repository.commit("main", {f"agent/{word}.py": text}, "work on the base")


def rows(life: Life, table: str) -> int:
    connection = sqlite3.connect(life.memory_file)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        connection.close()


# --- nights that end, and go on ending


class Breaking(WordDrafter):
    """Fails in a way that nobody foresaw when it is to draft again."""

    async def draft(self, case: CaseFile, tree: Path, feedback: Feedback | None = None) -> Draft:
        if feedback is not None:
            raise ValueError("a parser that fell over")
        return await super().draft(case, tree, feedback)


def test_a_drafter_that_breaks_over_one_pull_request_does_not_end_the_night(opened: Life) -> None:
    opened.drafter = Breaking()
    move_base(opened)
    opened.wait(DAY)

    assert opened.night(Plan()) is not None


def test_a_person_who_goes_on_under_the_name_of_a_merged_fix_does_not_end_the_night(opened: Life) -> None:
    opened.repository.merge(1)
    opened.night(Plan())
    branch = f"selfimprover/fix-{finding_id('alpha')}-g2"
    opened.repository.commit(branch, {"notes.md": "by hand"})
    opened.repository.propose(branch)

    assert opened.night(Plan()) is not None


def test_a_finding_dismissed_after_a_restore_with_a_later_try_on_github_does_not_end_the_night(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(mode=Mode.OBSERVE))
    life.backups.make(life.now)
    life.night(Plan())
    life.wait(HOUR)
    life.repository.close(1)
    life.wait(DAY)
    fail(life, "alpha")
    life.night(Plan())
    life.allow_another_try(case_of(life))
    life.night(Plan())
    life.backups.restore(life.backups.all()[0], life.now, "a test says so")
    asyncio.run(dismiss(life))

    assert life.night(Plan()) is not None


async def dismiss(life: Life) -> None:
    """``findings dismiss``."""
    memory = SqlMemory(f"sqlite:///{life.memory_file}")
    try:
        case = await memory.case(finding_id("alpha"))
        assert case is not None
        await memory.move(by_hand.dismissal(case, "not wanted", "2026-02-17", life.now))
    finally:
        await memory.close()


def test_a_repository_that_was_made_anew_does_not_end_the_night(opened: Life) -> None:
    opened.repository.pulls.clear()
    opened.repository.next_number = 1
    opened.repository.commit("feature", {"notes.md": "by hand"})
    opened.repository.propose("feature")

    assert opened.night(Plan()) is not None


def test_a_pull_request_that_github_deleted_does_not_hold_up_the_others(opened: Life) -> None:
    opened.repository.pulls.clear()
    fail(opened, "bravo")

    opened.night(Plan())

    assert case_of(opened, "bravo").state is State.OPEN


def test_an_odd_answer_about_one_pull_request_does_not_end_the_night(opened: Life) -> None:
    opened.hub.faults.wrong_json("GET", "*/pulls/1", {"message": "hello"}, times=None)

    assert opened.night(Plan()) is not None


def test_a_draft_whose_new_fix_waits_is_not_made_ready_before_it_is_there(place: Hosted) -> None:
    place.configure(mode="draft")
    place.finding()
    branch = place.hosted.pull(1).head
    place.configure(mode="ready")
    moved = AGENT.replace("    def run(", "    def stop(self):\n        pass\n\n    def run(")
    place.hosted.commit("main", {"agent.py": moved})
    place.hub.faults.answer("POST", "/graphql", 502, times=None)
    place.night(at=NEXT)  # the new fix is remembered, and not yet on the branch
    place.hub.faults.clear()
    place.hosted.add_check_run(branch, status="in_progress", conclusion=None)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        place.hosted.add_check_run(branch)

    asyncio.run(follow(open_app(place.config), sleep=sleep, monotonic=lambda: sum(slept)))
    assert place.hosted.pull(1).draft

    place.finding(LATER)
    assert b"def stop(self)" in place.hosted.files(branch)["agent.py"]


# --- over what a person did


def test_what_a_person_reopened_is_not_exchanged_by_a_fix_that_waited(opened: Life) -> None:
    move_base(opened)
    assert opened.night(Plan(kill=Kill("before POST */git/trees"))) is None
    opened.repository.close(1)
    opened.night(Plan())
    opened.repository.reopen(1)
    before = content(opened)

    opened.night(Plan())

    assert (content(opened), comments(opened)) == (before, [])


def test_what_a_person_approved_is_not_exchanged_for_something_else(opened: Life) -> None:
    opened.repository.review(1, "APPROVED", "Good", by="alice")
    opened.repository.add_check_run(opened.branches()[0], conclusion="failure")

    opened.night(Plan())

    assert content(opened) == MENDED


def test_what_a_person_turned_into_a_draft_stays_one(opened: Life) -> None:
    """It was opened as ready for review: only a person can have made a draft of it."""
    opened.repository.set_draft(opened.pulls()[1], opened.repository.owner, draft=True)
    opened.repository.add_check_run(opened.branches()[0])

    opened.night(Plan())

    assert opened.pulls()[1].draft


def test_a_push_while_the_night_is_busy_keeps_a_moot_pull_request_open(opened: Life) -> None:
    opened.repository.commit("main", {"agent/alpha.py": MENDED})
    fail(opened, "bravo")

    def push() -> None:
        opened.repository.commit(f"selfimprover/fix-{finding_id('alpha')}", {"notes.md": "by hand"})

    opened.night(Plan(meanwhile=("before POST */git/refs", push)))

    assert opened.pulls()[1].state == "open"


def test_a_push_while_the_night_is_busy_keeps_a_draft_a_draft(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(mode=Mode.DRAFT))
    life.wait(HOUR)
    (branch,) = life.branches()
    life.repository.add_check_run(branch)
    fail(life, "bravo")

    life.night(Plan(meanwhile=("before POST */git/refs", lambda: life.repository.commit(branch, {"notes.md": "wip"}))))

    assert life.pulls()[1].draft


def test_what_a_person_closes_while_the_night_is_busy_gets_no_words_of_ours(opened: Life) -> None:
    opened.repository.commit("main", {"agent/alpha.py": MENDED})
    fail(opened, "bravo")

    opened.night(Plan(meanwhile=("before POST */git/refs", lambda: opened.repository.close(1))))

    assert comments(opened) == []


def test_a_restored_memory_does_not_close_a_newer_fix_for_what_its_older_draft_changed(opened: Life) -> None:
    opened.backups.make(opened.now)
    opened.repository.add_check_run(opened.branches()[0], conclusion="failure")
    opened.night(Plan())
    assert content(opened) == MENDED_AGAIN
    opened.backups.restore(opened.backups.all()[0], opened.now, "a test says so")
    opened.repository.commit("main", {"agent/alpha.py": MENDED})

    opened.night(Plan())

    assert opened.pulls()[1].state == "open"


def test_a_mark_in_a_strangers_comment_does_not_silence_us(opened: Life) -> None:
    opened.repository.comment(1, "nice <!-- selfimprover closed -->", by="mallory")
    opened.repository.commit("main", {"agent/alpha.py": MENDED})

    opened.night(Plan())

    assert len(comments(opened)) == 2


def test_a_person_who_pushes_before_the_labels_are_there_is_left_alone(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(kill=Kill("after POST */pulls")))
    life.wait(HOUR)
    life.repository.commit(life.branches()[0], {"notes.md": "by hand"})

    life.night(Plan())

    assert life.pulls()[1].labels == []


def test_a_pull_request_that_a_person_retargeted_is_left_to_them(opened: Life) -> None:
    opened.repository.commit("release", {"agent/alpha.py": "value = 9\n"})
    opened.repository.edit_pull(opened.pulls()[1], opened.repository.owner, base="release")
    head = opened.repository.branch(opened.branches()[0])

    for number in range(3):
        opened.repository.commit("main", {"notes.md": f"{number}"})
        opened.wait(DAY)
        opened.night(Plan())

    assert (len(comments(opened)), opened.repository.branch(opened.branches()[0])) == (0, head)


def test_a_comment_that_a_person_deleted_is_not_written_again(opened: Life) -> None:
    opened.wait(9 * DAY)
    opened.night(Plan())
    assert "may have stopped" in comments(opened)[0]
    opened.pulls()[1].comments.clear()
    opened.wait(DAY)

    opened.night(Plan())

    assert comments(opened) == []


# --- untrue


def test_a_seldom_error_is_not_said_to_have_stopped(opened: Life) -> None:
    opened.wait(9 * DAY)
    opened.telemetry.tasks = []
    opened.fail("alpha", 1)  # once is less than a finding, and more than never

    opened.night(Plan())

    assert not any("has not been seen since 2026-02-1" in text for text in comments(opened))


def test_a_request_for_changes_that_was_dismissed_is_over(opened: Life) -> None:
    review = opened.repository.review(1, "CHANGES_REQUESTED", "No", by="bob")
    opened.night(Plan())
    review.state = "DISMISSED"

    opened.night(Plan())

    pull = case_of(opened).pull_request
    assert pull is not None
    assert pull.standing == {}


def test_a_ruleset_that_forbids_the_exchange_is_not_called_somebodys_push(opened: Life) -> None:
    opened.repository.add_ruleset("selfimprover/*", updates=True)
    move_base(opened)

    opened.night(Plan())
    opened.night(Plan())

    assert "whoever pushed" not in case_of(opened).reason
    decided = opened.reports[-1].findings
    assert all("somebody pushed" not in one.reason for one in decided)


def test_what_we_closed_ourselves_is_not_called_rejected(opened: Life) -> None:
    opened.repository.commit("main", {"agent/alpha.py": MENDED})
    opened.night(Plan())
    assert opened.pulls()[1].state == "closed"
    opened.wait(DAY)
    fail(opened, "alpha")

    report = opened.night(Plan())

    assert report is not None
    assert not any("rejected" in one.reason for one in report.findings)


def test_a_person_who_answers_by_mail_is_heard(opened: Life) -> None:
    """Mail programs quote what they answer, and the mark of our comments with it."""
    opened.repository.comment(1, "Please do not do this.\n\n> It may have stopped.\n> <!-- selfimprover -->")

    opened.night(Plan())

    pull = case_of(opened).pull_request
    assert pull is not None
    assert any("Please do not" in review.text for review in pull.reviews)


# --- again and again


def test_a_locked_conversation_is_not_a_reason_to_write_every_night(opened: Life) -> None:
    move_base(opened)
    written = []
    for _ in range(4):
        before = len(opened.hub.log.writes())
        opened.hub.faults.answer("POST", "*/comments", 403, LOCKED, times=None)
        opened.wait(DAY)
        opened.night(Plan())
        written.append(len(opened.hub.log.writes()) - before)

    assert written[1:] == [0, 0, 0]
    assert case_of(opened).revises is None


def test_a_locked_conversation_is_not_a_reason_to_draft_every_night(opened: Life) -> None:
    move_base(opened, text="value = 7\n")
    errors = 0
    for _ in range(4):
        opened.hub.faults.answer("POST", "*/comments", 403, LOCKED, times=None)
        opened.wait(DAY)
        report = opened.night(Plan())
        assert report is not None
        errors += len(report.errors)

    assert errors <= 1


class Unproven(FakeVerifier):
    """Can run nothing."""

    async def verify(self, draft: Draft, tree: Path, base_commit: str, recorded: Sequence[TaskRecord] = ()) -> Verdict:
        verdict = await super().verify(draft, tree, base_commit, recorded)
        return replace(verdict, passed=False, strength=Strength.NONE, checks=(), reason="no test command")


class UnprovenLife(Life):
    """A project without tests."""

    def _project(self, client: GitHub) -> ProjectParts:
        return replace(super()._project(client), verifier=Unproven())


def test_a_draft_that_nothing_can_prove_leaves_no_rows_in_idle_nights(tmp_path: Path) -> None:
    with FakeGitHub() as hub:
        life = UnprovenLife(tmp_path, hub)
        fail(life, "alpha")
        life.night(Plan())
        before = rows(life, "journal"), rows(life, "evidence")
        for _ in range(5):
            life.wait(HOUR)
            life.night(Plan())

        assert (rows(life, "journal"), rows(life, "evidence")) == before


def test_a_fix_held_back_is_no_news_whenever_an_unrelated_file_changes(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(mode=Mode.OBSERVE))
    before = rows(life, "evidence")
    for number in range(5):
        life.repository.commit("main", {"notes.md": f"{number}"})
        life.wait(HOUR)
        life.night(Plan(mode=Mode.OBSERVE))

    assert rows(life, "evidence") == before


def test_a_conflict_that_cannot_be_solved_is_no_news_whenever_an_unrelated_file_changes(opened: Life) -> None:
    move_base(opened, text="value = 7\n")
    opened.night(Plan())
    before = rows(opened, "evidence")
    for number in range(5):
        opened.repository.commit("main", {"notes.md": f"{number}"})
        opened.wait(HOUR)
        opened.night(Plan())

    assert rows(opened, "evidence") == before


def test_one_archive_that_cannot_be_had_is_one_error(life: Life) -> None:
    fail(life, "alpha", "bravo")
    life.night(Plan())
    life.night(Plan())
    assert len(life.open_pulls()) == 2
    life.repository.commit("main", {"notes.md": "work"})
    life.wait(DAY)

    report = life.night(Plan(troubles=(Trouble("500 nothing", "GET */tarball/*", times=999),)))

    assert report is not None
    assert len(report.errors) == 1, report.errors


# --- stuck


def test_a_ruleset_that_was_mended_lets_the_fix_out(life: Life) -> None:
    fail(life, "alpha")
    life.repository.add_ruleset("selfimprover/*", creations=True)
    for _ in range(3):
        life.wait(HOUR)
        life.night(Plan())
    assert case_of(life).state is State.PARKED
    life.repository.rulesets.clear()

    for _ in range(2):
        life.wait(HOUR)
        life.night(Plan())

    assert len(life.pulls()) == 1


def test_too_quickly_is_a_limit_and_no_refusal(life: Life) -> None:
    fail(life, "alpha")
    body = {"message": "Validation Failed", "errors": [{"code": "custom", "message": "was submitted too quickly"}]}
    life.hub.faults.answer("POST", "*/pulls", 422, body)

    life.night(Plan())

    assert case_of(life).state is not State.PARKED, case_of(life).reason


def test_a_repository_without_drafts_is_told_what_to_set(life: Life) -> None:
    life.repository.drafts_allowed = False
    fail(life, "alpha")

    for _ in range(3):
        life.repository.commit("main", {"notes.md": f"{len(life.hub.log)}"})
        life.wait(HOUR)
        life.night(Plan(mode=Mode.DRAFT))

    assert "ready" in case_of(life).reason


def test_a_merge_of_long_ago_is_not_called_a_deleted_branch(opened: Life) -> None:
    opened.repository.delete_branch_on_merge = True
    opened.repository.merge(1)
    for number in range(101):
        opened.repository.commit(f"work-{number}", {"notes.md": f"{number}"})
        opened.wait(timedelta(minutes=1))
        opened.repository.close(opened.repository.propose(f"work-{number}").number)
    opened.lose_memory()
    opened.repository.commit("main", {"agent/alpha.py": BROKEN})  # reverted
    fail(opened, "alpha")

    opened.night(Plan())

    assert case_of(opened).state is State.MERGED


# --- limits


def test_what_a_person_published_by_hand_does_not_count_in_the_night_of_the_date(life: Life) -> None:
    fail(life, "alpha", "bravo")
    life.night(Plan(mode=Mode.OBSERVE))
    life.wait(DAY)  # the next night is due later on this date
    asyncio.run(publish(life, "alpha"))
    asyncio.run(publish(life, "bravo"))
    life.wait(HOUR)
    fail(life, "charlie")
    assert len(life.open_pulls()) == 2

    life.night(Plan())

    assert len(life.open_pulls()) == 3


async def publish(life: Life, word: str) -> None:
    """``findings publish``."""
    memory = SqlMemory(f"sqlite:///{life.memory_file}")
    scratch = life.folder / f"publish-{word}"
    scratch.mkdir()
    try:
        async with GitHub(life.hub.url, TokenAuth(life.token), sleep=life.sleep, monotonic=life.monotonic) as client:
            case = await memory.case(finding_id(word))
            assert case is not None
            await by_hand.publish_one(life._parts(memory, Mode.READY, scratch), life._project(client), case, life.now)
    finally:
        await memory.close()


class TwoProjects(Life):
    """Two projects of one repository, as of an assistant with two telemetry tables."""

    async def _night(self, mortal: Mortal, mode: Mode) -> NightReport:
        if not self.memory_file.exists():
            self.memory_file.write_bytes(empty_memory())
        scratch = self.folder / f"scratch-{self.nights}"
        scratch.mkdir()
        memory = MortalMemory(f"sqlite:///{self.memory_file}", mortal)
        try:
            async with GitHub(
                self.hub.url,
                TokenAuth(self.token),
                transport=MortalTransport(mortal),
                sleep=self.sleep,
                now=lambda: self.now,
                monotonic=self.monotonic,
            ) as client:
                one = self._project(client)
                two = replace(one, name="other", telemetry=FakeTelemetry("other"))
                return await Night(self._parts(memory, mode, scratch), [one, two]).run(self.now)
        finally:
            self.key = memory.key
            await memory.close()


def test_a_pull_request_of_a_repository_with_two_projects_counts_once(tmp_path: Path) -> None:
    with FakeGitHub() as hub:
        life = TwoProjects(tmp_path, hub)
        fail(life, "alpha", "bravo")
        life.night(Plan())
        life.wait(DAY)
        fail(life, "charlie")

        report = life.night(Plan())

        assert report is not None
        assert len({pull.number for pull in report.pull_requests}) == len(report.pull_requests)
        assert len(life.open_pulls()) == LIMITS.open_pull_requests


# --- what is asked of people, and what checks say


def test_one_reviewer_who_may_not_be_asked_does_not_keep_the_others_from_it(place: Hosted) -> None:
    place.hosted.add_collaborator("carol")
    text = place.config.read_text().replace('mode = "', 'reviewers = ["carol", "stranger"]\nmode = "', 1)
    place.config.write_text(text)

    place.finding()

    assert [user.login for user in place.hosted.pull(1).reviewers] == ["carol"]


def test_the_follower_sees_more_checks_than_one_page(place: Hosted) -> None:
    place.configure(mode="draft")
    place.finding()
    branch = place.hosted.pull(1).head
    place.configure(mode="ready")
    place.hosted.add_check_run(branch, name="a", status="in_progress", conclusion=None)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        for number in range(40):
            place.hosted.add_check_run(branch, name=f"a{number}")
        place.hosted.add_check_run(branch, name="a")
        place.hosted.add_check_run(branch, name="z", conclusion="failure")

    asyncio.run(follow(open_app(place.config), sleep=sleep, monotonic=lambda: sum(slept)))

    assert place.hosted.pull(1).draft


def test_checks_that_cannot_be_seen_are_not_green(life: Life) -> None:
    fail(life, "alpha")
    life.night(Plan(mode=Mode.DRAFT))
    life.wait(HOUR)
    life.repository.add_status(life.branches()[0], "cla", "success")
    life.repository.add_check_run(life.branches()[0], conclusion="failure")
    refusal = {"message": "Resource not accessible by personal access token"}
    life.hub.faults.answer("GET", "*/check-runs", 403, refusal, times=None)

    life.night(Plan())

    assert life.pulls()[1].draft


def test_a_check_that_was_cancelled_is_no_failure_of_the_fix(opened: Life) -> None:
    opened.repository.add_check_run(opened.branches()[0], conclusion="cancelled")

    opened.night(Plan())

    assert opened.drafter.told == []
