"""Recipe: an intermittent error while connecting is tried again, with a capped back-off."""

from pathlib import Path

from selfimprover.domain import Draft, Edit, Finding, Risk, TaskRecord
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Parsed, in_app, parse

_CAUGHT = frozenset(
    {"ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError"}
    | {"TimeoutError"}
)
_ALSO_CAUGHT = {
    "asyncio.TimeoutError": ("asyncio", "TimeoutError"),
    "asyncio.exceptions.TimeoutError": ("asyncio", "TimeoutError"),
    "socket.timeout": ("socket", "timeout"),
}
"""Errors that were classes of their own before Python 3.11 and 3.10: recorded name → module and class to catch."""


class RetryTransientConnect:
    """Retries the call that connects, if most tasks get through and the call can be repeated without side effects."""

    name = "retry-transient-connect"

    def apply(self, finding: Finding, tree: Path) -> Draft:
        """The draft; raises ``RefusedError`` if the error is constant, no connecting call fails or it cannot repeat."""
        sample, parsed = _sample(finding)
        error = _transient(parsed)
        numbers = _intermittent(finding)

        from selfimprover.drafting.recipes.retry_code import FIRST_PAUSE, LONGEST_PAUSE, TRIES, with_retry
        from selfimprover.drafting.recipes.retry_site import find_site

        site = find_site(tree, parsed.frames)
        source = site.code.source
        after = with_retry(tree, site, _ALSO_CAUGHT.get(error))
        waits = sum(min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) for attempt in range(TRIES - 1))
        owner = site.owner.name.value if site.owner is not None else site.function.name.value
        return Draft(
            drafter=f"recipe:{self.name}",
            title=f"Retry {owner} {site.callee.lstrip('_')} with capped back-off",
            summary="retry with capped back-off",
            root_cause=(
                f"`{site.place}` calls `{site.callee}` once and gives up on the first {error},"
                " although the other side usually answers."
            ),
            change=(
                f"The same call is now tried up to {TRIES} times in `{site.helper}`, with pauses of"
                f" {FIRST_PAUSE} s × 2^attempt, each at most {LONGEST_PAUSE:g} s; the last error is raised unchanged."
            ),
            may_hide=(
                f"A server that is down for longer shows up to {waits:g} s and {TRIES - 1} more tries later.",
                "A server that answers only every second time no longer shows as failing.",
            ),
            risk=Risk.RETRY,
            edits=(Edit(source.path, source.text, after),),
            proof=(
                numbers,
                f"Task {sample.id} failed with {error} on the call at `{site.place}`.",
                "Its arguments only read names, attributes and constants: nothing but connecting happens again.",
                f"Neither `{site.function.name.value}` nor anything on the failing stack retries it already.",
            ),
        )


def _sample(finding: Finding) -> tuple[TaskRecord, Parsed]:
    """The newest sample whose traceback reaches the project's own code."""
    for sample in sorted(finding.samples, key=lambda task: task.created_at, reverse=True):
        parsed = parse(sample.error, sample.traceback)
        if any(in_app(frame) for frame in parsed.frames):
            return sample, parsed
    raise RefusedError("no sample has a traceback through the project's own code")


def _transient(parsed: Parsed) -> str:
    """The qualified error type, if a later try could go better."""
    error = (parsed.qualified_type or "").removeprefix("builtins.")
    if error not in _CAUGHT and error not in _ALSO_CAUGHT:
        raise RefusedError(f"{error or 'the error'} is not known to be a passing failure to connect")
    return error


def _intermittent(finding: Finding) -> str:
    """The numbers that show that connecting mostly works."""
    base = finding.baseline
    kinds = f"{', '.join(base.kinds)} " if base.kinds else ""
    numbers = f"{base.failures} of {base.tasks} {kinds}tasks failed this way, {base.succeeded} succeeded"
    if base.succeeded <= 0 or base.failures * 2 >= base.tasks:
        raise RefusedError(f"the failure is not intermittent: {numbers}")
    return f"{numbers}."
