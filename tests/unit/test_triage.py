"""Triage: what is fixed, diagnosed or left alone, and why."""

import pytest

from selfimprover.domain import CaseFile, Choice, State
from selfimprover.interfaces import Returned
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.triage import Policy
from tests.builders import BUG, a_finding

POLICY = Policy()


def decide(error: str, state: State = State.FOUND, returned: Returned | None = None) -> tuple[Choice, str]:
    triage = POLICY.decide(
        CaseFile(project="assistant", finding=a_finding(error), state=state, reason="because"), returned
    )
    return triage.choice, triage.reason


@pytest.mark.parametrize(
    "error",
    [
        "GatewayTimeout: 504 Gateway Timeout from http://127.0.0.1:1/v1",
        "HTTPStatusError: Server error '503 Service Unavailable' for url 'https://api.example/x'",
        "ApiError: HTTP 502",
        "InternalServerError: status code: 500",
        "gaierror: [Errno -2] Name or service not known",
        "ConnectError: [Errno -3] Temporary failure in name resolution",
        "RateLimitError: Error code: 429 - insufficient_quota",
        "ApiError: Too Many Requests",
        "OSError: [Errno 28] No space left on device",
    ],
)
def test_causes_outside_the_repository_are_diagnosed(error: str) -> None:
    choice, reason = decide(error)

    assert choice is Choice.DIAGNOSE
    assert "no change of this repository" in reason


@pytest.mark.parametrize(
    "error",
    [
        BUG,
        "KeyError: 'rate limit'",
        "TimeoutError: IMAP timeout: no greeting from 127.0.0.1:143 within 0.4 s",
        "HttpError: HTTP 404",
        "ValueError: took 500 ms",
    ],
)
def test_anything_else_is_to_be_fixed(error: str) -> None:
    assert decide(error)[0] is Choice.FIX


def test_a_failure_without_a_text_is_diagnosed() -> None:
    fingerprint = ErrorFingerprinter().fingerprint(None, None)
    case = CaseFile(project="assistant", finding=a_finding(fingerprint=fingerprint), state=State.FOUND, reason="")

    assert "no error text" in POLICY.decide(case, None).reason


def test_a_rate_is_no_single_error() -> None:
    case = CaseFile(project="assistant", finding=a_finding(kind="failure_rate"), state=State.FOUND, reason="")

    assert POLICY.decide(case, None).choice is Choice.DIAGNOSE


@pytest.mark.parametrize(
    ("state", "words"),
    [(State.OPEN, "is open"), (State.CLOSED, "rejected"), (State.DISMISSED, "because"), (State.MERGED, "is merged")],
)
def test_what_was_decided_before_stands(state: State, words: str) -> None:
    choice, reason = decide(BUG, state)

    assert choice is Choice.SKIP
    assert words in reason


@pytest.mark.parametrize("state", [State.DRAFTED, State.VERIFIED, State.PUSHED])
def test_work_that_was_begun_goes_on(state: State) -> None:
    choice, reason = decide(BUG, state)

    assert choice is Choice.FIX
    assert "goes on" in reason


@pytest.mark.parametrize(
    ("returned", "choice", "words"),
    [
        (Returned(0, 0, 0), Choice.SKIP, "not been seen since"),
        (Returned(1, 0, 0), Choice.DIAGNOSE, "seen once in code that has the fix"),
        (Returned(2, 5, 1), Choice.DIAGNOSE, "does not hold"),
        (Returned(0, 3, 0), Choice.SKIP, "waiting for deployment: seen 3 times in code without it"),
        (Returned(0, 1, 2), Choice.SKIP, "does not tell which version"),
    ],
)
def test_after_a_merge_the_version_that_failed_decides(returned: Returned, choice: Choice, words: str) -> None:
    decided, reason = decide(BUG, State.MERGED, returned)

    assert decided is choice
    assert words in reason
