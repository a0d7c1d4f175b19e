"""What the samples of a finding agree on: one error, raised at one line of the project's own code."""

import re
from dataclasses import dataclass

from selfimprover.domain import Finding, TaskRecord
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame, Parsed, in_app, parse

_HINT = re.compile(r"\. Did you (?:mean|forget)\b.{0,500}$", re.DOTALL)
_SUGGESTED = re.compile(r"Did you mean:? '(?P<name>[\w.]{1,200})'")


@dataclass(frozen=True)
class Failure:
    """The newest sample with a traceback, and what every sample says."""

    sample: TaskRecord
    error_type: str
    message: str
    """Without the suggestion that newer versions of Python add."""
    suggested: str | None
    """The name that Python itself suggested, if it did."""
    frames: tuple[Frame, ...]

    @property
    def frame(self) -> Frame:
        """The innermost one."""
        return self.frames[-1]


def agreed(finding: Finding) -> Failure:
    """The failure that all samples tell of; raises ``RefusedError`` where they disagree or none has a traceback."""
    newest_first = sorted(finding.samples, key=lambda task: task.created_at, reverse=True)
    told = [(sample, parse(sample.error, sample.traceback)) for sample in newest_first]
    messages = sorted({_without_hint(parsed.message) for _, parsed in told})
    if len(messages) > 1:
        raise RefusedError(f"the samples tell of different errors: {'; '.join(messages)}")
    types = {parsed.error_type for _, parsed in told if parsed.error_type is not None}
    traced = [(sample, parsed) for sample, parsed in told if parsed.frames]
    if not traced:
        raise RefusedError("no sample has a traceback")
    _refuse_several_places(finding, [parsed for _, parsed in traced])
    sample, parsed = traced[0]
    if len(types) != 1 or not all(_ends_with_the_error(each) for each, _ in traced):
        raise RefusedError(f"the samples do not all end with one error, as {messages[0]!r} does")
    frame = parsed.frames[-1]
    if not in_app(frame):
        raise RefusedError(f"the failing line {frame.path}:{frame.line} is not in the project's own code")
    hint = _SUGGESTED.search(parsed.message)
    return Failure(sample, types.pop(), messages[0], hint["name"] if hint else None, parsed.frames)


def _without_hint(message: str) -> str:
    return _HINT.sub("", message)


def _ends_with_the_error(sample: TaskRecord) -> bool:
    """Whether the traceback is that of the error text, not of another error on the way."""
    both, traced = parse(sample.error, sample.traceback), parse(None, sample.traceback or sample.error)
    same = _without_hint(both.message) == _without_hint(traced.message)
    return same and traced.error_type is not None and traced.error_type == both.error_type


def _refuse_several_places(finding: Finding, traced: list[Parsed]) -> None:
    if len(finding.places) > 1:
        told = ", ".join(f"{place} ({count})" for place, count in finding.places)
        raise RefusedError(f"the same error comes from several places: {told}")
    lines = {_shown(parsed.frames[-1]) for parsed in traced}
    if len(lines) > 1:
        raise RefusedError(f"the samples fail at different lines: {'; '.join(sorted(lines))}")


def _shown(frame: Frame) -> str:
    """A frame without what differs between machines and revisions."""
    path = frame.path.replace("\\", "/").rpartition("/")[2]
    return f"{path} in {frame.function}: {frame.text or f'line {frame.line}'}"
