"""What a verdict says besides yes and no: reproduced, newly passing, flaky, which changed lines ran."""

import subprocess
import sys
from pathlib import Path

import pytest

from selfimprover.domain import CheckStatus, Fingerprint, LineCount, Reproduction, Strength, Verdict
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.verification import lines
from tests.integration.proofs import BASE, BETTER, MAIL, PYTEST, UNITTEST, Watched, check_of, draft, plant, verifier

BUG = "TypeError: object of type 'NoneType' has no len()"
RAISED = f'Traceback (most recent call last):\n  File "/srv/tree/mail.py", line 2, in count\n    x\n{BUG}\n'
IN_THE_CODE = ErrorFingerprinter().fingerprint(None, RAISED.replace("/srv/tree", "/srv/project"))
BY_MESSAGE = ErrorFingerprinter().fingerprint(BUG, None)
UNIT = """\
import unittest
from mail import count

class AbsentTest(unittest.TestCase):
    def test_absent(self):
        self.assertEqual(count(None), 0)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path)


def reproduction(text: str = UNIT, fingerprint: Fingerprint | None = IN_THE_CODE, **more: str) -> Reproduction:
    return Reproduction(path="test_absent.py", text=text, fingerprint=fingerprint, **more)


async def verify(tree: Path, own: Reproduction, after: str = BETTER, command: str = PYTEST) -> Verdict:
    part = verifier(command, fingerprinter=ErrorFingerprinter())
    return await part.verify(draft(after, reproduction=own), tree, BASE)


# --- reproduction


@pytest.mark.parametrize(
    ("command", "fingerprint"),
    [(PYTEST, IN_THE_CODE), (PYTEST, BY_MESSAGE), (f"PYTHONPATH=. {PYTEST}", IN_THE_CODE), (UNITTEST, IN_THE_CODE)],
    ids=["with its place", "by its message", "without a traceback", "by exit code"],
)
async def test_a_test_that_fails_like_the_finding_and_passes_with_the_change_reproduces_it(
    tree: Path, command: str, fingerprint: Fingerprint
) -> None:
    select = "test_absent" if command == UNITTEST else ""

    verdict = await verify(tree, reproduction(fingerprint=fingerprint, select=select), command=command)

    assert (verdict.passed, verdict.reproduced) == (True, True)
    assert check_of(verdict, "reproduction").detail == (
        "test_absent.py fails on the base with the fingerprint of the finding and passes on the patched tree"
    )


async def test_the_reproduction_judges_along_with_the_tests_of_the_base(tree: Path) -> None:
    sandbox = Watched()
    verdict = await verifier(sandbox=sandbox).verify(draft(reproduction=reproduction()), tree, BASE)

    assert verdict.reason == "3 tests ran, none is newly failing"
    assert len(sandbox.jobs) == len(["base", "base with it", "patched with it", "lines"])


async def test_another_error_than_the_findings_reproduces_nothing(tree: Path) -> None:
    other = UNIT.replace("count(None)", "count(1)")

    verdict = await verify(tree, reproduction(other))

    assert not verdict.passed
    assert verdict.reason == (
        "the reproduction fails on the base with another error than the finding: "
        "TypeError: object of type 'int' has no len()"
    )
    assert check_of(verdict, "tests").status is CheckStatus.SKIPPED


async def test_a_reproduction_that_cannot_be_imported_reproduces_nothing(tree: Path) -> None:
    verdict = await verify(tree, reproduction(f"import absent_module\n{UNIT}"))

    assert "fails on the base with another error than the finding: ModuleNotFoundError" in verdict.reason


async def test_a_reproduction_that_passes_on_the_base_shows_nothing(tree: Path) -> None:
    by_test = await verify(tree, reproduction(UNIT.replace("None", "[]")))
    by_code = await verify(tree, reproduction(UNIT.replace("None", "[]"), select="test_absent"), command=UNITTEST)

    assert {by_test.reason, by_code.reason} == {"the reproduction passes on the base, so it does not show the error"}


async def test_a_reproduction_that_fails_with_the_change_as_well_refutes_the_draft(tree: Path) -> None:
    by_test = await verify(tree, reproduction(), after=MAIL + "# no change\n")
    by_code = await verify(tree, reproduction(select="test_absent"), after=MAIL + "# no change\n", command=UNITTEST)

    assert {by_test.reason, by_code.reason} == {"the reproduction fails on the patched tree as well"}
    assert by_code.strength is Strength.BY_EXIT_CODE


async def test_a_reproduction_that_is_not_collected_is_told(tree: Path) -> None:
    verdict = await verify(tree, Reproduction(path="mail_tests.py", text=UNIT))

    assert verdict.reason == "the reproduction was not executed: no result of mail_tests.py"


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("absent.py", "is no test by its name"),
        ("tests/helper.py", "is no test by its name"),
        ("test_mail.py", "is not what the draft was made from"),
        ("tests/conftest.py", "may not be changed automatically"),
        ("tests/../../test_x.py", "is not a normal relative path"),
    ],
)
async def test_a_reproduction_is_a_new_test_file(tree: Path, path: str, fault: str) -> None:
    verdict = await verify(tree, Reproduction(path=path, text=UNIT))

    assert fault in verdict.reason
    assert check_of(verdict, "edits").status is CheckStatus.FAILED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"import gc\n{UNIT}", "needs a person: test_absent.py brings in the module gc"),
        (f"import pytest, _pytest\n{UNIT}", "needs a person: test_absent.py brings in the module _pytest"),
        ("def test(:\n", "test_absent.py does not parse"),
    ],
)
async def test_a_reproduction_is_looked_at_like_the_rest_of_the_draft(tree: Path, text: str, reason: str) -> None:
    sandbox = Watched()

    verdict = await verifier(sandbox=sandbox).verify(draft(reproduction=reproduction(text)), tree, BASE)

    assert verdict.reason.startswith(reason)
    assert sandbox.jobs == []


async def test_the_selection_of_a_reproduction_is_words_and_never_a_command(tree: Path, tmp_path: Path) -> None:
    await verify(tree, reproduction(select=f"; touch {tmp_path}/ran #"))

    assert not (tmp_path / "ran").exists()


# --- newly passing, flaky

COUNTER = """\
import pathlib
def turn():
    place = pathlib.Path({place!r})
    place.write_text(str(int(place.read_text()) + 1))
    return int(place.read_text())
