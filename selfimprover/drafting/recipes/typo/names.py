"""NameError: the close name is one that the function, the module or Python itself certainly has there."""

import sys
from collections.abc import Sequence

import libcst as cst

from selfimprover.drafting.recipes.bindings import (
    Binding,
    bound_names,
    certain_global,
    certain_local,
    module_names,
    refuse_unreadable_names,
    visible_names,
)
from selfimprover.drafting.recipes.classes import Project
from selfimprover.drafting.recipes.meaning import refuse_misfit
from selfimprover.drafting.recipes.place import only_name, refuse_other_scope
from selfimprover.drafting.recipes.spelling import only_close
from selfimprover.drafting.recipes.standard import value_of
from selfimprover.drafting.recipes.syntax import Code, Place
from selfimprover.drafting.recipes.typo.found import Typo
from selfimprover.drafting.recipes.uses import refuse_misfit_object
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame


def find_name(project: Project, place: Place, wrong: str, frames: Sequence[Frame]) -> Typo:
    """The name that is meant; raises ``RefusedError`` where that cannot be shown."""
    if wrong in sys.stdlib_module_names:
        raise RefusedError(f"{wrong} is a module of the standard library, so an import may be missing instead")
    code, use = place.code, only_name(place, wrong)
    if code.is_store(use) or not _is_plain_use(code, use):
        raise RefusedError(f"{place} does not read {wrong} as a name")
    refuse_unreadable_names(code)
    refuse_other_scope(place, use)
    if wrong in bound_names(code):
        raise RefusedError(f"{wrong} is bound somewhere in {code.source.path}")
    right = only_close(wrong, visible_names(code, use), f"at {place}")
    binding = _binding(place, use, right)
    if binding is None:
        refuse_misfit_object(code, use, right, value_of("builtins", right))
        return Typo(place, use, right, f"Python's own `{right}`")
    _refuse_too_early(binding, frames)
    refuse_misfit(project, code, use, binding)
    return Typo(place, use, right, f"`{right}` ({binding.at()})")


def _binding(place: Place, use: cst.CSTNode, right: str) -> Binding | None:
    """What binds the name; ``None`` for Python's own."""
    code, function = place.code, place.function
    if function is not None and right in bound_names(code, function):
        return certain_local(code, function, use, right)
    for up in code.ancestors(use):
        if isinstance(up, cst.FunctionDef) and right in bound_names(code, up):
            raise RefusedError(f"{right} belongs to {up.name.value}, the function around {place}")
        if isinstance(up, cst.BaseComp) and right in bound_names(code, up):
            raise RefusedError(f"{right} is bound by the comprehension at {place}")
    return certain_global(code, right) if right in module_names(code) else None


def _is_plain_use(code: Code, use: cst.Name) -> bool:
    """Whether the name stands for itself: it is neither an attribute, a keyword nor part of an import."""
    up = code.parent(use)
    if isinstance(up, cst.Attribute):
        return up.value is use
    if isinstance(up, cst.Arg):
        return up.value is use
    return not any(isinstance(each, cst.Import | cst.ImportFrom) for each in code.ancestors(use))


def _refuse_too_early(binding: Binding, frames: Sequence[Frame]) -> None:
    """While a module is still being run, only what stands above has a value."""
    name = binding.code.source.path.rpartition("/")[2]
    for frame in frames:
        same = frame.path.replace("\\", "/").rpartition("/")[2] == name
        if same and frame.function == "<module>" and frame.line <= binding.code.line(binding.node):
            raise RefusedError(
                f"{binding.name} is bound only below line {frame.line}, which was running ({binding.at()})"
            )
