"""Proof of a draft by real runs of real tests, well-behaved and not."""

import asyncio
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfimprover.domain import CheckStatus, Strength
from selfimprover.interfaces import Verifier
from selfimprover.verification.sandbox import Limits
from selfimprover.verification.verifier import TreeVerifier
from tests.integration.proofs import (
    BASE,
    BETTER,
    PYTEST,
    TESTS,
    UNITTEST,
    WORSE,
    Watched,
    check_of,
    draft,
    plant,
    statuses,
    verifier,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path)


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


# --- verdicts ------------------------------------------------------------------------------------------


async def test_a_good_draft_passes_test_by_test_and_leaves_the_tree_alone(tree: Path) -> None:
    before = files(tree)
    part: Verifier = verifier()

    verdict = await part.verify(draft(), tree, BASE)

    assert verdict.passed
    assert (verdict.strength, verdict.sandbox, verdict.base_commit) == (Strength.BY_TEST, "none", BASE)
    assert check_of(verdict, "tests").detail == "2 passed on base and patched, none newly failing"
    assert list(statuses(verdict)) == ["edits", "parses", "reach", "tests", "lines"]
    assert set(statuses(verdict).values()) == {CheckStatus.PASSED}
    assert files(tree) == before


async def test_without_a_report_the_exit_code_decides(tree: Path) -> None:
    good = await verifier(UNITTEST).verify(draft(), tree, BASE)
    bad = await verifier(UNITTEST).verify(draft(WORSE), tree, BASE)

    assert (good.passed, good.strength) == (True, Strength.BY_EXIT_CODE)
    assert (bad.passed, bad.strength) == (False, Strength.BY_EXIT_CODE)
    assert "fail on the patched tree" in bad.reason


async def test_a_newly_failing_test_fails_the_draft_and_is_named(tree: Path) -> None:
    verdict = await verifier().verify(draft(WORSE), tree, BASE)

    assert not verdict.passed
    assert verdict.reason == "1 test newly failing on the patched tree: test_mail.py::CountTest::test_one"
    assert check_of(verdict, "tests").detail == "2 passed on base, 1 on patched, 1 newly failing"


async def test_a_test_that_is_red_on_the_base_is_not_blamed_on_the_draft(tree: Path) -> None:
    (tree / "test_red.py").write_text("def test_red():\n    assert False\n")

    verdict = await verifier().verify(draft(), tree, BASE)

    assert verdict.passed
    assert "1 red on the base already" in verdict.reason


async def test_a_red_base_proves_nothing_by_exit_code(tree: Path) -> None:
    (tree / "test_red.py").write_text(TESTS.replace('["a"]), 1', '["a"]), 7'))

    verdict = await verifier(UNITTEST).verify(draft(), tree, BASE)

    assert not verdict.passed
    assert verdict.reason.startswith("the tests fail on the base already and cannot be told apart without test ids")


@pytest.mark.parametrize("test", [PYTEST, UNITTEST])
async def test_no_tests_at_all_prove_nothing(tree: Path, test: str) -> None:
    (tree / "test_mail.py").unlink()

    verdict = await verifier(test + " || true").verify(draft(), tree, BASE)

    assert not verdict.passed
    assert "no test was executed" in verdict.reason


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ("if getattr(mail, 'OFF', 0): del CountTest", "did not run"),
        ("if getattr(mail, 'OFF', 0): skip()", "is skipped"),
    ],
)
async def test_fewer_tests_than_on_the_base_are_no_success(tree: Path, change: str, fate: str) -> None:
    skip = "import mail\n\ndef skip():\n    CountTest.__unittest_skip__ = True\n\n"
    (tree / "test_mail.py").write_text(f"{TESTS}\n{skip}{change}\n")
    (tree / "test_other.py").write_text("def test_other():\n    pass\n")

    verdict = await verifier().verify(draft("OFF = True\n" + BETTER), tree, BASE)

    assert not verdict.passed
    assert verdict.reason == "; ".join(
        f"test test_mail.py::CountTest::{name} passed on the base and {fate} on the patched tree"
        for name in ("test_none", "test_one")
    )
    assert check_of(verdict, "tests").detail == ("3 passed on base, 1 on patched, none newly failing, 2 no longer run")


