"""Producers and callers: where the wrong value of the failing line may have come from."""

import ast
from collections.abc import Iterator

from selfimprover.drafting.reading.frames import Located
from selfimprover.drafting.reading.neighbours import callers, definitions, setters, writers_of_key
from selfimprover.drafting.reading.parts import Candidate
from selfimprover.drafting.reading.python_code import Function
from selfimprover.drafting.reading.scene import Scene
from selfimprover.drafting.reading.suspects import Origins, origins

PRODUCER = 20
CALLER = 28
_MAX_PRODUCERS = 6
_MAX_CALLERS = 4
_EACH = 2
_MAX_SITES = 2


def producers(scene: Scene) -> Iterator[Candidate]:
    """The functions that make the wrong value, those that set its attribute, and those that write its key."""
    for site in _sites(scene):
        found = _origins(scene, site)
        yield from _first(_made(scene, site, found), _MAX_PRODUCERS)


def calling(scene: Scene) -> Iterator[Candidate]:
    """Those that call the failing function: producers, if the wrong value is one of its parameters."""
    for site in _sites(scene):
        if site.definition is None:
            continue
        through = _origins(scene, site).parameters
        kind, rank = ("producer", PRODUCER + 2) if through else ("caller", CALLER)
        note = f"gives {', '.join(through)}" if through else "calls it"
        uses = callers(scene.files, site.definition)
        yield from _first((part for use in uses for part in scene.use(use, kind, rank, note)), _MAX_CALLERS)


def _sites(scene: Scene) -> list[Located]:
    return [stack[-1] for stack in scene.stacks[:_MAX_SITES]]


def _origins(scene: Scene, site: Located) -> Origins:
    code = scene.files.code(site.path)
    if code is None or code.tree is None or site.line is None:
        return Origins()
    function: Function | ast.Module = code.tree
    if site.definition is not None and not isinstance(site.definition.node, ast.ClassDef):
        function = site.definition.node
    return origins(function, site.line, scene.error_type, scene.message)


def _made(scene: Scene, site: Located, found: Origins) -> Iterator[Candidate]:
    for key in found.keys:
        for use in writers_of_key(scene.files, key, site.path)[:_EACH]:
            yield from scene.use(use, "producer", PRODUCER + 1, f"writes the key {key!r}")
    for name in found.calls:
        for each in definitions(scene.files, name, site.path)[:_EACH]:
            yield from scene.definition(each, "producer", PRODUCER)
    for attribute in found.attributes:
        for use in setters(scene.files, attribute, site.path)[:_EACH]:
            yield from scene.use(use, "producer", PRODUCER + 1, f"sets .{attribute}")
    for name in found.names:
        for each in definitions(scene.files, name, site.path)[:_EACH]:
            yield from scene.definition(each, "producer", PRODUCER + 3)


def _first(candidates: Iterator[Candidate], limit: int) -> Iterator[Candidate]:
    for _, candidate in zip(range(limit), candidates, strict=False):
        yield candidate
