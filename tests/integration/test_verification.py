"""Proof of a draft by real runs of real tests, well-behaved and not."""

import asyncio
import os
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfimprover.domain import CheckStatus, Draft, Edit, Risk, Strength, Verdict
from selfimprover.errors import SelfImproverError, UsageError
from selfimprover.interfaces import Verifier
from selfimprover.verification.checks import Run, compare
from selfimprover.verification.junit import Report, parse_report, read_report
from selfimprover.verification.sandbox import Ending, Limits, run
from selfimprover.verification.verifier import TreeVerifier
from selfimprover.verification.workspace import workspace

BASE = "1" * 40
PYTEST = "python -m pytest -q -p no:cacheprovider"
UNITTEST = "python -m unittest -q"
MAIL = "def count(mails):\n    return len(mails)\n"
TESTS = """\
import unittest
from mail import count

class CountTest(unittest.TestCase):
    def test_none(self):
        self.assertEqual(count([]), 0)

    def test_one(self):
        self.assertEqual(count(["a"]), 1)
"""
BETTER = "def count(mails):\n    return len(mails or ())\n"
WORSE = "def count(mails):\n    return 0\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "mail.py").write_text(MAIL)
    (folder / "test_mail.py").write_text(TESTS)
    return folder


def draft(after: str = BETTER, *more: Edit, path: str = "mail.py", before: str | None = MAIL) -> Draft:
    return Draft(
        drafter="recipe:test",
        title="Count right",
        summary="count",
        root_cause="",
        change="",
        may_hide=(),
        risk=Risk.DEFENSIVE_CHECK,
        edits=(Edit(path, before, after), *more),
    )


def verifier(test: str | None = PYTEST, timeout: float = 60.0, sandbox: str = "none") -> TreeVerifier:
    return TreeVerifier(test, timeout=timeout, sandbox=sandbox, expose=[Path(sys.prefix)])


def statuses(verdict: Verdict) -> dict[str, CheckStatus]:
    return {check.name: check.status for check in verdict.checks}


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


# --- verdicts ------------------------------------------------------------------------------------------


async def test_a_good_draft_passes_test_by_test_and_leaves_the_tree_alone(tree: Path) -> None:
    before = files(tree)
    part: Verifier = verifier()

    verdict = await part.verify(draft(), tree, BASE)

    assert verdict.passed
    assert (verdict.strength, verdict.sandbox, verdict.base_commit) == (Strength.BY_TEST, "none", BASE)
    assert verdict.checks[-1].detail == "2 passed on base and patched, none newly failing"
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
    assert verdict.reason == "1 test newly failing on the patched tree: test_mail.CountTest::test_one"
    assert verdict.checks[-1].detail == "2 passed on base, 1 on patched, 1 newly failing"


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


async def test_an_exit_before_the_tests_end_is_no_success(tree: Path) -> None:
    verdict = await verifier().verify(draft("import os\nos._exit(0)\n"), tree, BASE)

    assert not verdict.passed
    assert "left no report" in verdict.reason


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ("class CountTest:\n    pass\n", "did not run"),
        (TESTS.replace("class", "@unittest.skip('')\nclass"), "is skipped"),
    ],
)
async def test_fewer_tests_than_on_the_base_are_no_success(tree: Path, change: str, fate: str) -> None:
    (tree / "test_other.py").write_text("def test_other():\n    pass\n")
    removal = draft(BETTER, Edit("test_mail.py", TESTS, change))

    verdict = await verifier().verify(removal, tree, BASE)

    assert not verdict.passed
    assert verdict.reason == "; ".join(
        f"test test_mail.CountTest::{name} passed on the base and {fate} on the patched tree"
        for name in ("test_none", "test_one")
    )
    assert verdict.checks[-1].detail == "3 passed on base, 1 on patched, none newly failing, 2 no longer run"


async def test_a_test_that_runs_now_does_not_make_up_for_one_that_is_skipped(tree: Path) -> None:
    base = TESTS.replace("    def test_one", "    @unittest.skip('')\n    def test_one")
    (tree / "test_mail.py").write_text(base)
    change = TESTS.replace("    def test_none", "    @unittest.skip('')\n    def test_none")

    verdict = await verifier().verify(draft(BETTER, Edit("test_mail.py", base, change)), tree, BASE)

    assert not verdict.passed
    reason = "test test_mail.CountTest::test_none passed on the base and is skipped on the patched tree"
    assert verdict.reason == reason
    assert verdict.checks[-1].detail == "1 passed on base, 1 on patched, none newly failing, 1 no longer run"


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


