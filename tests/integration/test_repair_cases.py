"""Every case of the repair benchmark is what it says: its error is real, its tests judge, and it can be mended."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.repair.casefile import NO_PATCH, PATCH, Case, read_cases
from benchmarks.repair.judging import Results, sought
from benchmarks.repair.record import raised
from benchmarks.repair.stage import lay_over
from selfimprover.verification.junit import read_report
from selfimprover.verification.results import Run

FOLDER = Path(__file__).parents[2] / "benchmarks" / "repair" / "cases"
CASES, UNREAD = read_cases(FOLDER)
COMPREHENSIONS = {"<listcomp>", "<dictcomp>", "<setcomp>"}
"""Frames of their own up to Python 3.11 (PEP 709)."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_bug = pytest.mark.parametrize("case", [one for one in CASES if one.expected == PATCH], ids=lambda case: case.name)


def results_of(case: Case, folder: Path, *over: Path) -> Results:
    """What the case's test command shows for its tree, with these files laid over it."""
    for files in (case.tree, *over):
        lay_over(files, folder / "tree")
    report = folder / "junit.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder / "tree", env=env, capture_output=True, check=False)
    return Results.of(Run(done.returncode, 0.0, read_report(report), done.stdout.decode()))


def test_there_are_cases_enough_and_all_of_them_can_be_read() -> None:
    assert UNREAD == []
    assert len([case for case in CASES if case.expected == PATCH]) >= 16
    assert len([case for case in CASES if case.expected == NO_PATCH]) >= 2


@every_case
def test_the_visible_tests_pass_on_the_base(case: Case, tmp_path: Path) -> None:
    results = results_of(case, tmp_path)

    assert results.passed
    assert not results.failed


@every_case
def test_the_telemetry_is_what_the_code_really_raises(case: Case) -> None:
    now = raised(case)
    recorded = [row for row in case.rows() if row["status"] == "failed"]

    assert len(recorded) >= 2
    for row in recorded:
        assert row["error"].partition(":")[0] == now.error.partition(":")[0] == (case.error or "")
        assert places(row["traceback"]) == places(now.traceback)
        assert "/srv/assistant/" in row["traceback"]


def places(traceback: str) -> list[tuple[str, str, str]]:
    """File, line and function of the frames in the case's own code."""
    found = re.findall(r'File "/srv/assistant/([^"]+)", line (\d+), in (\S+)', traceback)
    return list(dict.fromkeys(one for one in found if one[2] not in COMPREHENSIONS))


@every_bug
def test_the_hidden_tests_tell_the_bug_from_its_fix_and_guard_what_works(case: Case, tmp_path: Path) -> None:
    base = results_of(case, tmp_path / "base", case.hidden)
    fixed = results_of(case, tmp_path / "fixed", case.solution, case.hidden)
    wanted = sought(base, fixed)

    assert wanted.mend
    assert base.failed >= wanted.mend
    assert not fixed.failed
    assert [one for one in wanted.keep if "hidden" in one], "nothing guards against a fix that is too broad"


@every_bug
def test_nothing_of_what_judges_is_in_the_tree(case: Case) -> None:
    shown = "\n".join(file.read_text() for file in case.tree.rglob("*.py"))

    assert "test_hidden" not in shown
    assert not [file for file in case.hidden.rglob("*.py") if (case.tree / file.relative_to(case.hidden)).exists()]
    assert all((case.tree / file.relative_to(case.solution)).exists() for file in case.solution.rglob("*.py"))