"""


def unsteady(tree: Path, tmp_path: Path, fails: str) -> Path:
    """A test that counts its runs and fails in those for which ``fails`` is true; both trees count together."""
    place = tmp_path / "turns"
    place.write_text("0")
    code = COUNTER.format(place=str(place))
    (tree / "test_unsteady.py").write_text(f"{code}\ndef test_unsteady():\n    n = turn()\n    assert not ({fails})\n")
    return place


async def test_tests_that_the_change_mends_are_named(tree: Path) -> None:
    (tree / "test_absent.py").write_text(UNIT)

    verdict = await verifier().verify(draft(), tree, BASE)

    assert verdict.newly_passing == ("test_absent.py::AbsentTest::test_absent",)
    assert check_of(verdict, "tests").detail.endswith("; newly passing: test_absent.py::AbsentTest::test_absent")


async def test_a_test_that_fails_once_and_then_passes_twice_is_flaky_and_judges_nothing(
    tree: Path, tmp_path: Path
) -> None:
    unsteady(tree, tmp_path, "n == 2")

    verdict = await verifier().verify(draft(), tree, BASE)

    assert verdict.passed
    assert verdict.flaky == ("test_unsteady.py::test_unsteady",)
    assert "flaky: test_unsteady.py::test_unsteady" in check_of(verdict, "tests").detail


@pytest.mark.parametrize("fails", ["n >= 2", "n in (2, 4)"])
async def test_a_test_that_fails_again_is_broken_and_not_flaky(tree: Path, tmp_path: Path, fails: str) -> None:
    unsteady(tree, tmp_path, fails)

    verdict = await verifier().verify(draft(), tree, BASE)

    assert not verdict.passed
    assert verdict.reason == "1 test newly failing on the patched tree: test_unsteady.py::test_unsteady"


async def test_a_test_that_was_flaky_on_the_base_is_not_called_mended(tree: Path, tmp_path: Path) -> None:
    unsteady(tree, tmp_path, "n == 1")

    verdict = await verifier().verify(draft(), tree, BASE)

    assert (verdict.passed, verdict.newly_passing) == (True, ())
    assert verdict.flaky == ("test_unsteady.py::test_unsteady",)


# --- changed lines

LONGER = """\
def count(mails):
    if mails is None:
        return 0  # nothing runs this
    return len(mails)


def never():
    return 1
"""


@pytest.mark.parametrize("command", [PYTEST, UNITTEST])
async def test_the_verdict_tells_how_many_changed_lines_the_tests_ran(tree: Path, command: str) -> None:
    verdict = await verifier(command).verify(draft(LONGER), tree, BASE)

    assert verdict.passed
    assert verdict.changed_lines == LineCount(2, 4)
    assert check_of(verdict, "lines").detail == "the tests ran at least 2 of 4 changed lines"


async def test_lines_that_cannot_be_told_are_not_counted(tree: Path) -> None:
    untold = await verifier(f"PYTHONPATH=. {UNITTEST}").verify(draft(LONGER), tree, BASE)
    nothing = await verifier(UNITTEST).verify(draft(MAIL + "# a word\n"), tree, BASE)

    assert (untold.passed, untold.changed_lines) == (True, None)
    assert check_of(untold, "lines").detail == "it could not be told which of the changed lines the tests ran"
    assert check_of(nothing, "lines").detail == "no changed line is Python that can run"
    assert check_of(nothing, "lines").status is CheckStatus.SKIPPED


def test_a_sitecustomize_of_the_environment_still_runs_beside_the_hook(tree: Path, tmp_path: Path) -> None:
    hook, own, sink = tmp_path / "hook", tmp_path / "own", tmp_path / "sink"
    for folder in (hook, own, sink):
        folder.mkdir()
    (own / "sitecustomize.py").write_text("print('own')\n")
    lines.install(hook, tree, sink, draft(LONGER).edits)

    program = [sys.executable, "-c", "import mail"]
    env = {"PYTHONPATH": f"{hook}:{own}:{tree}"}
    printed = subprocess.run(program, env=env, check=True, capture_output=True, text=True).stdout

    assert printed == "own\n"
    assert ("mail.py", 1) in lines.read_seen(sink, draft(LONGER).edits)