async def test_an_exit_status_that_no_test_explains_is_no_success(tree: Path) -> None:
    gate = f"{PYTEST} && ! grep -q or mail.py"

    verdict = await verifier(gate).verify(draft(), tree, BASE)

    assert not verdict.passed
    assert "ended with exit status 1" in verdict.reason


async def test_a_missing_command_says_how_to_mend_it(tree: Path) -> None:
    verdict = await verifier("no-such-runner -q").verify(draft(), tree, BASE)

    assert not verdict.passed
    assert verdict.strength is Strength.NONE
    assert verdict.reason.startswith("the test command was not found: no-such-runner -q (mend projects.verify.test")


async def test_a_denied_path_needs_a_person_and_runs_nothing(tree: Path, tmp_path: Path) -> None:
    denied = draft("x", path="Makefile", before=None)

    verdict = await verifier(f"touch {tmp_path}/ran").verify(denied, tree, BASE)

    assert verdict.reason == "needs a person: Makefile may not be changed automatically"
    assert statuses(verdict) == {
        "edits": CheckStatus.FAILED,
        "parses": CheckStatus.SKIPPED,
        "reach": CheckStatus.SKIPPED,
        "tests": CheckStatus.SKIPPED,
    }
    assert not (tmp_path / "ran").exists()


async def test_a_draft_of_another_tree_is_refused(tree: Path) -> None:
    verdict = await verifier().verify(draft(before="something else\n"), tree, BASE)

    assert verdict.reason == "mail.py is not what the draft was made from"


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("mail2.py", "def f(:\n", "invalid syntax (line 1)"),
        ("mail2.py", "return 1\n", "'return' outside function (line 1)"),
        ("deep.py", "(" * 5000, "does not parse"),
        ("a.json", "[" * 100_000, "does not parse"),
        ("a.json", "{1: 2}", "does not parse"),
        ("a.toml", "= 1", "does not parse"),
    ],
)
async def test_what_does_not_parse_is_not_run(tree: Path, name: str, text: str, fault: str) -> None:
    verdict = await verifier().verify(draft(text, path=name, before=None), tree, BASE)

    assert fault in verdict.reason
    assert statuses(verdict)["tests"] is CheckStatus.SKIPPED


async def test_a_file_for_another_language_version_is_not_held_against_the_draft(tree: Path) -> None:
    (tree / "old.py").write_text("print 'a'\n")

    verdict = await verifier().verify(draft("print 'b'\n", path="old.py", before="print 'a'\n"), tree, BASE)

    assert verdict.passed


async def test_without_a_sandbox_nothing_runs_and_the_draft_is_neither_proven_nor_refuted(
    tree: Path, tmp_path: Path
) -> None:
    part = TreeVerifier(f"touch {tmp_path}/ran", sandbox=None, limits=Limits(timeout=60))

    verdict = await part.verify(draft(), tree, BASE)
    refused = await part.verify(draft("x", path="Makefile", before=None), tree, BASE)

    assert (verdict.passed, verdict.strength, verdict.sandbox) == (False, Strength.NONE, "none available")
    assert "`selfimprover check` says how to get one" in verdict.reason
    assert verdict.unproven
    assert not refused.unproven
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("test", [None, "", "  "])
async def test_without_a_test_command_nothing_is_proved(tree: Path, test: str | None) -> None:
    verdict = await verifier(test).verify(draft(), tree, BASE)

    assert not verdict.passed
    assert "set projects.verify.test" in verdict.reason


def test_the_key_names_the_configuration() -> None:
    assert verifier().key() == verifier().key()
    none = TreeVerifier(PYTEST, sandbox=None, limits=Limits(timeout=60), expose=[Path(sys.prefix)])
    others = {verifier(UNITTEST).key(), verifier(timeout=1).key(), verifier(None).key(), none.key()}
    assert len({verifier().key(), *others}) == 5


async def test_a_night_runs_each_base_once(tree: Path) -> None:
    sandbox = Watched()
    part = verifier("grep -q or mail.py || echo > base", sandbox=sandbox, slots=asyncio.Semaphore(9))

    await asyncio.gather(*(part.verify(draft(), tree, BASE) for _ in range(3)))
    await part.verify(draft(), tree, "2" * 40)

    patched_and_lines = 2 * 4
    assert len(sandbox.jobs) == patched_and_lines + 2


