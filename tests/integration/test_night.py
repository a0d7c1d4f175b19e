"""The whole night on a real memory: what it decides, what it remembers, and what it never does twice."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from selfimprover.domain import Choice, NightReport, OutcomeState, PullState, State
from selfimprover.errors import TelemetryError
from selfimprover.interfaces import AnalysisContext, TelemetrySource
from selfimprover.night import Limits, Mode
from selfimprover.patterns.fingerprints import VERSION, ErrorFingerprinter
from tests.builders import BUG, GATEWAY, NIGHT, TIMEOUT, World
from tests.fakes.forge import FakeForge
from tests.fakes.telemetry import FakeTelemetry

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _ran_after(instant: datetime, version: str, world: World) -> None:
    """Lets every task from ``instant`` on tell which version of the code ran it."""
    tasks = world.telemetry.tasks
    tasks[:] = [replace(task, version=version) if task.created_at >= instant else task for task in tasks]


def states(report: NightReport) -> dict[str, State]:
    return {finding.title.split(":")[0]: finding.state for finding in report.findings}


async def test_a_repeated_bug_becomes_a_pull_request(world: World) -> None:
    world.fail(BUG, 3)

    report = await world.night()

    (finding,) = report.findings
    assert (finding.occurrences, finding.state, finding.triage, finding.pr_number) == (3, State.OPEN, Choice.FIX, 1)
    assert [pull.number for pull in report.pull_requests] == [1]
    assert world.forge.pulls[1].branch == f"selfimprover/fix-{finding.id}"
    assert finding.confidence == pytest.approx(0.92)


async def test_somebody_elses_server_is_diagnosed_not_patched(world: World) -> None:
    world.fail(GATEWAY, 5)

    report = await world.night()

    assert states(report) == {"GatewayTimeout": State.DIAGNOSED}
    assert "5xx" in report.findings[0].reason
    assert world.drafter.seen == []
    assert world.forge.pulls == {}


async def test_an_error_below_the_threshold_is_no_finding_but_is_counted(world: World) -> None:
    world.fail(BUG, 1)

    report = await world.night()

    assert report.findings == ()
    assert [(top.error_type, top.count) for top in report.top_errors] == [("AttributeError", 1)]


async def test_the_second_night_opens_no_second_pull_request(world: World) -> None:
    world.fail(BUG, 3)
    await world.night()

    report = await world.night(NIGHT + DAY)

    assert len(world.forge.pulls) == 1
    assert report.findings[0].reason == "pull request #1 is open"
    assert report.findings[0].triage is Choice.SKIP


async def test_a_rejected_fix_is_never_proposed_again(world: World) -> None:
    world.fail(BUG, 3)
    await world.night()
    world.forge.close(1, NIGHT + DAY / 2)

    report = await world.night(NIGHT + DAY)

    assert states(report) == {"AttributeError": State.CLOSED}
    assert "rejected" in report.findings[0].reason
    assert [pull.state for pull in report.pull_requests] == [PullState.CLOSED]
    assert len(world.forge.pulls) == 1


async def test_a_merged_fix_is_followed_up_with_its_numbers(world: World) -> None:
    world.fail(BUG, 3)
    await world.night()
    version = world.forge.merge(1, NIGHT + DAY / 3)
    world.fail("ValueError: another", 1, until=NIGHT + DAY)

    report = await world.night(NIGHT + DAY)

    assert version == "merge-1"
    (outcome,) = report.outcomes
    assert outcome.state is OutcomeState.NOT_YET_KNOWN
    assert (outcome.before_failures, outcome.before_tasks, outcome.after_failures) == (3, 15, 0)
    assert outcome.more_tasks_needed is not None
    assert outcome.sentence.startswith(f"not yet known, about {outcome.more_tasks_needed} more tasks needed")
    assert report.findings[0].reason == "pull request #1 is merged; the error has not been seen since"


async def test_an_error_that_returns_in_old_code_waits_for_deployment(world: World) -> None:
    world.fail(BUG, 3)
    await world.night()
    world.forge.merge(1, NIGHT + timedelta(hours=1))
    world.fail(BUG, 2, until=NIGHT + DAY)
    _ran_after(NIGHT, "base-1", world)

    report = await world.night(NIGHT + DAY)

    assert "waiting for deployment" in report.findings[0].reason
    assert report.findings[0].triage is Choice.SKIP
    assert "counted since the last of 2 failures in code without the fix" in report.outcomes[0].sentence


async def test_an_error_that_returns_in_fixed_code_is_a_fix_that_does_not_hold(world: World) -> None:
    world.fail(BUG, 3)
    await world.night()
    world.forge.merge(1, NIGHT + timedelta(hours=1))
    world.fail(BUG, 2, until=NIGHT + DAY)
    _ran_after(NIGHT, "merge-1", world)

    report = await world.night(NIGHT + DAY)

    assert "does not hold" in report.findings[0].reason
    assert report.findings[0].triage is Choice.DIAGNOSE
    assert len(world.forge.pulls) == 1


async def test_observe_mode_writes_nothing_to_the_forge(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.fail(BUG, 3)

    report = await world.night()

    assert states(report) == {"AttributeError": State.VERIFIED}
    assert "observe" in report.findings[0].reason
    assert (world.forge.branches, world.forge.pulls) == ({}, {})


async def test_what_observe_held_back_is_opened_once_the_mode_allows_it(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.fail(BUG, 3)
    await world.night()
    world.mode = Mode.DRAFT

    report = await world.night(NIGHT + DAY)

    assert states(report) == {"AttributeError": State.OPEN}
    assert world.forge.pulls[1].draft
    assert world.verifier.seen == 1


async def test_a_base_that_moved_is_drafted_and_proven_anew_when_its_fix_may_be_published(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.fail(BUG, 3)
    await world.night()
    world.forge.commit = "base-2"
    world.forge.history["base-2"] = {"base-1", "base-2"}

    await world.night(NIGHT + DAY)
    assert (len(world.drafter.seen), world.verifier.seen) == (1, 1)
    world.mode = Mode.READY
    await world.night(NIGHT + DAY + DAY / 2)

    assert (len(world.drafter.seen), world.verifier.seen) == (2, 2)
    assert world.forge.pulls[1].head_commit


async def test_limits_hold_back_what_is_too_much_for_one_night(world: World) -> None:
    world.limits = Limits(new_pull_requests=1)
    world.fail(BUG, 3)
    world.fail(TIMEOUT, 4)

    first = await world.night()
    second = await world.night(NIGHT + timedelta(hours=1))

    assert sorted(states(first).values()) == [State.OPEN, State.VERIFIED]
    assert any("new_pull_requests_per_night" in finding.reason for finding in first.findings)
    assert set(states(second).values()) == {State.OPEN}
    assert second.night == "2026-02-16-2"


async def test_no_more_than_the_allowed_number_is_open_at_once(world: World) -> None:
    world.limits = Limits(open_pull_requests=1)
    world.fail(BUG, 3)
    world.fail(TIMEOUT, 4)
    await world.night()

    report = await world.night(NIGHT + DAY)

    assert len(world.forge.pulls) == 1
    assert any("open_pull_requests" in finding.reason for finding in report.findings)


async def test_findings_beyond_the_limit_wait(world: World) -> None:
    world.limits = Limits(findings=1)
    world.fail(BUG, 3)
    world.fail(TIMEOUT, 4)

    report = await world.night()

    assert sorted(states(report).values()) == [State.FOUND, State.OPEN]


async def test_a_draft_that_breaks_a_test_parks_with_its_reason(world: World) -> None:
    world.verifier.passes = False
    world.fail(BUG, 3)

    report = await world.night()

    assert states(report) == {"AttributeError": State.PARKED}
    assert report.findings[0].reason == "a test fails that passed before"
    assert world.forge.branches == {}


async def test_a_parked_finding_is_tried_again_only_while_attempts_last_or_something_changed(world: World) -> None:
    world.drafter.refuses = "not this shape"
    world.fail(BUG, 3)
    for night in range(4):
        report = await world.night(NIGHT + timedelta(minutes=night))
    assert len(world.drafter.seen) == 2
    assert report.findings[0].reason == "no drafter fits: recipe:fake: not this shape"
    assert sum("Not fixed" in line for line in await world.evidence()) == 1

    world.verifier.configuration = "another"
    await world.night(NIGHT + timedelta(minutes=9))

    assert len(world.drafter.seen) == 3


async def test_an_error_that_stopped_by_itself_is_gone_and_comes_back(world: World) -> None:
    world.drafter.refuses = "no"
    world.fail(BUG, 3)
    await world.night()

    later = await world.night(NIGHT + 10 * DAY)
    memory = world.memory()
    (case,) = await memory.cases()
    await memory.close()
    assert later.findings == ()
    assert case.state is State.GONE

    world.fail(BUG, 2, until=NIGHT + 20 * DAY)
    world.drafter.refuses = None
    again = await world.night(NIGHT + 20 * DAY)

    assert states(again) == {"AttributeError": State.OPEN}
    assert again.findings[0].id == case.finding.id


async def test_a_finding_is_not_gone_because_its_telemetry_could_not_be_read(world: World) -> None:
    world.drafter.refuses = "no"
    world.fail(BUG, 3)
    await world.night()
    world.telemetry.broken = True

    report = await world.night(NIGHT + 10 * DAY)

    assert report.errors[0].what == "it cannot be read"
    assert report.projects[0].error is not None
    memory = world.memory()
    assert [case.state for case in await memory.cases()] == [State.PARKED]
    await memory.close()


async def test_a_new_version_of_the_algorithm_keeps_identities_and_opens_nothing_twice(world: World) -> None:
    class Newer(ErrorFingerprinter):
        version = VERSION + 1

    world.fail(BUG, 3)
    before = await world.night()
    world.fingerprinter = Newer()

    after = await world.night(NIGHT + DAY)

    assert [finding.id for finding in after.findings] == [finding.id for finding in before.findings]
    assert len(world.forge.pulls) == 1
    memory = world.memory()
    (case,) = await memory.cases()
    await memory.close()
    assert len(case.fingerprints) == 2


@pytest.mark.parametrize("newer", [False, True])
async def test_a_lost_memory_finds_its_own_pull_request_again(world: World, newer: bool) -> None:
    class Newer(ErrorFingerprinter):
        version = VERSION + 1

    world.fail(BUG, 3)
    before = await world.night()
    for file in world.folder.glob("memory.db*"):
        file.unlink()
    if newer:
        fingerprint = Newer().fingerprint(world.telemetry.tasks[0].error, world.telemetry.tasks[0].traceback)
        pull = world.forge.pulls[1]
        world.forge.pulls[1] = replace(pull, fingerprints=(*pull.fingerprints, fingerprint.value))
        world.fingerprinter = Newer()

    after = await world.night(NIGHT + timedelta(minutes=5))

    assert [finding.id for finding in after.findings] == [finding.id for finding in before.findings]
    assert states(after) == {"AttributeError": State.OPEN}
    assert len(world.forge.pulls) == 1


async def test_a_lost_reply_leads_to_no_second_pull_request(world: World) -> None:
    world.fail(BUG, 3)
    world.forge.lose_reply = True
    first = await world.night()
    assert first.errors[0].what == "the reply was lost"
    assert states(first) == {"AttributeError": State.PUSHED}
    assert len(world.forge.pulls) == 1

    second = await world.night(NIGHT + timedelta(minutes=5))

    assert states(second) == {"AttributeError": State.OPEN}
    assert len(world.forge.pulls) == 1


async def test_a_forge_that_cannot_be_reached_leaves_findings_as_they_are(world: World) -> None:
    world.fail(BUG, 3)
    world.forge.broken = True

    report = await world.night()

    assert report.errors[0].what == "it cannot be reached"
    assert states(report) == {"AttributeError": State.FOUND}


async def test_one_failing_analyzer_never_stops_the_rest(world: World) -> None:
    class Broken:
        name = kind = "broken"

        async def analyze(self, telemetry: TelemetrySource, context: AnalysisContext) -> list[object]:
            raise RuntimeError(f"{telemetry.project} {context.project}")

    world.analyzers = [Broken(), *world.analyzers]  # type: ignore[list-item]
    world.fail(BUG, 3)

    report = await world.night()

    assert states(report) == {"AttributeError": State.OPEN}
    assert report.errors[0].where == "analyzer broken"


async def test_one_finding_that_breaks_a_stage_never_stops_the_rest(world: World) -> None:
    world.fail(BUG, 3)
    world.fail(GATEWAY, 2)
    world.drafter.breaks = RuntimeError("a bug of a recipe")

    report = await world.night()

    assert states(report) == {"AttributeError": State.FOUND, "GatewayTimeout": State.DIAGNOSED}
    assert report.errors[0].what == "RuntimeError: a bug of a recipe"


async def test_a_dry_run_ends_after_the_drafts(world: World) -> None:
    world.fail(BUG, 3)

    report = await world.night(dry_run=True)

    assert states(report) == {"AttributeError": State.DRAFTED}
    assert world.verifier.seen == 0
    assert world.forge.branches == {}


async def test_the_baseline_is_stored_before_the_pull_request_is_opened(world: World) -> None:
    world.fail(BUG, 3)
    world.forge.lose_reply = True
    await world.night()

    memory = world.memory()
    (case,) = await memory.cases()
    await memory.close()

    assert case.state is State.PUSHED
    assert case.baseline is not None
    assert (case.baseline.failures, case.baseline.tasks) == (3, 15)


async def test_evidence_is_a_chain_that_an_export_can_prove(world: World) -> None:
    world.fail(BUG, 3)
    world.fail(GATEWAY, 2)
    await world.night()
    world.forge.merge(1, NIGHT + DAY / 3)
    await world.night(NIGHT + DAY)

    previous = None
    contents = []
    for line in await world.evidence():
        entry = json.loads(line)
        assert entry["metadata"]["previous"] == previous
        assert list(entry) == ["content", "source", "confidence", "timestamp", "metadata"]
        previous = sha256(line.encode()).hexdigest()
        contents.append(entry["content"])

    assert any("PR #1 opened with fixed value." in content for content in contents)
    assert any("Diagnosed, not patched" in content for content in contents)
    assert any("merged" in content for content in contents)
    assert any("not yet known" in content for content in contents)
    assert len(contents) == len(set(contents))


async def test_every_number_of_a_finding_names_its_queries(world: World) -> None:
    world.fail(BUG, 3)
    await world.night()

    memory = world.memory()
    (case,) = await memory.cases()
    await memory.close()

    assert {query.name for query in case.finding.queries} == {"failures", "task_counts"}


async def test_a_pull_request_that_was_ended_while_we_were_down_is_seen(world: World) -> None:
    world.fail(BUG, 3)
    world.forge.lose_reply = True
    await world.night()
    world.forge.merge(1, NIGHT + timedelta(hours=1))

    report = await world.night(NIGHT + DAY)

    assert states(report) == {"AttributeError": State.MERGED}
    assert (await world.case()).state is State.MERGED
    assert len((await world.night(NIGHT + 2 * DAY)).outcomes) == 1


async def test_a_branch_that_was_deleted_before_its_pull_request_parks_the_finding(world: World) -> None:
    world.fail(BUG, 3)
    world.forge.refuse_open = True
    report = await world.night()

    assert states(report) == {"AttributeError": State.PARKED}
    assert report.errors == ()
    assert "was changed" in report.findings[0].reason


async def test_a_dry_run_opens_no_pull_request_for_a_pushed_branch(world: World) -> None:
    world.fail(BUG, 3)
    world.forge.lose_reply = True
    await world.night()
    world.forge.pulls.clear()

    report = await world.night(NIGHT + timedelta(minutes=5), dry_run=True)

    assert world.forge.pulls == {}
    assert states(report) == {"AttributeError": State.PUSHED}


async def test_a_restored_memory_learns_of_its_pull_request_in_any_state(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.fail(BUG, 3)
    await world.night()
    older = {file: file.read_bytes() for file in world.folder.glob("memory.db*")}
    world.mode = Mode.READY
    await world.night(NIGHT + timedelta(hours=1))
    world.forge.merge(1, NIGHT + timedelta(hours=2))
    for file in world.folder.glob("memory.db*"):
        file.unlink()
    for file, content in older.items():
        file.write_bytes(content)

    report = await world.night(NIGHT + timedelta(hours=3))

    assert states(report) == {"AttributeError": State.MERGED}
    assert len(world.forge.pulls) == 1


async def test_an_adopted_pull_request_has_no_baseline_that_overlaps_what_came_after(world: World) -> None:
    world.fail(BUG, 3)
    await world.night()
    world.forge.merge(1, NIGHT + timedelta(hours=1))
    for file in world.folder.glob("memory.db*"):
        file.unlink()

    report = await world.night(NIGHT + DAY)

    assert states(report) == {"AttributeError": State.MERGED}
    assert report.outcomes == ()
    assert (await world.case()).baseline is None


async def test_telemetry_that_breaks_half_way_lets_nothing_go(world: World) -> None:
    class Breaking:
        name = kind = "breaking"

        async def analyze(self, telemetry: TelemetrySource, context: AnalysisContext) -> list[object]:
            raise TelemetryError("the page is corrupt", where=telemetry.project, mend=context.project)

    world.mode = Mode.OBSERVE
    world.fail(BUG, 3)
    await world.night()
    world.analyzers = [*world.analyzers, Breaking()]  # type: ignore[list-item]

    report = await world.night(NIGHT + DAY)

    assert [error.what for error in report.errors] == ["the page is corrupt"]
    assert (await world.case()).state is State.VERIFIED


async def test_a_failed_export_is_told_as_what_it_is_and_once_for_all_findings(world: World) -> None:
    world.fail(BUG, 3)
    world.fail(TIMEOUT, 2)
    world.forge.full_disk = True

    report = await world.night()

    assert [error.what for error in report.errors] == ["no space left on device"]
    assert [finding.state for finding in report.findings] == [State.FOUND, State.FOUND]


async def test_a_text_of_an_unexpected_error_is_redacted(world: World) -> None:
    world.fail(BUG, 3)
    world.drafter.breaks = RuntimeError("login with hunter2 failed")

    report = await world.night()

    assert report.errors[0].what == "RuntimeError: login with […] failed"


def add_project(world: World, name: str) -> FakeForge:
    forge = FakeForge()
    world.others[name] = (FakeTelemetry(name), forge)
    return forge


async def test_a_finding_in_two_projects_is_one_and_is_fixed_where_it_is_most_frequent(world: World) -> None:
    other = add_project(world, "other")
    world.fail(BUG, 2)
    world.fail(BUG, 5, project="other")

    report = await world.night()

    (finding,) = report.findings
    assert (finding.occurrences, finding.projects) == (7, ("other", "assistant"))
    assert (len(world.forge.pulls), len(other.pulls)) == (0, 1)


async def test_only_tasks_of_the_project_that_gets_the_fix_are_there_to_be_replayed(world: World) -> None:
    add_project(world, "other")
    world.fail(BUG, 1)
    world.fail(BUG, 2, project="other")

    await world.night()

    assert [task.project for task in world.verifier.recorded] == ["other", "other"]


async def test_a_finding_stays_at_home_when_another_project_overtakes(world: World) -> None:
    other = add_project(world, "other")
    world.fail(BUG, 3)
    world.fail(TIMEOUT, 4, project="other")
    await world.night()
    world.fail(BUG, 9, project="other", until=NIGHT + DAY)
    world.forge.merge(1, NIGHT + DAY / 2)

    report = await world.night(NIGHT + DAY)

    assert report.errors == ()
    assert states(report)["AttributeError"] is State.MERGED
    assert (len(world.forge.pulls), len(other.pulls)) == (1, 1)
    assert [outcome.before_failures for outcome in report.outcomes] == [3]


async def test_a_lost_memory_looks_for_its_pull_requests_in_every_project(world: World) -> None:
    other = add_project(world, "other")
    world.fail(BUG, 3)
    await world.night()
    for file in world.folder.glob("memory.db*"):
        file.unlink()
    world.fail(BUG, 9, project="other")

    report = await world.night(NIGHT + timedelta(minutes=5))

    assert states(report) == {"AttributeError": State.OPEN}
    assert (len(world.forge.pulls), len(other.pulls)) == (1, 0)


async def test_open_pull_requests_of_projects_left_out_tonight_count_as_well(world: World) -> None:
    world.limits = Limits(open_pull_requests=1)
    add_project(world, "other")
    world.fail(BUG, 3)
    await world.night()
    world.only = "other"
    world.fail(TIMEOUT, 4, project="other")

    report = await world.night(NIGHT + timedelta(minutes=5))

    assert "open_pull_requests" in report.findings[0].reason


async def test_the_last_report_is_that_of_the_night_that_ended_last(world: World) -> None:
    await world.night(NIGHT + DAY)
    await world.night(NIGHT)

    memory = world.memory()
    last = await memory.report()
    await memory.close()

    assert last is not None
    assert last.night == "2026-02-16"


# --- several at once --------------------------------------------------------------------------------------------


async def test_drafts_are_proven_at_once_within_the_cores_and_published_by_frequency(world: World) -> None:
    world.at_once, world.verifier.takes = 2, 0.05
    world.limits = Limits(new_pull_requests=2)
    for number, error in enumerate((BUG, TIMEOUT, "KeyError: 'thread'", "IndexError: list index out of range")):
        world.fail(error, 2 + number)

    report = await world.night()

    assert (world.verifier.seen, world.verifier.most) == (4, 2)
    opened = [finding.title for finding in report.findings if finding.state is State.OPEN]
    assert opened == [finding.title for finding in report.findings[:2]]
    assert {finding.state for finding in report.findings[2:]} == {State.VERIFIED}


async def test_a_finding_that_breaks_does_not_disturb_those_beside_it(world: World) -> None:
    world.at_once = 3
    world.fail(BUG, 3)
    world.fail(TIMEOUT, 4)
    world.fail("KeyError: 'thread'", 2)
    world.drafter.breaks, world.drafter.breaks_for = RuntimeError("it fell over"), "KeyError"

    report = await world.night()

    assert states(report) == {"TimeoutError": State.OPEN, "AttributeError": State.OPEN, "KeyError": State.FOUND}
    assert [error.what for error in report.errors] == ["RuntimeError: it fell over"]


# --- the last look before anything leaves -----------------------------------------------------------------------


async def test_a_change_with_a_secret_in_it_is_parked_and_not_even_remembered(world: World) -> None:
    world.drafter.after = "value = 'hunter2'\n"
    world.fail(BUG, 3)

    report = await world.night()

    assert states(report) == {"AttributeError": State.PARKED}
    assert "its change holds what looks like a secret (a password in line 1)" in report.findings[0].reason
    assert (await world.case()).draft is None
    assert world.forge.branches == {}


async def test_a_text_with_a_secret_in_it_opens_no_pull_request(world: World) -> None:
    world.drafter.root_cause = "The password hunter2 is wrong."
    world.fail(BUG, 3)

    report = await world.night()

    assert states(report) == {"AttributeError": State.PARKED}
    assert "the text of its pull request" in report.findings[0].reason
    assert world.forge.branches == {}
