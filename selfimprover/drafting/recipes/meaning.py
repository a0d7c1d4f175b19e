"""Whether what a name stands for may be used as the failing line uses it; imports are followed."""

import libcst as cst

from selfimprover.drafting.recipes.bindings import Binding, Kind, certain_global, module_names
from selfimprover.drafting.recipes.classes import Class, Project, definitions, imported_as
from selfimprover.drafting.recipes.standard import is_known_module, names_of, value_of
from selfimprover.drafting.recipes.syntax import Code
from selfimprover.drafting.recipes.uses import (
    call_of,
    refuse_misfit_function,
    refuse_misfit_object,
    refuse_misfit_value,
)
from selfimprover.errors import RefusedError

_MOST_STEPS = 8


def refuse_misfit(project: Project, code: Code, use: cst.CSTNode, binding: Binding, steps: int = 0) -> None:
    """Raises ``RefusedError`` unless what the name is bound to may be used as it is used."""
    if binding.kind is Kind.VALUE:
        refuse_misfit_value(code, use, binding.name)
    elif binding.kind is Kind.FUNCTION:
        function = cst.ensure_type(binding.node, cst.FunctionDef)
        refuse_misfit_function(code, use, function, binding.code, bound=False)
    elif binding.kind is Kind.CLASS:
        _refuse_misfit_class(code, use, Class(binding.code, cst.ensure_type(binding.node, cst.ClassDef)))
    elif steps < _MOST_STEPS:
        _refuse_misfit_import(project, code, use, binding, steps)
    else:
        raise RefusedError(f"{binding.name} is imported through too many files")


def _refuse_misfit_class(code: Code, use: cst.CSTNode, known: Class) -> None:
    made = [each.node for each in definitions(known, "__init__") if isinstance(each.node, cst.FunctionDef)]
    if call_of(code, use) is not None and len(made) == 1:
        refuse_misfit_function(code, use, made[0], known.code, bound=True)


def _refuse_misfit_import(project: Project, code: Code, use: cst.CSTNode, binding: Binding, steps: int) -> None:
    target = imported_as(binding.code, binding.name)
    if target is None:
        raise RefusedError(f"what {binding.name} is imported from cannot be shown ({binding.at()})")
    module = project.module(target)
    if module is not None or is_known_module(target):
        _refuse_misfit_module(code, use, target, module_names(module) if module is not None else names_of(target))
        return
    found = project.file_and_name(target)
    if found is not None and "." not in found[1]:
        refuse_misfit(project, code, use, certain_global(*found), steps + 1)
        return
    owner, _, name = target.rpartition(".")
    if name in names_of(owner):
        refuse_misfit_object(code, use, name, value_of(owner, name))
        return
    raise RefusedError(f"{target} is neither in the project nor known of the standard library ({binding.at()})")


def _refuse_misfit_module(code: Code, use: cst.CSTNode, target: str, names: frozenset[str]) -> None:
    up = code.parent(use)
    if not (isinstance(up, cst.Attribute) and up.value is use and up.attr.value in names):
        raise RefusedError(f"{target} is a module, but is not used as one that has the name asked for")
