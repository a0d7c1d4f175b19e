"""A draft that wants to look proven: every trick must end in a verdict that has not passed."""

from pathlib import Path

import pytest

from selfimprover.domain import CheckStatus, Strength
from tests.integration.proofs import BASE, BETTER, PYTEST, TESTS, UNITTEST, Watched, check_of, draft, plant, verifier

LEAVE = 'import os\n\ndef leave():\n    [getattr(os, one)(0) for one in dir(os) if one == "_ex" + "it"]\n\n'
"""Ends the process with status 0, in a way that the look at the code does not see."""
FORGED = """\
import os
there = os.environ["SELF" + "IMPROVER_JU" + "NIT"]
ids = [(kind, one) for kind in ("test_mail.CountTest", "test_mail.py::CountTest") for one in ("test_none", "test_one")]
cases = "".join(f'<testcase classname="{kind}" name="{one}"/>' for kind, one in ids)
open(there, "w").write(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
open(os.path.dirname(there) + "/record", "a").write("0" * 64 + ' {"kind": "finish", "status": 0}\\n')
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path)


@pytest.mark.parametrize(
    "code",
    [
        LEAVE + "leave()\n",
        LEAVE + "def count(mails):\n    leave()\n",
        LEAVE + FORGED + "leave()\n",
        "import sys\nsys.exit(0)\n",
    ],
    ids=["at import", "in a test", "after forging the reports", "by SystemExit"],
)
async def test_a_process_that_ends_early_is_no_success_test_by_test(tree: Path, code: str) -> None:
    verdict = await verifier().verify(draft(code), tree, BASE)

    assert not verdict.passed
    assert check_of(verdict, "reach").status is CheckStatus.PASSED, "this is about the run, not the look at the code"
    assert check_of(verdict, "tests").status is CheckStatus.FAILED


async def test_a_forged_report_would_pass_if_the_witness_did_not_judge(tree: Path) -> None:
    """Shows that the attack above is a real one: without the witness its report is believed."""
    command = f"PYTHONPATH=. {PYTEST}"

    verdict = await verifier(command).verify(draft(LEAVE + FORGED + "leave()\n"), tree, BASE)

    assert verdict.passed


async def test_a_command_that_does_not_take_the_witness_is_still_compared_test_by_test(tree: Path) -> None:
    sandbox = Watched()
    verdict = await verifier(f"PYTHONPATH=. {PYTEST}", sandbox=sandbox).verify(draft(), tree, BASE)

    assert (verdict.passed, verdict.strength) == (True, Strength.BY_TEST)
    assert check_of(verdict, "tests").detail == "2 passed on base and patched, none newly failing"
    assert ["selfimprover_witness" in job.env["PYTEST_ADDOPTS"] for job in sandbox.jobs] == [True, False, False, False]


async def test_by_exit_code_a_runner_that_tells_of_fewer_tests_is_no_success(tree: Path) -> None:
    silent = await verifier(UNITTEST).verify(draft(LEAVE + "leave()\n"), tree, BASE)
    (tree / "test_mail.py").write_text(f"{TESTS}\nimport mail\nif getattr(mail, 'OFF', 0): del CountTest.test_one\n")
    fewer = await verifier(UNITTEST).verify(draft("OFF = 1\n" + BETTER), tree, BASE)

    forged = await verifier(UNITTEST).verify(draft(LEAVE + FORGED + "leave()\n"), tree, BASE)

    assert not silent.passed
    assert not forged.passed, "a report that the base does not leave says nothing"
    assert silent.reason == "the runner tells of 2 tests on the base, no number of tests on the patched"
    assert fewer.reason == "the runner tells of 2 tests on the base, only 1 test on the patched"


@pytest.mark.parametrize(
    "path",
    [
        *("conftest.py", "sub/conftest.py", "sitecustomize.py", "sitecustomize/__init__.py", "usercustomize.py"),
        *("x.pth", "pytest.ini", ".pytest.toml", "tox.ini", "setup.cfg", "pyproject.toml", "requirements-dev.txt"),
        *("evil.egg-info/entry_points.txt", "evil.dist-info/entry_points.txt", "go.work", "uv.lock", ".coveragerc"),
        *("tests/helper.py", "test_more.py", "pkg/mail_test.py", "web/mail.test.ts", "pytest_mail.py", "mail_test.go"),
        *("pytest.py", "_pytest/__init__.py", "json.py", "src/unittest.py", "pluggy.py"),
    ],
)
async def test_what_runs_by_itself_or_judges_needs_a_person_and_runs_nothing(tree: Path, path: str) -> None:
    sandbox = Watched()

    verdict = await verifier(sandbox=sandbox).verify(draft("\n", path=path, before=None), tree, BASE)

    assert not verdict.passed
    assert verdict.reason.startswith("needs a person: ")
    assert path in verdict.reason
    assert sandbox.jobs == []


async def test_a_module_within_a_package_may_have_the_name_of_one_of_python(tmp_path: Path) -> None:
    tree = plant(tmp_path)
    (tree / "app").mkdir()
    (tree / "app/__init__.py").touch()

    verdict = await verifier().verify(draft("VALUE = 1\n", path="app/json.py", before=None), tree, BASE)

    assert verdict.passed


async def test_a_test_of_the_base_may_not_be_changed(tree: Path) -> None:
    change = draft(TESTS.replace("1)", "len('a'))"), path="test_mail.py", before=TESTS)

    verdict = await verifier().verify(change, tree, BASE)

    assert verdict.reason == ("needs a person: test_mail.py belongs to the tests, which judge the draft as they are")


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("import os\nos._exit(0)\n", "os._exit"),
        ("from os import _exit\n_exit(0)\n", "os._exit"),
        ("import gc\n", "the module gc"),
        ("import _pytest.runner\n", "the module _pytest.runner"),
        ("exec('x = 1')\n", "exec"),
        ("import sys\nsys.modules['test_mail'] = None\n", "sys.modules"),
        ("import os\nos.environ['SELFIMPROVER_JUNIT']\n", "SELFIMPROVER"),
        ("import subprocess\n", "the module subprocess"),
        ("import asyncio\nasyncio.create_subprocess_shell('x')\n", ".create_subprocess_shell"),
        ("from asyncio import create_subprocess_exec\n", "asyncio.create_subprocess_exec"),
        ("open('/proc/self/mem')\n", "/proc/"),
        ("import sys\nsys._getframe().f_back\n", ".f_back"),
        ("import os\ngetattr(os, '_exit')(0)\n", "the name '_exit' as a text"),
    ],
)
async def test_the_means_to_bend_a_run_need_a_person(tree: Path, code: str, means: str) -> None:
    sandbox = Watched()

    verdict = await verifier(sandbox=sandbox).verify(draft(code + BETTER), tree, BASE)

    assert verdict.reason == (
        f"needs a person: mail.py brings in {means}, which could end or bend the run that judges it"
    )
    assert sandbox.jobs == []


async def test_what_was_there_before_is_not_held_against_a_draft(tree: Path) -> None:
    before = "import subprocess\n\ndef count(mails):\n    return len(mails)\n"
    (tree / "mail.py").write_text(before)

    verdict = await verifier().verify(
        draft(before.replace("len(mails)", "len(mails or ())"), before=before), tree, BASE
    )

    assert verdict.passed


async def test_what_tests_write_stays_in_their_copy(tree: Path) -> None:
    """A patched module that plants a conftest.py, or a git hook, plants it in a folder that is gone afterwards."""
    plants = (
        "import pathlib\npathlib.Path('conftest.py').write_text('')\n"
        "pathlib.Path('.git/hooks').mkdir(parents=True, exist_ok=True)\n"
    )
    before = _names(tree)

    await verifier().verify(draft(plants + BETTER), tree, BASE)

    assert _names(tree) == before
    assert _names(tree.parent) == {"tree"}


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
