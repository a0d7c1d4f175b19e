"""Recipe: an intermittent error while connecting is tried again, with a capped back-off."""

from collections.abc import Sequence
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
        traced = _traced(finding)
        sample = traced[0][0]
        error = _transient([parsed for _, parsed in traced])
        numbers = _intermittent(finding)
        _refuse_several_places(finding)

        from selfimprover.drafting.recipes.retry_connect.code import FIRST_PAUSE, LONGEST_PAUSE, TRIES, with_retry
        from selfimprover.drafting.recipes.retry_connect.site import find_site

        site = find_site(tree, [parsed.frames for _, parsed in traced])
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
                "The call is given only names, attributes and constants; reading them is taken to change nothing.",
                *(f"`{each}`, which it runs, does nothing but connect, use and close." for each in site.judged),
                "Nothing of the project on the failing stack is a loop that handles errors, or named a retry.",
            ),
        )


def _traced(finding: Finding) -> list[tuple[TaskRecord, Parsed]]:
    """The samples that have a traceback, newest first; one of them must reach the project's own code."""
    newest_first = sorted(finding.samples, key=lambda task: task.created_at, reverse=True)
    traced = [(sample, parse(sample.error, sample.traceback)) for sample in newest_first]
    traced = [(sample, parsed) for sample, parsed in traced if parsed.frames]
    if not any(in_app(frame) for _, parsed in traced for frame in parsed.frames):
        raise RefusedError("no sample has a traceback through the project's own code")
    return traced


def _transient(samples: Sequence[Parsed]) -> str:
    """The qualified error type, the same for all samples, if a later try could go better."""
    errors = sorted({(parsed.qualified_type or "").removeprefix("builtins.") for parsed in samples})
    for error in errors:
        if error not in _CAUGHT and error not in _ALSO_CAUGHT:
            raise RefusedError(f"{error or 'the error'} is not known to be a passing failure to connect")
    if len(errors) > 1:
        raise RefusedError(f"the samples failed with different errors: {', '.join(errors)}")
    return errors[0]


def _refuse_several_places(finding: Finding) -> None:
    """All failures count, not the samples alone: a network error has no place in its identity."""
    if len(finding.places) > 1:
        told = ", ".join(f"{place} ({count})" for place, count in finding.places)
        raise RefusedError(f"the same error comes from several places, which one retry would not cure: {told}")


def _intermittent(finding: Finding) -> str:
    """The numbers that show that connecting mostly works."""
    base = finding.baseline
    kinds = f"{', '.join(base.kinds)} " if base.kinds else ""
    numbers = f"{base.failures} of {base.tasks} {kinds}tasks failed this way, {base.succeeded} succeeded"
    if base.succeeded <= 0 or base.failures * 2 >= base.tasks:
        raise RefusedError(f"the failure is not intermittent: {numbers}")
    return f"{numbers}."
