"""Recorded tasks are run again on base and patched tree, and what they were given is data and nothing else."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from selfimprover.domain import CUT_MARK, CheckStatus, Draft, TaskRecord, Verdict
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.verification.bare import Bare
from selfimprover.verification.bubblewrap import Bubblewrap
from selfimprover.verification.sandbox import Job, Sandbox
from tests.integration.proofs import BASE, BETTER, MAIL, PYTEST, Watched, check_of, draft, plant, verifier
from tests.integration.test_verifier_sandboxed import EXPOSED

BUG = "TypeError: object of type 'NoneType' has no len()"
TRACE = f'Traceback (most recent call last):\n  File "/srv/app/mail.py", line 2, in count\n    x\n{BUG}\n'
RUN = """\
import json, sys
from mail import count

print("counted", count(json.load(sys.stdin)["mails"]))
"""
REPLAY = "python run.py"
QUICK = "true"
"""A test command for what does not depend on tests."""
GIVEN = '{"mails": null}'
DIGEST = 'python -c "import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"'
RAISING = """\
def count(mails):
    if mails is None:
        raise ValueError("no mails here")
    return len(mails)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path, run=RUN)


def task(given: str | None = GIVEN, number: int = 1, error: str = BUG, traceback: str | None = TRACE) -> TaskRecord:
    return TaskRecord(
        project="assistant",
        id=f"t-{number}",
        status="failed",
        created_at=datetime(2026, 2, 15, tzinfo=UTC) - timedelta(hours=number),
        error=error,
        traceback=traceback,
        input=given,
    )


async def verify(
    tree: Path,
    *tasks: TaskRecord,
    after: Draft | None = None,
    command: str = REPLAY,
    sandbox: Sandbox | None = None,
    test: str = QUICK,
) -> Verdict:
    part = verifier(test, replay=command, sandbox=sandbox, fingerprinter=ErrorFingerprinter(), timeout=20)
    return await part.verify(after or draft(BETTER), tree, BASE, tasks)


def detail(verdict: Verdict) -> str:
    return check_of(verdict, "replay").detail


# --- what counts


async def test_a_task_that_fails_again_on_the_base_and_goes_well_with_the_change_is_replayed(tree: Path) -> None:
    verdict = await verify(tree, task(), test=PYTEST)

    assert (verdict.passed, verdict.replayed) == (True, True)
    assert detail(verdict) == "1 recorded task fails on the base as recorded and ends well on the patched tree"
    assert check_of(verdict, "replay").status is CheckStatus.PASSED


async def test_a_change_with_which_the_task_fails_as_before_is_refused(tree: Path) -> None:
    verdict = await verify(tree, task(), after=draft(MAIL + "# no change\n"))

    assert not verdict.passed
    assert verdict.reason == "the recorded task t-1 fails on the patched tree with the same error"
    assert BUG in verdict.output
    assert check_of(verdict, "tests").status is CheckStatus.SKIPPED
    assert not verdict.unproven


async def test_a_change_with_which_the_task_fails_in_another_way_is_refused_and_the_way_is_told(tree: Path) -> None:
    verdict = await verify(tree, task(), after=draft(RAISING))

    assert not verdict.passed
    assert verdict.reason == (
        "the recorded task t-1 fails on the patched tree with another error: ValueError: no mails here"
    )


async def test_one_task_of_several_that_fails_decides(tree: Path) -> None:
    other = 'def count(mails):\n    return 0 if mails is None else mails["n"]\n'
    bug = "TypeError: object of type 'int' has no len()"

    verdict = await verify(tree, task(), task('{"mails": 3}', 2, error=bug, traceback=None), after=draft(other))

    assert "the recorded task t-2 fails on the patched tree with another error: TypeError" in verdict.reason


async def test_tasks_that_were_given_the_same_are_run_once_and_three_are_enough(tree: Path) -> None:
    sandbox = Watched()
    tasks = [task(number=1), task(number=2), *(task(f'{{"mails": null, "n": {n}}}', n) for n in range(3, 9))]

    verdict = await verify(tree, *tasks, sandbox=sandbox)

    assert detail(verdict).startswith("3 recorded tasks fail on the base as recorded and end well")
    assert sum(REPLAY in job.command for job in sandbox.jobs) == 6