@pytest.mark.parametrize("sandbox", ["auto", "bwrap", "container"])
async def test_without_a_sandbox_nothing_runs(tree: Path, tmp_path: Path, sandbox: str) -> None:
    verdict = await verifier(f"touch {tmp_path}/ran", sandbox=sandbox).verify(draft(), tree, BASE)

    assert (verdict.passed, verdict.strength, verdict.sandbox) == (False, Strength.NONE, "none available")
    assert verdict.reason == 'no sandbox in this version: tests run only with sandbox = "none"; nothing was run'
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("test", [None, "", "  "])
async def test_without_a_test_command_nothing_is_proved(tree: Path, test: str | None) -> None:
    verdict = await verifier(test).verify(draft(), tree, BASE)

    assert not verdict.passed
    assert "set projects.verify.test" in verdict.reason


def test_an_unknown_sandbox_is_a_configuration_error() -> None:
    with pytest.raises(UsageError, match="unknown sandbox 'docker'"):
        verifier(sandbox="docker")


def test_the_key_names_the_configuration() -> None:
    assert verifier().key() == verifier().key()
    assert len({verifier().key(), verifier(UNITTEST).key(), verifier(timeout=1).key(), verifier(None).key()}) == 4


async def test_a_night_runs_each_base_once(tree: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    part = verifier(f"cat mail.py | md5sum >> {log}")

    await asyncio.gather(*(part.verify(draft(), tree, BASE) for _ in range(3)))
    await part.verify(draft(), tree, "2" * 40)

    assert sorted(log.read_text().count(line) for line in set(log.read_text().splitlines())) == [2, 4]


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
        *("PATH", "HOME", "TMPDIR", "LANG", "PYTHONDONTWRITEBYTECODE", "SELFIMPROVER_JUNIT", "PYTEST_ADDOPTS"),
    }
    assert "a-secret-token" not in seen.read_text()
    assert str(tree) not in seen.read_text()


async def test_a_workspace_is_gone_afterwards_whatever_the_tests_did_to_it(tree: Path) -> None:
    async with workspace(tree) as place:
        (place.tree / "sub").mkdir()
        (place.tree / "sub/file").write_text("")
        (place.tree / "sub").chmod(0)

    assert not place.tree.parent.exists()


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
    assert len(_started(marker)) == 4
    assert _survivors(marker) == set()


async def test_a_cancelled_run_ends_its_tree(tree: Path, marker: Path) -> None:
    verifying = asyncio.ensure_future(verifier(stubborn(marker)).verify(draft(), tree, BASE))
    await asyncio.to_thread(_wait_for_lines, marker, 2)

    verifying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await verifying

    assert _survivors(marker) == set()


async def test_a_tree_does_not_outlive_the_process_that_runs_it(tree: Path, tmp_path: Path, marker: Path) -> None:
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom selfimprover.verification.sandbox import *\n"
        "asyncio.run(run(sys.argv[1], Path(sys.argv[2]), {'PATH': sys.argv[3]}, Path(sys.argv[2], 'out'),"
        " Limits(timeout=600)))"
    )
    path = f"{sys.prefix}/bin:/usr/bin:/bin"
    arguments = ("-c", program, stubborn(marker), str(tmp_path), path)
    daemon = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    await asyncio.to_thread(_wait_for_lines, marker, 2)

    daemon.kill()
    await daemon.wait()

    await asyncio.to_thread(_wait_until_gone, marker)
    assert _survivors(marker) == set()


def _wait_for_lines(path: Path, count: int) -> None:
    while path.read_text().count("\n") < count:
        time.sleep(0.01)


def _wait_until_gone(marker: Path) -> None:
    for _ in range(3000):
        if not _survivors(marker):
            return
        time.sleep(0.01)


async def _run(command: str, tmp_path: Path, **limits: int) -> tuple[Ending, Path]:
    env = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
    settings = Limits(timeout=60, file_size=limits.get("file_size", 1 << 30), memory=limits.get("memory"))
    return await run(command, tmp_path, env, tmp_path / "output", settings), tmp_path / "output"


async def test_a_flood_of_output_is_capped(tmp_path: Path) -> None:
    ending, output = await _run("yes", tmp_path, file_size=1_000_000)

    assert ending.status == 128 + signal.SIGXFSZ
    assert output.stat().st_size == 1_000_000


