"""How many tests ran, from what runners print."""

import pytest

from selfimprover.verification.summaries import executed


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("Ran 2 tests in 0.000s\n\nOK\n", 2),
        ("Ran 1 test in 0.000s\n\nFAILED (failures=1)\n", 1),
        ("Ran 2 tests in 0.1s\n\nOK\nRan 3 tests in 0.1s\n\nOK\n", 5),
        ("..\n2 passed in 0.01s\n", 2),
        ("===== 1 failed, 2 passed, 1 warning in 0.10s =====\n", 3),
        ("no tests ran in 0.00s\n", 0),
        ("ok  \texample.org/a\t0.010s\nok  \texample.org/b\t0.200s\n", 2),
        ("test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured\n", 4),
        ("Tests:       1 failed, 3 passed, 4 total\n", 4),
        ("      Tests  3 passed (3)\n", 3),
        ("  5 passing (12ms)\n  1 failing\n", 6),
        ("# tests 7\n# pass 7\n", 7),
        ("1..3\nok 1\nok 2\nok 3\n", 3),
        ("OK (8 tests, 9 assertions)\n", 8),
        ("[INFO] Tests run: 6, Failures: 0, Errors: 0, Skipped: 0\n", 6),
        ("4 examples, 0 failures\n", 4),
        ("everything is fine\n", None),
        ("", None),
    ],
)
def test_the_summary_of_a_runner_tells_how_many_tests_it_executed(printed: str, number: int | None) -> None:
    assert executed(printed) == number
