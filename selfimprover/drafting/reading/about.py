"""What the finding itself says, and the project's instructions."""

from collections.abc import Iterator

from selfimprover.characters import without_comments
from selfimprover.domain import Finding, TaskRecord
from selfimprover.drafting.reading.files import Files
from selfimprover.drafting.reading.parts import Candidate, Part, cut

FINDING = 0
INSTRUCTIONS = 15
_TRACEBACK_TOKENS = 1_800
_ERROR_TOKENS = 500
_SAMPLE_TOKENS = 200
_INSTRUCTIONS_TOKENS = 2_500
_MAX_SAMPLES = 3


def about(finding: Finding) -> Iterator[Candidate]:
    """The error, how often it came, the traceback of one task, and how other tasks put it."""
    long = _text(finding, _TRACEBACK_TOKENS)
    shorter = tuple(_text(finding, limit) for limit in (600, 200, 60))
    yield Candidate(Part("finding", f"finding {finding.id}", long, FINDING), shorter)


def instructions(files: Files, path: str | None) -> tuple[list[Candidate], list[str]]:
    """The project's instructions file as a part, or a note that it cannot be read."""
    if path is None:
        return [], []
    text = files.text(path)
    if text is None:
        return [], [f"{path}: not a readable text file of the project"]
    text = without_comments(text).strip()
    shorter = tuple(cut(text, limit) for limit in (_INSTRUCTIONS_TOKENS // 3, 250))
    part = Part("instructions", path, cut(text, _INSTRUCTIONS_TOKENS), INSTRUCTIONS)
    return [Candidate(part, shorter)] if text else [], []


def _text(finding: Finding, limit: int) -> str:
    kinds = ", ".join(finding.baseline.kinds) or "any kind"
    seen = f"{finding.occurrences} times from {finding.first_seen:%Y-%m-%d} to {finding.last_seen:%Y-%m-%d}"
    lines = [
        f"Error type: {finding.error_type or 'unknown'}",
        f"Message pattern: {cut(without_comments(finding.pattern), min(limit, _ERROR_TOKENS))}",
        f"Seen {seen}, in tasks of {cut(without_comments(kinds), _SAMPLE_TOKENS)}.",
    ]
    lines += [without_comments(detail) for detail in finding.details] if limit > _SAMPLE_TOKENS else []
    if finding.samples:
        lines += _sample(finding.samples[0], limit)
    others = [sample.error for sample in finding.samples[1:] if sample.error != finding.samples[0].error]
    if limit > _SAMPLE_TOKENS:
        distinct = list(dict.fromkeys(others))[: _MAX_SAMPLES - 1]
        lines += [f"Another task: {cut(without_comments(error or ''), _SAMPLE_TOKENS)}" for error in distinct]
    return "\n".join(lines)


def _sample(sample: TaskRecord, limit: int) -> Iterator[str]:
    if sample.error:
        yield f"Error of one task: {cut(without_comments(sample.error), min(limit, _ERROR_TOKENS))}"
    if sample.traceback:
        yield f"Its traceback:\n{cut(without_comments(sample.traceback).strip(), limit)}"
    if sample.input and limit > _SAMPLE_TOKENS:
        yield f"Its input: {cut(without_comments(sample.input), _SAMPLE_TOKENS)}"
