"""The failing code: the functions of the traceback with their lines marked, and the classes they belong to."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from selfimprover.drafting.reading.excerpts import CALLS, FAILS, of_definition, of_lines
from selfimprover.drafting.reading.frames import MAX_FRAMES, Located
from selfimprover.drafting.reading.neighbours import definitions, setters
from selfimprover.drafting.reading.parts import Candidate
from selfimprover.drafting.reading.python_code import Definition
from selfimprover.drafting.reading.scene import Scene
from selfimprover.drafting.reading.suspects import missing_attribute, named_class

FAILING = 10
"""The function where the error surfaced."""
CLASS = 24
_OUTER = 30
"""Where the ranks of the calls around it begin."""
_MAX_CLASSES = 3
_MAX_SETTERS = 3


@dataclass(slots=True)
class _Group:
    """The frames of one function, of all stacks together."""

    rank: int
    first: Located
    marks: dict[int, str] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


def frames(scene: Scene) -> Iterator[Candidate]:
    """The functions of the tracebacks, outermost first; the failing ones are the most important."""
    groups: dict[tuple[str, int], _Group] = {}
    for number, stack in enumerate(scene.stacks):
        for distance, located in enumerate(reversed(stack)):
            rank = FAILING + number if distance == 0 else _OUTER + distance + number
            key = (located.path, located.definition.first if located.definition else -(located.line or 0))
            group = groups.setdefault(key, _Group(rank, located))
            group.rank = min(group.rank, rank)
            group.notes.setdefault(located.note)
            if located.line is not None:
                mark = FAILS if distance == 0 else CALLS
                group.marks[located.line] = FAILS if FAILS in {mark, group.marks.get(located.line)} else mark
    best = sorted(groups.values(), key=lambda group: group.rank)[:MAX_FRAMES]
    for group in sorted(best, key=lambda group: -group.rank):
        yield from _shown(scene, group)


def classes(scene: Scene) -> Iterator[Candidate]:
    """The class around each failing function, and the class that the message names."""
    found: dict[Definition, None] = {}
    for stack in scene.stacks:
        site = stack[-1]
        code = scene.files.code(site.path)
        owner = code.owner_of(site.definition) if code is not None and site.definition is not None else None
        if owner is not None:
            found.setdefault(owner)
    near = scene.site.path if scene.site else ""
    named = named_class(scene.message)
    for each in definitions(scene.files, named, near, classes=True)[:2] if named else ():
        found.setdefault(each)
    for each in list(found)[:_MAX_CLASSES]:
        yield from scene.definition(each, "class", CLASS, "skeleton")


def attribute_setters(scene: Scene) -> Iterator[Candidate]:
    """Where the attribute that an object lacks is set, if anywhere."""
    attribute = missing_attribute(scene.message)
    if attribute is None:
        return
    near = scene.site.path if scene.site else ""
    for use in setters(scene.files, attribute, near)[:_MAX_SETTERS]:
        yield from scene.use(use, "producer", CLASS - 1, f"sets .{attribute}")


def _shown(scene: Scene, group: _Group) -> Iterator[Candidate]:
    located = group.first
    code = scene.files.code(located.path)
    title = scene.remark(located.path, *group.notes)
    if code is not None and located.definition is not None:
        definition = located.definition
        scene.shown.add((located.path, definition.first, definition.last))
        yield of_definition(code, definition, "frame", group.rank, f"{title}", group.marks)
        return
    text = code.text if code is not None else scene.files.text(located.path)
    if text is None or located.frame.line == 0:
        return
    lines = text.split("\n")
    line = located.line if located.line is not None else min(located.frame.line, len(lines))
    mark = group.marks.get(line, "")
    scene.shown.add((located.path, line - 20, line + 20))
    yield of_lines(located.path, lines, line, "frame", group.rank, note=title, mark=mark)