async def test_no_more_runs_happen_at_once_than_there_are_slots(tree: Path) -> None:
    sandbox = Watched()
    part = verifier("sleep 0.2", sandbox=sandbox, slots=asyncio.Semaphore(2))

    await asyncio.gather(*(part.verify(draft(f"{BETTER}# {number}\n"), tree, BASE) for number in range(5)))

    assert sandbox.most == 2


# --- the run -------------------------------------------------------------------------------------------


async def test_the_tests_see_nothing_of_our_environment(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "a-secret-token")
    seen = tmp_path / "seen"

    await verifier(f"env > {seen}; pwd >> {seen}; cat /proc/$PPID/environ >> {seen}; cat").verify(draft(), tree, BASE)

    names = {line.partition("=")[0] for line in seen.read_text().split("\0")[0].splitlines() if "=" in line}
    shell = {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}
    assert names - shell == {
        *("PATH", "HOME", "TMPDIR", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "SELFIMPROVER_JUNIT"),
        "PYTEST_ADDOPTS",
    }
    assert "a-secret-token" not in seen.read_text()
    assert str(tree) not in seen.read_text()


def _started(marker: Path) -> list[str]:
    return marker.read_text().split()


def _survivors(marker: Path) -> set[int]:
    """Processes that ``stubborn`` started and that still run, by the pids they wrote down."""
    return {int(line) for line in marker.read_text().split() if _runs(int(line), marker)}


def _runs(pid: int, marker: Path) -> bool:
    try:
        return os.fsencode(marker) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "pids"
    path.touch()
    yield path
    for pid in _survivors(path):
        os.kill(pid, signal.SIGKILL)


def stubborn(marker: Path, then: str = "time.sleep(600)") -> str:
    """A command whose grandchildren ignore SIGTERM, one of them as an orphan in a session of its own."""
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork():\n"
        "        os._exit(0)\n"
        "with open(sys.argv[1], 'a') as file:\n"
        "    file.write(f'{os.getpid()}\\n')\n"
        "if os.getppid() == int(sys.argv[2]):\n"
        f"    while open(sys.argv[1]).read().count('\\n') < 2: time.sleep(0.01)\n"
        f"    {then}\n"
        "time.sleep(600)\n"
    )
    return f"python -c {shlex.quote(code)} {marker} $$; true"


async def test_a_timeout_ends_the_whole_tree_and_is_told_from_a_failure(tree: Path, marker: Path) -> None:
    verdict = await verifier(stubborn(marker), timeout=5).verify(draft(), tree, BASE)

    assert not verdict.passed
    assert "did not end within 5 s on the base already" in verdict.reason
    assert len(_started(marker)) == 2
    assert _survivors(marker) == set()


async def test_an_endless_patched_tree_is_told_from_an_endless_base(tree: Path) -> None:
    command = "grep -q or mail.py && sleep 600; true"

    verdict = await verifier(command, timeout=3).verify(draft(), tree, BASE)

    assert verdict.reason == "the tests did not end within 3 s on the patched tree"


async def test_orphans_of_a_finished_run_do_not_live_on_or_delay_it(tree: Path, marker: Path) -> None:
    verdict = await verifier(stubborn(marker, then="os._exit(0)")).verify(draft(), tree, BASE)

    assert (verdict.passed, verdict.strength) == (True, Strength.BY_EXIT_CODE)
    assert len(_started(marker)) == 2 * len(["base", "patched", "lines"])
    assert _survivors(marker) == set()


async def test_a_cancelled_run_ends_its_tree(tree: Path, marker: Path) -> None:
    verifying = asyncio.ensure_future(verifier(stubborn(marker)).verify(draft(), tree, BASE))
    await asyncio.to_thread(_wait_for_lines, marker, 2)

    verifying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await verifying

    assert _survivors(marker) == set()


def _wait_for_lines(path: Path, count: int) -> None:
    while path.read_text().count("\n") < count:
        time.sleep(0.01)
