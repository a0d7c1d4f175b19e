"""A reproduction has to fail as the finding does: same error, same place, whatever data it made up."""

import pytest

from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.verification.reproduction import Likeness

LIKENESS = Likeness(ErrorFingerprinter(), redact=lambda text: text)


def traceback(error: str, function: str = "read", path: str = "app/mail.py") -> str:
    return f'Traceback (most recent call last):\n  File "/srv/{path}", line 7, in {function}\n    go()\n{error}\n'


@pytest.mark.parametrize(
    ("finding", "test"),
    [
        ("KeyError: 'rates'", "KeyError: 'k'"),
        ("IndexError: list index out of range", "IndexError: string index out of range"),
        ("AlreadySentError: m-17", "AlreadySentError: a"),
    ],
)
def test_a_test_may_use_data_of_its_own(finding: str, test: str) -> None:
    wanted = ErrorFingerprinter().fingerprint(finding, traceback(finding))

    differs = LIKENESS.differs(traceback(test, path="tree/mail.py"), wanted)

    assert differs == ""


@pytest.mark.parametrize(
    ("test", "function"),
    [
        ("KeyError: 'rates'", "write"),
        ("TypeError: 'rates'", "read"),
    ],
)
def test_another_place_or_type_is_another_error(test: str, function: str) -> None:
    wanted = ErrorFingerprinter().fingerprint("KeyError: 'rates'", traceback("KeyError: 'rates'"))

    assert LIKENESS.differs(traceback(test, function), wanted)


def test_where_the_message_tells_the_cause_it_has_to_be_the_same() -> None:
    wanted = ErrorFingerprinter().fingerprint("ValueError: no date given", traceback("ValueError: no date given"))

    assert LIKENESS.differs(traceback("ValueError: no text given"), wanted)
