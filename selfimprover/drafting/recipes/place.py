"""The failing line in a project's parsed files, and the one name on it that the error is about."""

from pathlib import Path

import libcst as cst

from selfimprover.drafting.recipes.classes import Project
from selfimprover.drafting.recipes.syntax import Code, Place, locate
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame


def failing_place(project: Project, tree: Path, frame: Frame) -> Place:
    """Where the frame stands, in the project's own parsed file; raises ``RefusedError`` if it is not in one."""
    place = locate(tree, frame)
    if place is None:
        raise RefusedError(f"the failing line {frame.path}:{frame.line} is not in the project's own code")
    if place.function is None and frame.function != "<module>":
        raise RefusedError(f"{place} runs in {frame.function}, whose names cannot be shown")
    code = project.code(place.code.source.path)
    if place.function is None:
        return Place(code, place.line, None)
    wanted = place.code.span(place.function)
    functions = [node for node in code.nodes() if isinstance(node, cst.FunctionDef) and code.span(node) == wanted]
    return Place(code, place.line, functions[0])


def only_name(place: Place, name: str) -> cst.Name:
    """The one place on the failing line where the code (not a text in it) has the name."""
    code = place.code
    found = [
        node
        for node in code.nodes(place.function)
        if isinstance(node, cst.Name) and node.value == name and code.runs_on(node, place.line)
    ]
    if len(found) != 1:
        raise RefusedError(f"{place} must hold the name {name} exactly once, but holds it {len(found)} times")
    return found[0]


def refuse_other_scope(place: Place, use: cst.CSTNode) -> None:
    """Raises ``RefusedError`` unless the use is evaluated in the function, or module, that the frame ran."""
    code = place.code
    if code.function_around(use) is not place.function or _is_in_head(code, use, place.function):
        raise RefusedError(f"{place} is in a lambda, a default or an inner function, whose names cannot be shown")
    for up in code.ancestors(use):
        if isinstance(up, cst.ClassDef) and up not in _around(code, place.function):
            raise RefusedError(f"{place} is in the body of a class, whose names cannot be shown")
        if isinstance(up, cst.Annotation):
            raise RefusedError(f"{place} is an annotation, which may be meant for type checkers alone")


def _is_in_head(code: Code, use: cst.CSTNode, function: cst.FunctionDef | None) -> bool:
    return function is not None and function.body not in _around(code, use)


def _around(code: Code, node: cst.CSTNode | None) -> list[cst.CSTNode]:
    return [] if node is None else list(code.ancestors(node))
