"""The identity of findings over many nights: errors turn out to be one, people know better, no id is lost."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfimprover.domain import CaseFile, Evidence, Fingerprint, State
from selfimprover.night import joining, splitting
from tests.builders import BUG, NIGHT, World, a_finding

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.drafter.refuses = "no fix for this"
    return world


def stalled(word: str) -> str:
    return f"WorkerError: worker {word} stalled while it wrote its notes"


async def cases(world: World) -> list[CaseFile]:
    memory = world.memory()
    found = list(await memory.cases())
    await memory.close()
    return found


async def evidence(world: World) -> list[str]:
    memory = world.memory()
    lines = [json.loads(line)["content"] async for line in memory.export()]
    await memory.close()
    return lines


async def test_errors_that_differ_in_a_value_are_one_finding_with_the_evidence_for_it(world: World) -> None:
    for number, word in enumerate(("amber", "birch", "cedar", "delta", "ember")):
        world.fail(stalled(word), 1, until=NIGHT - timedelta(minutes=number))

    report = await world.night()

    (finding,) = report.findings
    assert finding.occurrences == 5
    assert finding.title == "WorkerError: worker <*> stalled while it wrote its notes"
    assert [(top.pattern, top.count) for top in report.top_errors] == [(finding.title.partition(": ")[2], 5)]
    (case,) = await cases(world)
    assert len(case.fingerprints) == 5
    assert len(case.joins) >= 4
    assert "amber" in case.joins[0].reason


async def test_findings_that_turn_out_to_be_one_go_into_the_oldest(world: World) -> None:
    world.fail(stalled("amber"), 2)
    first = await world.night()
    world.fail(stalled("birch"), 3, until=NIGHT + DAY)
    await world.night(NIGHT + DAY)
    assert len(await cases(world)) == 2
    for word in ("cedar", "delta", "ember"):
        world.fail(stalled(word), 1, until=NIGHT + 2 * DAY)

    report = await world.night(NIGHT + 2 * DAY)

    (finding,) = report.findings
    assert finding.id == first.findings[0].id
    assert finding.occurrences == 8
    states = {case.finding.id: case.state for case in await cases(world)}
    assert states.pop(finding.id) is State.PARKED
    assert list(states.values()) == [State.GONE]
    assert any("one with" in line.lower() for line in await evidence(world))
    again = await world.night(NIGHT + 3 * DAY)
    assert [one.id for one in again.findings] == [finding.id]


async def test_what_was_seen_on_other_nights_is_evidence_as_well(world: World) -> None:
    for number, word in enumerate(("amber", "birch", "cedar", "delta")):
        world.fail(stalled(word), 1, until=NIGHT + number * 9 * DAY)
        report = await world.night(NIGHT + number * 9 * DAY)
        assert report.findings == ()
    world.fail(stalled("ember"), 2, until=NIGHT + 36 * DAY)

    report = await world.night(NIGHT + 36 * DAY)

    assert [finding.title for finding in report.findings] == [
        "WorkerError: worker <*> stalled while it wrote its notes"
    ]


async def test_a_finding_with_a_pull_request_is_never_taken_into_another(world: World) -> None:
    world.fail(stalled("amber"), 2)
    older = await world.night()
    world.drafter.refuses = None
    world.fail(stalled("birch"), 4, until=NIGHT + DAY)
    world.verifier.passes = True
    newer = await world.night(NIGHT + DAY)
    opened = {one.id for one in newer.findings if one.pr_number is not None}
    for word in ("cedar", "delta", "ember"):
        world.fail(stalled(word), 1, until=NIGHT + 2 * DAY)

    report = await world.night(NIGHT + 2 * DAY)

    assert opened
    assert {one.id for one in report.findings} <= opened | {older.findings[0].id}
    for case in await cases(world):
        if case.finding.id in opened:
            assert case.state is State.OPEN
    assert sum(one.occurrences for one in report.findings) == 9


async def test_a_memory_of_the_first_algorithm_keeps_its_finding_ids(world: World) -> None:
    world.fail(BUG, 2)
    old = Fingerprint("aaaabbbbccccdddd", 1, "AttributeError", None, "as it was")
    finding = replace(a_finding(), id="aaaabbbbcccc", fingerprint=old)
    memory = world.memory()
    entry = Evidence(content="Found.", confidence=None, timestamp=NIGHT, metadata={})
    await memory.remember(finding, "assistant", entry, "2026-02-15", NIGHT - DAY)
    await memory.close()

    report = await world.night()

    assert [one.id for one in report.findings] == ["aaaabbbbcccc"]
    (case,) = await cases(world)
    assert case.fingerprints[0] == old.value
    assert len(case.fingerprints) == 2


async def test_what_a_person_takes_out_is_found_by_itself_and_stays_so(world: World) -> None:
    for word in ("amber", "birch", "cedar", "delta", "ember"):
        world.fail(stalled(word), 2)
    await world.night()
    (case,) = await cases(world)
    out = next(value for value in case.fingerprints if not value.startswith(case.finding.id))
    memory = world.memory()
    await memory.split(out, NIGHT, splitting(case, out, "another worker", "2026-02-16", NIGHT))
    await memory.close()

    for later in (1, 2):
        report = await world.night(NIGHT + later * DAY)
        assert {one.id: one.occurrences for one in report.findings} == {case.finding.id: 8, out[:12]: 2}
    assert any(re.search("taken out by a person: another worker", line) for line in await evidence(world))


async def test_what_a_person_joins_is_one_and_can_be_taken_out_again(world: World) -> None:
    world.fail(stalled("amber"), 3)
    world.fail(BUG, 2)
    await world.night()
    one, other = await cases(world)
    memory = world.memory()
    step = joining(other, one, "the same worker", "2026-02-16", NIGHT)
    await memory.join(other.finding.id, one.finding.id, "joined by a person: the same worker", step)
    await memory.close()

    joined = await world.night(NIGHT + DAY)

    assert [(finding.id, finding.occurrences) for finding in joined.findings] == [(one.finding.id, 5)]
    case = next(case for case in await cases(world) if case.finding.id == one.finding.id)
    assert any("the same worker" in join.reason for join in case.joins)

    memory = world.memory()
    value = other.fingerprints[0]
    await memory.split(value, NIGHT, splitting(case, value, "not so", "2026-02-16", NIGHT))
    await memory.close()
    apart = await world.night(NIGHT + 2 * DAY)
    assert {finding.id for finding in apart.findings} == {one.finding.id, other.finding.id}


async def test_an_error_without_traceback_is_counted_for_the_place_that_raises_it(world: World) -> None:
    world.fail(BUG, 2)
    world.telemetry.tasks[0] = replace(world.telemetry.tasks[0], traceback=None)
    for number, task in enumerate(world.telemetry.tasks):
        if task.error is not None and number % 2:
            world.telemetry.tasks[number] = replace(task, traceback=None)

    report = await world.night()

    assert [finding.occurrences for finding in report.findings] == [2]
