"""Decides what to do about a finding: fix it, diagnose it, or leave it alone, with a reason a person understands."""

import re

from selfimprover.domain import CaseFile, Choice, Finding, State, Triage
from selfimprover.interfaces import Returned

_SERVER_ERROR = (
    r"\b5\d\d (?:internal server error|bad gateway|service unavailable|gateway time-?out|server error)"
    r"|\b(?:http|status)[\w /.:=(\[]{0,12}5\d\d\b|server error '?5\d\d"
    r"|bad ?gateway|service ?unavailable|gateway ?timeout"
)
_NO_NAME = (
    r"name or service not known|temporary failure in name resolution|getaddrinfo failed|nodename nor servname"
    r"|nxdomain|no address associated with hostname"
)
_QUOTA = (
    r"insufficient[_ ]quota|quota (?:exceeded|exhausted)|exceeded your (?:current )?quota|rate.?limit|too many requests"
    r"|\b(?:http|status)[\w /.:=(\[]{0,12}429\b|credit balance"
)
_EXTERNAL = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (_SERVER_ERROR, "the other side's server answers with an error (5xx)"),
        (_NO_NAME, "a name could not be resolved (DNS)"),
        (_QUOTA, "a quota or rate limit of the other side was reached"),
        (r"no space left on device|disk quota exceeded", "the disk of the assistant's machine is full"),
    )
)
_BUGS = frozenset(
    (
        "AssertionError",
        "AttributeError",
        "IndexError",
        "KeyError",
        "NameError",
        "RecursionError",
        "TypeError",
        "UnboundLocalError",
        "ZeroDivisionError",
    )
)
"""Types that only this code can raise, whatever words their message happens to hold."""


class Policy:
    """The rules, first match wins: what was decided before, then what kind of cause it is."""

    def decide(self, case: CaseFile, returned: Returned | None) -> Triage:
        """``returned`` tells what happened after the merge, if there was one."""
        return _settled(case, returned) or _not_ours(case.finding) or Triage(Choice.FIX, _why_fix(case))


def _settled(case: CaseFile, returned: Returned | None) -> Triage | None:
    number = case.pull_request.number if case.pull_request else None
    match case.state:
        case State.DISMISSED:
            return Triage(Choice.SKIP, f"dismissed: {case.reason}")
        case State.OPEN:
            return Triage(Choice.SKIP, f"pull request #{number} is open{_news_of(case)}")
        case State.CLOSED:
            if case.has_answered("moot"):
                return Triage(Choice.SKIP, f"pull request #{number} was not needed: the base has its change already")
            return Triage(Choice.SKIP, f"rejected: pull request #{number} was closed without a merge")
        case State.MERGED:
            return _after_merge(number, returned)
        case _:
            return None


def _news_of(case: CaseFile) -> str:
    """What a person should know of an open pull request, most urgent first."""
    pull = case.pull_request
    if pull is None:
        return ""
    if pull.head_commit != case.head_commit:
        return "; somebody pushed to its branch or reopened it, so it is left to them"
    asking = [author for author, verdict in pull.standing.items() if verdict == "changes requested"]
    if asking:
        return f"; {asking[-1]} asks for changes"
    if pull.failing:
        return f"; failing: {', '.join(pull.failing[:3])}"
    return "; it conflicts with its base" if pull.mergeable is False else ""


def _after_merge(number: int | None, returned: Returned | None) -> Triage:
    if returned is None or returned == Returned(0, 0, 0):
        return Triage(Choice.SKIP, f"pull request #{number} is merged; the error has not been seen since")
    if returned.with_fix:
        times = _times(returned.with_fix)
        return Triage(Choice.DIAGNOSE, f"seen {times} in code that has the fix of #{number}: the fix does not hold")
    if returned.without_fix and not returned.unknown:
        times = _times(returned.without_fix)
        return Triage(Choice.SKIP, f"#{number} is merged, waiting for deployment: seen {times} in code without it")
    return Triage(
        Choice.SKIP,
        f"#{number} is merged, waiting for deployment: seen {_times(returned.unknown + returned.without_fix)} since,"
        " and the telemetry does not tell which version of the code ran",
    )


def _not_ours(finding: Finding) -> Triage | None:
    if finding.kind != "repeated_error":
        return Triage(Choice.DIAGNOSE, "this is a rate, not one error: the top errors of the same days tell its causes")
    text = f"{finding.error_type or ''} {finding.pattern}"
    if not text.strip():
        return Triage(Choice.DIAGNOSE, "the assistant recorded no error text: there is nothing to read a cause from")
    for pattern, reason in _EXTERNAL:
        if finding.error_type not in _BUGS and pattern.search(text):
            return Triage(Choice.DIAGNOSE, f"{reason}: no change of this repository would cure it")
    return None


def _why_fix(case: CaseFile) -> str:
    times = _times(case.finding.occurrences)
    if case.state in {State.DRAFTED, State.VERIFIED, State.PUSHED}:
        return f"goes on from where an earlier night left it ({case.state}); seen {times}"
    return f"seen {times}, and nothing points to a cause outside the code"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