async def test_no_file_of_a_run_grows_without_end(tmp_path: Path) -> None:
    ending, _ = await _run("yes > huge; exit 3", tmp_path, file_size=1_000_000)

    assert ending.status == 3
    assert (tmp_path / "huge").stat().st_size == 1_000_000


async def test_a_process_gets_no_more_memory_than_allowed(tmp_path: Path) -> None:
    greedy = "python -c 'bytearray(400_000_000)'"

    assert (await _run(greedy, tmp_path))[0].status == 0
    assert (await _run(greedy, tmp_path, memory=200_000_000))[0].status == 1


async def test_a_status_is_told_as_a_shell_tells_it(tmp_path: Path) -> None:
    assert (await _run("exit 7", tmp_path))[0].status == 7
    assert (await _run("kill -KILL $$", tmp_path))[0].status == 128 + 9


async def test_a_tree_that_cannot_be_copied_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SelfImproverError, match="cannot be copied"):
        async with workspace(tmp_path / "absent"):
            pass


# --- reports -------------------------------------------------------------------------------------------

CASES = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>
<testcase classname="a.B" name="ok"><system-out>out</system-out></testcase>
<testcase classname="a.B" name="bad"><failure message="m">f</failure></testcase>
<testcase classname="a.B" name="torn"><error/></testcase>
<testcase classname="a.B" name="not now"><skipped/></testcase>
<testcase/>
</testsuite></testsuites>"""


def test_a_report_counts_what_was_executed_and_names_what_failed() -> None:
    report = parse_report(CASES.encode())

    assert report is not None
    assert report.executed == 4
    assert report.passed == Counter(["a.B::ok", "::"])
    assert report.failed == Counter(["a.B::bad", "a.B::torn"])
    assert report.skipped == Counter(["a.B::not now"])


def _run_of(passed: str = "", failed: str = "", skipped: str = "") -> Run:
    """A run whose tests have ids of one letter."""
    return Run(int(bool(failed)), 1.0, Report(Counter(passed), Counter(failed), Counter(skipped)), "")


@pytest.mark.parametrize(
    ("base", "patched", "reason"),
    [
        (_run_of("ab"), _run_of("bb"), "test a passed on the base and did not run on the patched tree"),
        (_run_of("aab"), _run_of("abb"), "test a passed on the base and ran less often on the patched tree"),
        (
            _run_of("ab", "", "c"),
            _run_of("ac", "", "b"),
            "test b passed on the base and is skipped on the patched tree",
        ),
        (_run_of("aa", "a"), _run_of("a", "aa"), "1 test newly failing on the patched tree: a"),
        (_run_of("ab", "xy"), _run_of("ab", "x"), "only 3 of the base's 4 tests were executed on the patched tree"),
        (_run_of("ab", "x"), _run_of("abx"), None),
    ],
)
def test_tests_are_compared_one_by_one_as_often_as_they_ran(base: Run, patched: Run, reason: str | None) -> None:
    proof = compare(base, patched, 60)

    assert proof.passed == (reason is None)
    assert reason is None or proof.reason == reason


def test_at_most_three_lost_tests_are_named() -> None:
    proof = compare(_run_of("abcdez"), _run_of("z"), 60)

    assert [name for name in "abcde" if f"test {name} passed" in proof.reason] == ["a", "b", "c"]
    assert proof.reason.endswith("; and 2 more")
    assert proof.detail == "6 passed on base, 1 on patched, none newly failing, 5 no longer run"


def test_the_counts_of_the_detail_count_each_occurrence_of_an_id() -> None:
    proof = compare(_run_of("aab", "xx"), _run_of("aab", "xxx"), 60)

    assert proof.reason == "1 test newly failing on the patched tree: x"
    assert proof.detail == "3 passed on base, 3 on patched, 1 newly failing, 2 red on the base already"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        CASES[:200].encode(),
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuites>&a;</testsuites>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><x/>'.encode("utf-16"),
        b"<x>" + b" " * 20_000_000 + b"</x>",
    ],
)
def test_a_report_that_is_not_plain_xml_counts_as_none(content: bytes) -> None:
    assert parse_report(content) is None


def test_a_link_or_a_pipe_in_place_of_a_report_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "real.xml").write_text(CASES)
    (tmp_path / "link.xml").symlink_to(tmp_path / "real.xml")
    os.mkfifo(tmp_path / "pipe.xml")

    assert read_report(tmp_path / "real.xml") is not None
    assert [read_report(tmp_path / name) for name in ("link.xml", "pipe.xml", "absent.xml", "")] == [None] * 4
