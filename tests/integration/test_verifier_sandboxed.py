"""The same proofs in a real sandbox, where one can be had."""

import sys
from pathlib import Path

from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.verification.bubblewrap import Bubblewrap
from selfimprover.verification.dependencies import Dependencies
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.sandbox import Limits
from tests.integration.proofs import BASE, PYTEST, UNITTEST, WORSE, check_of, draft, plant, verifier
from tests.integration.test_verifier_evidence import LONGER, reproduction
from tests.integration.test_verifier_fooling import FORGED, LEAVE

EXPOSED = exposed([Path(sys.prefix)])


async def test_a_draft_is_reproduced_compared_and_covered_inside_the_sandbox(
    tmp_path: Path, bubblewrap: Bubblewrap
) -> None:
    part = verifier(PYTEST, sandbox=bubblewrap, readable=EXPOSED, fingerprinter=ErrorFingerprinter())
    tree = plant(tmp_path)

    good = await part.verify(draft(LONGER, reproduction=reproduction()), tree, BASE)
    bad = await part.verify(draft(WORSE), tree, BASE)
    forged = await part.verify(draft(LEAVE + FORGED + "leave()\n"), tree, BASE)

    assert (good.passed, good.reproduced, good.sandbox) == (True, True, "bubblewrap")
    assert check_of(good, "lines").detail == "the tests ran at least 3 of 4 changed lines"
    assert bad.reason == "1 test newly failing on the patched tree: test_mail.py::CountTest::test_one"
    assert "left no report that is whole and ours" in forged.reason


async def test_the_tests_cannot_write_to_the_environment_or_to_what_judges_them(
    tmp_path: Path, bubblewrap: Bubblewrap
) -> None:
    dependencies = Dependencies(
        folder=tmp_path / "environments",
        sandbox=bubblewrap,
        limits=Limits(timeout=60),
        setup=['python3 -m venv --without-pip "$SELFIMPROVER_ENV"', 'touch "$SELFIMPROVER_ENV/installed"'],
        network=False,
        expose=[Path(sys.prefix)],
        readable=EXPOSED,
    )
    attack = 'test -e "$SELFIMPROVER_ENV/installed" || exit 8; touch "$SELFIMPROVER_ENV/x" "$PYTHONPATH/x" && exit 9'
    part = verifier(f"{attack}; {UNITTEST}", sandbox=bubblewrap, readable=EXPOSED, dependencies=dependencies)

    verdict = await part.verify(draft(), plant(tmp_path), BASE)

    assert verdict.passed, verdict.reason
    assert list((tmp_path / "environments").glob("*/env/x")) == []