async def test_a_replay_on_the_base_is_made_once_for_all_drafts_of_a_night(tree: Path) -> None:
    sandbox = Watched()
    part = verifier(QUICK, replay=REPLAY, sandbox=sandbox, fingerprinter=ErrorFingerprinter())

    for after in (MAIL + "# no change\n", BETTER):
        verdict = await part.verify(draft(after), tree, BASE, [task()])

    assert verdict.replayed
    assert sum(REPLAY in job.command for job in sandbox.jobs) == 3


async def test_another_replay_command_asks_for_another_verdict(tree: Path) -> None:
    assert verifier(QUICK, replay="a").key() != verifier(QUICK, replay="b").key()


# --- what says nothing


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "task t-1 has no input"),
        ("", "task t-1 has no input"),
        ('{"mails": null, "key": "[REDACTED:github-token:0a1b2c]"}', "the input of task t-1 had something secret"),
        (f'{{"mails": null, "x": "{CUT_MARK}"}}', "the input of task t-1 is too long to have been kept whole"),
        ('{"mails": []}', "task t-1 does not fail on the base"),
        ("no JSON", "task t-1 fails on the base with another error: JSONDecodeError: "),
    ],
)
async def test_a_task_that_cannot_be_replayed_is_told_and_judges_nothing(
    tree: Path, given: str | None, why: str
) -> None:
    verdict = await verify(tree, task(given))

    assert (verdict.passed, verdict.replayed) == (True, False)
    assert detail(verdict).startswith(f"no recorded task could be replayed: {why}")
    assert check_of(verdict, "replay").status is CheckStatus.SKIPPED


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("no-such-program", "did not begin: the command of projects.verify.replay was not found"),
        ("sleep 60", "does not end on the base in time"),
    ],
)
async def test_a_command_that_is_of_no_use_judges_nothing(tree: Path, command: str, why: str) -> None:
    part = verifier(QUICK, replay=command, fingerprinter=ErrorFingerprinter(), timeout=3)

    verdict = await part.verify(draft(), tree, BASE, [task()])

    assert (verdict.passed, verdict.replayed) == (True, False)
    assert why in detail(verdict)


async def test_a_finding_without_tasks_of_the_project_has_nothing_to_replay(tree: Path) -> None:
    assert detail(await verify(tree)) == (
        "no recorded task could be replayed: none of the finding's tasks is of this project"
    )


async def test_without_a_command_nothing_is_replayed(tree: Path) -> None:
    verdict = await verifier(QUICK, replay=" ").verify(draft(), tree, BASE, [task()])

    assert "replay" not in {check.name for check in verdict.checks}


# --- how failures are told apart


@pytest.mark.parametrize(
    ("command", "how"),
    [
        ("python run.py 2> errors; s=$?; tail -1 errors; exit $s", "as recorded"),
        ("python run.py; s=$?; echo 12:00 INFO the next line of a log; exit $s", "as recorded"),
        ("python run.py 2> errors", "with an error that could not be compared"),
        ("python run.py; true", "as recorded"),
    ],
    ids=["by its last line", "with a log after it", "by its exit status", "by its log alone"],
)
async def test_a_failure_is_known_by_its_traceback_or_its_last_line_or_its_exit_status(
    tree: Path, command: str, how: str
) -> None:
    verdict = await verify(tree, task(), command=command)

    assert (verdict.passed, verdict.replayed) == (True, True), verdict.reason
    assert f"fails on the base {how} and" in detail(verdict)


