"""Shows which import is missing for the name on the failing line."""

import sys
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from selfimprover.drafting.recipes.bindings import (
    bound_names,
    certain_global,
    module_names,
    refuse_unreadable_names,
    visible_names,
)
from selfimprover.drafting.recipes.classes import Project
from selfimprover.drafting.recipes.meaning import refuse_misfit
from selfimprover.drafting.recipes.missing_import.cycles import refuse_cycle
from selfimprover.drafting.recipes.missing_import.ways import (
    Importer,
    Way,
    shape,
    shapes,
    standard_way,
    the_one_way,
    uses,
)
from selfimprover.drafting.recipes.place import failing_place, refuse_other_scope
from selfimprover.drafting.recipes.samples import Failure
from selfimprover.drafting.recipes.spelling import is_close
from selfimprover.drafting.recipes.standard import is_known_module, names_of, refuse_shadowed, value_of
from selfimprover.drafting.recipes.syntax import Code, Place
from selfimprover.drafting.recipes.uses import call_of, refuse_misfit_object
from selfimprover.errors import RefusedError

_TOO_SHORT_TO_BE_MISSPELT = 3


@dataclass(frozen=True)
class Missing:
    """An import that the file lacks."""

    project: Project
    place: Place
    way: Way
    shown: str
    """Why it is this import and no other, as a sentence."""


def find_missing(tree: Path, failure: Failure, name: str) -> Missing:
    """Shows every precondition, or raises ``RefusedError`` naming the one that does not hold."""
    project = Project(tree)
    place = failing_place(project, tree, failure.frame)
    code = place.code
    refuse_unreadable_names(code)
    if name in bound_names(code):
        raise RefusedError(f"{name} is bound somewhere in {code.source.path}, so more than an import is wrong")
    _refuse_misspelt(place, name)
    one = the_one_way(project, code, name)
    if one is None and not is_known_module(name):
        raise RefusedError(f"no other file imports {name}, and it is no module of the standard library that is known")
    way, importers = one or (standard_way(name), ())
    if way.target.partition(".")[0] in sys.stdlib_module_names:
        refuse_shadowed(project.paths, way.target)
    _refuse_misfit(project, code, way, importers)
    files = ", ".join(f"`{each.code.source.path}`" for each in importers[:3])
    shown = f"Every file that has `{name}` gets it by `{way.text}`: {files}." if files else ""
    return Missing(project, place, way, shown or f"`{name}` is a module of the standard library.")


def _refuse_misspelt(place: Place, name: str) -> None:
    """Raises ``RefusedError`` unless the line uses the name in plain code and no close name is known there."""
    code = place.code
    here = [node for node in uses(code, name) if code.runs_on(node, place.line) and _is_in(place, node)]
    if not here:
        raise RefusedError(f"{place} does not use {name} as a name")
    for node in here:
        refuse_other_scope(place, node)
        close = sorted(other for other in visible_names(code, node) if is_close(name, other))
        if close and len(name) > _TOO_SHORT_TO_BE_MISSPELT:
            raise RefusedError(f"{name} may be misspelt: {', '.join(close)} is close to it")


def _is_in(place: Place, node: cst.CSTNode) -> bool:
    return place.function is None or place.function in list(place.code.ancestors(node))


def _refuse_misfit(project: Project, code: Code, way: Way, importers: tuple[Importer, ...]) -> None:
    """Raises ``RefusedError`` unless all uses in the file fit what would be imported."""
    module, owner = project.module(way.target), way.target.rpartition(".")[0]
    found = project.file_and_name(way.target)
    if module is not None:
        refuse_unreadable_names(module)
        _refuse_unknown_attributes(code, way, module_names(module))
        refuse_cycle(project, code, way.target)
    elif found is not None and "." not in found[1]:
        binding = certain_global(*found)
        for use in uses(code, way.bound):
            if shape(code, use) != "value":
                refuse_misfit(project, code, use, binding)
        refuse_cycle(project, code, owner)
    elif is_known_module(way.target):
        _refuse_unknown_attributes(code, way, names_of(way.target))
    elif way.name in names_of(owner):
        _refuse_misfit_of_standard(code, way, value_of(owner, way.name or ""))
    elif way.target.partition(".")[0] in sys.stdlib_module_names:
        raise RefusedError(f"{way.target} is not known in every version of Python")
    else:
        _refuse_unlike_others(code, way, importers)


def _refuse_unknown_attributes(code: Code, way: Way, names: frozenset[str]) -> None:
    for use in uses(code, way.bound):
        kind = shape(code, use)
        if kind[0] != "." or kind[1:] not in names:
            what = f"asked for {kind[1:]}" if kind[0] == "." else "not asked for one of its names"
            raise RefusedError(f"{way.target} is a module, but {way.bound} is {what} at line {code.line(use)}")


def _refuse_misfit_of_standard(code: Code, way: Way, value: object) -> None:
    for use in uses(code, way.bound):
        kind = shape(code, use)
        if kind[0] == "." and not (isinstance(value, type) and hasattr(value, kind[1:])):
            raise RefusedError(f"{way.target} has no {kind[1:]}, which line {code.line(use)} asks for")
        if call_of(code, use) is not None:
            refuse_misfit_object(code, use, way.bound, value)


def _refuse_unlike_others(code: Code, way: Way, importers: tuple[Importer, ...]) -> None:
    """A package that is not in the project is known by what the other files do with it."""
    known = frozenset().union(*(shapes(each.code, way.bound) for each in importers))
    unlike = sorted(shapes(code, way.bound) - known)
    if unlike:
        raise RefusedError(f"no other file uses {way.bound} as {code.source.path} does ({', '.join(unlike)})")
