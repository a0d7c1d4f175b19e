"""TypeError: the close name is a parameter of the function that was called."""

import libcst as cst

from selfimprover.drafting.recipes.bindings import Kind, all_params, bound_names, certain_global
from selfimprover.drafting.recipes.classes import (
    Class,
    Project,
    definitions,
    imported_as,
    is_own_attribute,
    method_around,
    receiver_of,
)
from selfimprover.drafting.recipes.instances import failing_class, is_local_instance, refuse_unknowable
from selfimprover.drafting.recipes.place import only_name
from selfimprover.drafting.recipes.spelling import only_close
from selfimprover.drafting.recipes.syntax import Code, Place, dotted
from selfimprover.drafting.recipes.typo.found import Typo
from selfimprover.drafting.recipes.uses import accepts, signature
from selfimprover.errors import RefusedError

_INIT = "__init__"
_MOST_STEPS = 8


def find_keyword(project: Project, place: Place, called: str, wrong: str) -> Typo:
    """The parameter that a keyword argument means; ``called`` is the function as the error names it."""
    use = only_name(place, wrong)
    code = place.code
    argument = code.parent(use)
    call = code.parent(argument)
    if not isinstance(argument, cst.Arg) or argument.keyword is not use or not isinstance(call, cst.Call):
        raise RefusedError(f"{place} does not give {wrong} as a keyword argument")
    function, defined, owner = _called(project, place, call, called)
    _refuse_decorated(function, defined)
    bound = owner is not None and not _is_static(function)
    params = all_params(function.params)[1:] if bound else all_params(function.params)
    named = [*function.params.params, *function.params.kwonly_params]
    right = only_close(wrong, {param.name.value for param in params}, f"among the parameters of {called}")
    if right not in {param.name.value for param in named}:
        raise RefusedError(f"{right} of {called} cannot be given by its name")
    changed = call.with_changes(
        args=[each.with_changes(keyword=cst.Name(right)) if each is argument else each for each in call.args]
    )
    if function.params.star_kwarg is not None or not accepts(signature(function, bound=bound), changed):
        raise RefusedError(f"{called} would not take the arguments at {place} with {right} either")
    at = f"{defined.source.path}:{defined.line(function)}"
    return Typo(place, use, right, f"the parameter `{right}` of `{called}` ({at})")


def _called(project: Project, place: Place, call: cst.Call, called: str) -> tuple[cst.FunctionDef, Code, Class | None]:
    """The function that the failing call runs, its file and its class; it must bear the name in the error."""
    owner_name, _, name = called.rpartition(".")
    if isinstance(call.func, cst.Name) or (name == _INIT and dotted(call.func) is not None):
        found = _by_name(project, place, dotted(call.func) or "")
    elif isinstance(call.func, cst.Attribute):
        found = _by_attribute(project, place, call.func, owner_name)
    else:
        raise RefusedError(f"what {place} calls cannot be shown")
    function, _, owner = found
    if function.name.value != name or (owner_name and (owner is None or owner.name != owner_name)):
        raise RefusedError(f"{place} is not shown to call {called}")
    return found


def _by_name(project: Project, place: Place, named: str) -> tuple[cst.FunctionDef, Code, Class | None]:
    """A function, or the ``__init__`` of a class, that a plain or dotted name means."""
    code = place.code
    if place.function is not None and named.partition(".")[0] in bound_names(code, place.function):
        raise RefusedError(f"{named} is a local name at {place}, so what it calls cannot be shown")
    for _ in range(_MOST_STEPS):
        binding = certain_global(code, named) if "." not in named else None
        if binding is not None and binding.kind is not Kind.IMPORT:
            break
        target = imported_as(code, named)
        found = project.file_and_name(target) if target is not None else None
        if found is None or "." in found[1]:
            raise RefusedError(f"what {place} calls as {named} is not in the project")
        code, named = found
    if binding is not None and isinstance(binding.node, cst.FunctionDef):
        return binding.node, binding.code, None
    if binding is not None and isinstance(binding.node, cst.ClassDef):
        return _method(project, Class(binding.code, binding.node), _INIT)
    raise RefusedError(f"what {place} calls as {named} is no function or class of the project")


def _by_attribute(
    project: Project, place: Place, func: cst.Attribute, owner_name: str
) -> tuple[cst.FunctionDef, Code, Class | None]:
    """A method of an object, or a function of a module."""
    named = dotted(func)
    if named is not None and not owner_name and imported_as(place.code, named) is not None:
        return _by_name(project, place, named)
    owner = failing_class(project, owner_name) if owner_name else _own_class(project, place, func)
    inside = is_own_attribute(owner, func) and not _rebinds(owner, func)
    if not inside and not is_local_instance(project, place.code, func.value, owner):
        raise RefusedError(f"{place} is not shown to call a method of {owner.name}")
    return _method(project, owner, func.attr.value)


def _own_class(project: Project, place: Place, func: cst.Attribute) -> Class:
    """The class around, if an error that names no class can mean no other function."""
    name = func.attr.value
    nodes = (node for code in project.mentioning(name) for node in code.nodes())
    if sum(isinstance(node, cst.FunctionDef) and node.name.value == name for node in nodes) != 1:
        raise RefusedError(f"the error names no class, and not exactly one function is called {name}")
    around = place.code.class_around(place.function) if place.function is not None else None
    if around is None:
        raise RefusedError(f"whose {func.attr.value} {place} calls cannot be shown")
    return Class(place.code, around)


def _rebinds(owner: Class, func: cst.Attribute) -> bool:
    method = method_around(owner, func)
    if method is None:
        return True
    body = owner.code.nodes(method.body)
    receiver = receiver_of(method)
    return any(isinstance(node, cst.Name) and node.value == receiver and owner.code.is_store(node) for node in body)


def _method(project: Project, owner: Class, name: str) -> tuple[cst.FunctionDef, Code, Class | None]:
    for each in project.ancestry(owner):
        refuse_unknowable(each)
        found = definitions(each, name)
        if found:
            node = found[0].node
            if len(found) != 1 or not isinstance(node, cst.FunctionDef) or each.code.parent(node) is not each.node.body:
                raise RefusedError(f"{each.name}.{name} is not defined in one plain way ({each.at(node)})")
            return node, each.code, each
    raise RefusedError(f"neither {owner.name} nor its bases define {name} themselves ({owner.at()})")


def _refuse_decorated(function: cst.FunctionDef, defined: Code) -> None:
    if function.decorators and {dotted(each.decorator) for each in function.decorators} - {
        "staticmethod",
        "classmethod",
    }:
        raise RefusedError(
            f"{function.name.value} is decorated ({defined.source.path}:{defined.line(function)}),"
            " so its parameters cannot be shown"
        )


def _is_static(function: cst.FunctionDef) -> bool:
    return "staticmethod" in {dotted(each.decorator) for each in function.decorators}
