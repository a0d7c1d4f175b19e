"""What a finding says about the code, looked up in the tree: the ground that every part of the context starts from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfimprover import edits
from selfimprover.domain import CaseFile
from selfimprover.drafting.reading.excerpts import of_definition, of_lines, remark
from selfimprover.drafting.reading.files import Files
from selfimprover.drafting.reading.frames import Located, chosen, locate
from selfimprover.drafting.reading.neighbours import Use
from selfimprover.drafting.reading.parts import Candidate
from selfimprover.drafting.reading.python_code import Definition
from selfimprover.drafting.reading.stack_traces import stacks
from selfimprover.patterns.tracebacks import Frame, parse

_MAX_SAMPLES = 3


@dataclass(slots=True)
class Scene:
    """A finding in its tree. Remembers what was shown, so that no function is shown twice."""

    case: CaseFile
    files: Files
    paths: Sequence[str]
    deny: Sequence[str]
    error_type: str
    message: str
    stacks: tuple[tuple[Located, ...], ...]
    """The frames that are in the tree, stack by stack, the most telling stack first, without empty ones."""
    shown: set[tuple[str, int, int]] = field(default_factory=set)
    classes: set[tuple[str, int, int]] = field(default_factory=set)

    @property
    def site(self) -> Located | None:
        """The innermost call in the project's code: where the error surfaced."""
        return self.stacks[0][-1] if self.stacks else None

    def remark(self, path: str, *notes: str) -> str:
        """What a title says beyond the place: also whether the file may be changed."""
        denied = any(edits.matches(path, glob, fold_case=True) for glob in (*edits.DENIED, *self.deny))
        allowed = any(edits.matches(path, glob) for glob in self.paths)
        fixed = "" if allowed and not denied else "may not be changed"
        return remark(self.files, path, *notes, fixed)

    def has_shown(self, path: str, line: int) -> bool:
        """Whether a line is in a part that was gathered already."""
        return any(path == place and first <= line <= last for place, first, last in self.shown)

    def definition(self, definition: Definition, kind: str, rank: int, note: str = "") -> Iterator[Candidate]:
        """A definition as a part, unless it was gathered already."""
        code = self.files.code(definition.path)
        place = (definition.path, definition.first, definition.last)
        if code is not None and place not in self.classes and not self.has_shown(*place[:2]):
            # of a class only the skeleton is shown, so that its methods can still be
            (self.classes if definition.is_class else self.shown).add(place)
            yield of_definition(code, definition, kind, rank, self.remark(definition.path, note))

    def use(self, use: Use, kind: str, rank: int, note: str = "") -> Iterator[Candidate]:
        """The function around a line as a part, or a few lines where there is none, unless gathered already."""
        code = self.files.code(use.path)
        if code is None or self.has_shown(use.path, use.line):
            return
        if use.around is not None and not use.around.is_class:
            self.shown.add((use.path, use.around.first, use.around.last))
            title = self.remark(use.path, f"line {use.line} {note}" if note else "")
            yield of_definition(code, use.around, kind, rank, title)
        else:
            self.shown.add((use.path, use.line - 8, use.line + 8))
            yield of_lines(use.path, code.lines, use.line, kind, rank, note=self.remark(use.path, note), around=8)


def scene(case: CaseFile, files: Files, paths: Sequence[str], deny: Sequence[str]) -> Scene:
    """Looks up the samples of a finding; where they have no traceback, the places that the finding names."""
    finding = case.finding
    samples = finding.samples[:_MAX_SAMPLES]
    first = parse(samples[0].error, samples[0].traceback) if samples else parse(finding.title, None)
    found: dict[tuple[Frame, ...], tuple[Located, ...]] = {}
    for sample in samples:
        for stack in stacks(sample.traceback or "") or stacks(sample.error or ""):
            found.setdefault(stack.frames, _located(files, stack.frames))
    if not any(found.values()):
        for place, _ in finding.places:
            frame = _named_place(place)
            found.setdefault((frame,), _located(files, (frame,)))
    telling = tuple(stack for stack in found.values() if stack)
    return Scene(
        case=case,
        files=files,
        paths=paths,
        deny=deny,
        error_type=finding.error_type or first.error_type or "",
        message=first.message or finding.pattern,
        stacks=telling,
    )


def _located(files: Files, frames: Sequence[Frame]) -> tuple[Located, ...]:
    return chosen([each for each in (locate(files, frame) for frame in frames) if each is not None])


def _named_place(place: str) -> Frame:
    path, _, function = place.rpartition(":")
    return Frame(path, 0, function, None)
