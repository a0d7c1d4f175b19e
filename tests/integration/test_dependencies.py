"""Environments prepared by a project's own commands, and results on a base: made once, kept, told when they fail."""

import os
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from selfimprover.domain import CheckStatus
from selfimprover.verification.bare import Bare
from selfimprover.verification.base_results import BaseResults
from selfimprover.verification.dependencies import Dependencies, read_by
from selfimprover.verification.junit import Report
from selfimprover.verification.results import Run
from selfimprover.verification.sandbox import Limits, Sandbox
from tests.integration.proofs import BASE, PYTEST, Watched, check_of, draft, plant, verifier

INSTALL = (
    'mkdir "$SELFIMPROVER_ENV/bin"; cp tool.sh "$SELFIMPROVER_ENV/bin/tool"; chmod +x "$SELFIMPROVER_ENV/bin/tool"'
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = plant(tmp_path)
    (folder / "tool.sh").write_text("#!/bin/sh\necho tool\n")
    (folder / "requirements.txt").write_text("one\n")
    return folder


def dependencies(
    tmp_path: Path, *setup: str, sandbox: Sandbox | None = None, network: bool = False, timeout: float = 60
) -> Dependencies:
    return Dependencies(
        folder=tmp_path / "environments",
        sandbox=sandbox or Bare(),
        limits=Limits(timeout=timeout),
        setup=setup,
        network=network,
        expose=[Path(sys.prefix)],
    )


async def test_the_tests_find_what_set_up_installed_first_on_their_path(tree: Path, tmp_path: Path) -> None:
    command = f'test "$(command -v tool)" = "$SELFIMPROVER_ENV/bin/tool" && {PYTEST}'

    verdict = await verifier(command, dependencies=dependencies(tmp_path, INSTALL)).verify(draft(), tree, BASE)

    assert verdict.passed
    assert check_of(verdict, "setup").status is CheckStatus.PASSED


async def test_the_environment_is_writable_for_set_up_and_only_shown_to_the_tests(tree: Path, tmp_path: Path) -> None:
    sandbox = Watched()
    part = dependencies(tmp_path, INSTALL, sandbox=sandbox)

    await verifier(sandbox=sandbox, dependencies=part).verify(draft(), tree, BASE)

    setup, *tests = sandbox.jobs
    env = Path(setup.env["SELFIMPROVER_ENV"])
    assert env in setup.writable
    assert all(env in job.readable and env not in job.writable for job in tests)


@pytest.mark.parametrize("network", [False, True])
async def test_only_set_up_may_use_the_network_and_only_if_told_so(tree: Path, tmp_path: Path, network: bool) -> None:
    sandbox = Watched()
    part = dependencies(tmp_path, INSTALL, sandbox=sandbox, network=network)

    await verifier(sandbox=sandbox, dependencies=part).verify(draft(), tree, BASE)

    assert [job.network for job in sandbox.jobs] == [network, False, False, False]


async def test_an_environment_is_made_once_until_what_it_was_made_from_changes(tree: Path, tmp_path: Path) -> None:
    sandbox = Watched()

    async def prepare(*setup: str) -> str:
        return (await dependencies(tmp_path, *setup, sandbox=sandbox).prepare(tree)).key

    first = [await prepare(INSTALL), await prepare(INSTALL)]
    (tree / "mail.py").write_text("changed = 1\n")
    first.append(await prepare(INSTALL))
    (tree / "requirements.txt").write_text("two\n")
    second = await prepare(INSTALL)
    (tree / "tool.sh").write_text("#!/bin/sh\n")
    third = await prepare(INSTALL)
    fourth = await prepare(INSTALL, "true")

    assert len({*first, second, third, fourth}) == 4
    assert len(sandbox.jobs) == 1 + 1 + 1 + 2


def test_set_up_depends_on_files_that_say_what_is_installed_and_on_those_it_names(tree: Path) -> None:
    (tree / "lib").mkdir()
    (tree / "lib/pyproject.toml").write_text("")
    (tree / "poetry.lock").symlink_to("/etc/passwd")

    assert set(read_by(["sh ./tool.sh"], tree)) == {"tool.sh", "requirements.txt", "lib/pyproject.toml"}


async def test_a_set_up_that_fails_says_why_is_not_kept_and_runs_no_test(tree: Path, tmp_path: Path) -> None:
    sandbox = Watched()
    part = dependencies(tmp_path, "echo no such package >&2; exit 4", sandbox=sandbox)

    verdicts = [await verifier(sandbox=sandbox, dependencies=part).verify(draft(), tree, BASE) for _ in range(2)]

    assert [check_of(verdict, "setup").status for verdict in verdicts] == [CheckStatus.FAILED] * 2
    failed = "setup failed with exit status 4: echo no such package >&2; exit 4: no such package"
    assert verdicts[0].reason == f"{failed} (mend projects.verify.setup)"
    assert len(sandbox.jobs) == 2
    assert list((tmp_path / "environments").iterdir()) == []


async def test_a_set_up_that_does_not_end_is_told_from_one_that_fails(tree: Path, tmp_path: Path) -> None:
    prepared = await dependencies(tmp_path, "sleep 600", timeout=0.5).prepare(tree)

    assert prepared.problem == "setup did not end within 0.5 s: sleep 600 (raise projects.verify.timeout)"


@pytest.mark.parametrize(
    "install",
    [
        "mkdir -p $SELFIMPROVER_ENV/x.dist-info; echo file://$PWD > $SELFIMPROVER_ENV/x.dist-info/direct_url.json",
        "mkdir $SELFIMPROVER_ENV/lib; pwd > $SELFIMPROVER_ENV/lib/__editable__.pth",
    ],
    ids=["installed", "editable"],
)
async def test_an_environment_that_holds_the_project_itself_is_refused(
    tree: Path, tmp_path: Path, install: str
) -> None:
    prepared = await dependencies(tmp_path, install).prepare(tree)

    assert prepared.folder is None
    assert prepared.problem.startswith("setup installed the project itself, so the tests would judge the base's code")


async def test_a_real_virtual_environment_works_from_where_it_was_made(tree: Path, tmp_path: Path) -> None:
    part = dependencies(tmp_path, 'python3 -m venv --without-pip "$SELFIMPROVER_ENV"')
    command = (
        "python -c \"import sys, os; assert sys.prefix == os.environ['SELFIMPROVER_ENV']\" && python -m unittest -q"
    )

    verdict = await verifier(command, dependencies=part).verify(draft(), tree, BASE)

    assert verdict.passed, verdict.reason


async def test_what_a_killed_set_up_left_behind_is_made_anew(tree: Path, tmp_path: Path) -> None:
    part = dependencies(tmp_path, INSTALL)
    prepared = await part.prepare(tree)
    assert prepared.folder is not None
    (prepared.folder.parent / "ready").unlink()

    again = await part.prepare(tree)

    assert (again.folder, again.problem) == (prepared.folder, "")


async def test_old_environments_are_removed_and_the_one_in_use_is_kept(tree: Path, tmp_path: Path) -> None:
    part = dependencies(tmp_path, INSTALL)
    long_ago = time.time() - 30 * 86_400
    for number in range(9):
        place = part.folder / f"old{number}"
        place.mkdir(parents=True)
        (place / "ready").touch()
        os.utime(place / "ready", (long_ago, long_ago) if number < 3 else None)

    prepared = await part.prepare(tree)

    left = {place.name for place in part.folder.iterdir()}
    assert prepared.key in left
    assert len(left) == 5
    assert not left & {"old0", "old1", "old2"}


# --- results on a base


RUN = Run(1, 2.5, Report(Counter(a=2), Counter(b=1), Counter(c=1)), "what was printed", "", True)


async def _never() -> Run:
    raise AssertionError("the tests were run again")


async def test_what_the_tests_do_on_a_base_is_known_to_the_next_night(tmp_path: Path) -> None:
    async def make() -> Run:
        return RUN

    await BaseResults(tmp_path / "base").get({"commit": BASE}, make)
    known = await BaseResults(tmp_path / "base").get({"commit": BASE}, _never)

    assert known == replace(RUN, printed="")
    with pytest.raises(AssertionError):
        await BaseResults(tmp_path / "base").get({"commit": "2" * 40}, _never)


async def test_the_number_of_tests_of_a_run_without_a_report_is_kept(tmp_path: Path) -> None:
    async def make() -> Run:
        return Run(0, 1.0, None, "secret\nRan 7 tests in 0.1s\n")

    await BaseResults(tmp_path / "base").get({}, make)

    assert (await BaseResults(tmp_path / "base").get({}, _never)).executed == 7
    assert all("secret" not in path.read_text() for path in (tmp_path / "base").iterdir())


@pytest.mark.parametrize(
    "bad",
    [Run(None, 60.0, None, ""), replace(RUN, why="memory"), Run(0, 1.0, None, "fine"), Run(2, 1.0, None, "")],
    ids=["timed out", "ended by a limit", "tells no number", "failed"],
)
async def test_a_run_that_may_have_had_a_bad_night_is_not_written_down(tmp_path: Path, bad: Run) -> None:
    async def make() -> Run:
        return bad

    await BaseResults(tmp_path / "base").get({}, make)

    with pytest.raises(AssertionError):
        await BaseResults(tmp_path / "base").get({}, _never)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"report": 1}', '{"report": {"passed": 1}, "executed": 1}'])
async def test_a_result_that_was_cut_off_is_made_again(tmp_path: Path, content: str) -> None:
    async def make() -> Run:
        return RUN

    await BaseResults(tmp_path / "base").get({}, make)
    (stored,) = (tmp_path / "base").iterdir()
    stored.write_text(content)

    assert await BaseResults(tmp_path / "base").get({}, make) == RUN


async def test_a_second_verifier_does_not_run_the_base_again(tree: Path, tmp_path: Path) -> None:
    sandbox = Watched()
    for _ in range(2):
        part = verifier(sandbox=sandbox, results=BaseResults(tmp_path / "base"))
        assert (await part.verify(draft(), tree, BASE)).passed

    assert len(sandbox.jobs) == len(["base", "patched", "lines", "patched", "lines"])