@pytest.mark.parametrize(
    ("command", "after", "fault"),
    [
        ("python run.py 2> errors", MAIL + "# no change\n", "too"),
        (f"{REPLAY}; true", MAIL + "# no change\n", "with the same error"),
        (f"{REPLAY}; true", RAISING, "with another error: ValueError: no mails here"),
        (f"{REPLAY} || grep -q raise mail.py", RAISING, ""),
    ],
)
async def test_a_command_that_tells_little_is_judged_by_what_it_tells(
    tree: Path, command: str, after: str, fault: str
) -> None:
    verdict = await verify(tree, task(), after=draft(after), command=command)

    wanted = f"the recorded task t-1 fails on the patched tree {fault}" if fault else ""
    assert verdict.reason == wanted or (not fault and verdict.replayed)


async def test_an_error_that_the_program_got_over_is_no_failure_where_its_status_tells(tree: Path) -> None:
    over = "def count(mails):\n    import traceback\n    try:\n        return len(mails)\n"
    over += "    except TypeError:\n        traceback.print_exc()\n        return 0\n"

    assert (await verify(tree, task(), after=draft(over))).replayed


async def test_a_task_that_does_not_end_with_the_change_is_refused(tree: Path) -> None:
    stuck = "def count(mails):\n    while mails is None:\n        pass\n    return len(mails)\n"
    part = verifier(QUICK, replay=REPLAY, fingerprinter=ErrorFingerprinter(), timeout=4)

    verdict = await part.verify(draft(stuck), tree, BASE, [task()])

    assert verdict.reason == "the recorded task t-1 does not end on the patched tree in time"


# --- hostile input


HOSTILE = {
    "shell": "$(touch pwned) `touch pwned`; touch pwned #' \" && touch pwned\n",
    "NUL": "a\0b\0",
    "large": "x" * 60_000 + "\n'; touch pwned; '",
    "surrogate": "half \ud800 a pair",
    "control": "\x1b[2J\x04\x1a\r\n\u202e",
}


async def given_to(sandbox: Sandbox, tree: Path, given: str, readable: tuple[Path, ...] | None = None) -> list[str]:
    """What the runs of a replay command print that tells its input; no job had it in its command or environment."""
    printed: list[str] = []

    def note(job: Job) -> None:
        if DIGEST in job.command:
            printed.append(job.output.read_text())

    watched = Watched(note, sandbox)
    part = verifier(QUICK, replay=f"{DIGEST}; ls; env; false", sandbox=watched, readable=readable)
    await part.verify(draft(), tree, BASE, [task(given)])
    assert all(given not in "\n".join([job.command, *job.env.values()]) for job in watched.jobs)
    return printed


@pytest.mark.parametrize("given", HOSTILE.values(), ids=HOSTILE)
async def test_whatever_a_task_was_given_arrives_on_standard_input_byte_for_byte_and_nowhere_else(
    tree: Path, given: str
) -> None:
    printed = await given_to(Bare(), tree, given)

    assert len(printed) == len(["base", "patched"])
    wanted = sha256(given.encode("utf-8", "replace")).hexdigest()
    assert all(wanted in text and "pwned" not in text for text in printed)


async def test_it_arrives_so_in_the_sandbox_as_well(tree: Path, bubblewrap: Bubblewrap) -> None:
    given = "".join(HOSTILE.values())

    printed = await given_to(bubblewrap, tree, given, EXPOSED)

    assert len(printed) == len(["base", "patched"])
    assert all(sha256(given.encode("utf-8", "replace")).hexdigest() in text for text in printed)


async def test_a_replay_sees_no_network_and_nothing_of_ours_in_the_sandbox(tree: Path, bubblewrap: Bubblewrap) -> None:
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    command = f'python -c "{reach}"'
    part = verifier(QUICK, replay=command, sandbox=bubblewrap, readable=EXPOSED, fingerprinter=ErrorFingerprinter())

    verdict = await part.verify(draft(), tree, BASE, [task()])

    assert "fails on the base with another error: OSError: [Errno 101] Network is unreachable" in detail(verdict)


async def test_a_task_is_replayed_inside_the_sandbox(tree: Path, bubblewrap: Bubblewrap) -> None:
    part = verifier(QUICK, replay=REPLAY, sandbox=bubblewrap, readable=EXPOSED, fingerprinter=ErrorFingerprinter())

    assert (await part.verify(draft(), tree, BASE, [task()])).replayed
