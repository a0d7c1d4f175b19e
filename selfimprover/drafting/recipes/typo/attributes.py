"""AttributeError: the close name is an attribute that the class, the built-in type or the module certainly has."""

from collections.abc import Sequence

import libcst as cst

from selfimprover.drafting.recipes.bindings import bound_names, certain_global, module_names, refuse_unreadable_names
from selfimprover.drafting.recipes.classes import (
    Class,
    Definition,
    How,
    Project,
    definitions,
    imported_as,
    is_own_attribute,
    method_around,
    own_nodes,
)
from selfimprover.drafting.recipes.instances import failing_class, refuse_other_classes, refuse_unknowable
from selfimprover.drafting.recipes.meaning import refuse_misfit
from selfimprover.drafting.recipes.place import only_name
from selfimprover.drafting.recipes.spelling import only_close
from selfimprover.drafting.recipes.standard import (
    all_names,
    is_uncertain,
    names_of,
    refuse_shadowed,
    refuse_uncertain_name,
    value_of,
)
from selfimprover.drafting.recipes.syntax import Code, Place, dotted, last_name
from selfimprover.drafting.recipes.typo.found import Typo
from selfimprover.drafting.recipes.uses import refuse_misfit_function, refuse_misfit_object, refuse_misfit_value
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame

_OBJECT = frozenset(dir(object))


def find_of_instance(project: Project, place: Place, owner: str, wrong: str, frames: Sequence[Frame]) -> Typo:
    """An attribute of an object of a class of the project, or a method of a built-in type."""
    use, attribute = _read(place, wrong)
    if names_of(f"type {owner}") and not project.classes_named(owner):
        return _of_builtin_type(place, use, attribute, owner)
    known = failing_class(project, owner)
    refuse_other_classes(project, place, [attribute], known)
    right, home, found = _close_definition(project, known, use, place)
    readers = [each for each in project.ancestry(known) if is_own_attribute(each, attribute)]
    if readers and not any(home.is_same(each) for reader in readers for each in project.ancestry(reader)):
        raise RefusedError(f"{right} belongs to {home.name}, not to the class whose method reads it at {place}")
    _refuse_uncertain(project, known, found, home, frames)
    if found.how is How.AS_FUNCTION:
        _refuse_misfit_method(place.code, attribute, home, found)
    else:
        refuse_misfit_value(place.code, attribute, right)
    return Typo(place, use, right, f"`{right}` of `{home.name}` ({home.at(found.node)})")


def find_of_class(project: Project, place: Place, owner: str, wrong: str) -> Typo:
    """An attribute of a class of the project, asked of the class itself."""
    use, attribute = _read(place, wrong)
    known = failing_class(project, owner)
    named = dotted(attribute.value)
    if named is None or _is_local(place, named) or not known.is_same(project.resolve(place.code, named)):
        raise RefusedError(f"{place} does not plainly name the class {owner}")
    right, home, found = _close_definition(project, known, use, place)
    if found.how is How.IN_BODY and found.value is not None and _is_direct(home, found.node):
        refuse_misfit_value(place.code, attribute, right)
    elif found.how is How.AS_FUNCTION and _decorator(home, found) in {"staticmethod", "classmethod"}:
        _refuse_misfit_method(place.code, attribute, home, found)
    else:
        raise RefusedError(f"{home.name}.{right} at {home.at(found.node)} is not shown to be there on the class itself")
    return Typo(place, use, right, f"`{right}` of `{home.name}` ({home.at(found.node)})")


def find_of_module(project: Project, place: Place, module: str, wrong: str) -> Typo:
    """A name of a module of the project or of the standard library."""
    use, attribute = _read(place, wrong)
    named = dotted(attribute.value)
    target = imported_as(place.code, named) if named is not None and not _is_local(place, named) else None
    if target is None or (target != module and not (target[0] == "/" and f".{target}".endswith(f".{module}"))):
        raise RefusedError(f"{place} does not plainly name the module {module}")
    code = project.module(target)
    if code is None:
        return _of_standard_module(project, place, use, attribute, module)
    refuse_unreadable_names(code)
    right = only_close(wrong, module_names(code) | submodules(project, code), f"in {code.source.path}")
    binding = certain_global(code, right)
    refuse_misfit(project, place.code, attribute, binding)
    return Typo(place, use, right, f"`{right}` of `{module}` ({binding.at()})")


def submodules(project: Project, code: Code) -> frozenset[str]:
    """The modules that stand beside the ``__init__.py`` of a package."""
    folder, _, name = code.source.path.rpartition("/")
    start = f"{folder}/" if folder else ""
    if name != "__init__.py":
        return frozenset()
    inside = [path.removeprefix(start) for path in project.paths if path.startswith(start)]
    return frozenset(path.partition("/")[0].removesuffix(".py") for path in inside) - {"__init__"}


def _read(place: Place, wrong: str) -> tuple[cst.Name, cst.Attribute]:
    use = only_name(place, wrong)
    attribute = place.code.parent(use)
    if not isinstance(attribute, cst.Attribute) or attribute.attr is not use or place.code.is_store(attribute):
        raise RefusedError(f"{place} does not read {wrong} as an attribute")
    if isinstance(place.code.parent(attribute), cst.Del | cst.Decorator):
        raise RefusedError(f"{place} does more with {wrong} than to read it")
    return use, attribute


def _is_local(place: Place, named: str) -> bool:
    """Whether the function binds the first part of a dotted name itself."""
    inside = bound_names(place.code, place.function) if place.function is not None else frozenset()
    return named.partition(".")[0] in inside


def _of_builtin_type(place: Place, use: cst.Name, attribute: cst.Attribute, owner: str) -> Typo:
    key = f"type {owner}"
    if is_uncertain(key, use.value):
        raise RefusedError(f"{owner} has {use.value} in some versions of Python")
    right = only_close(use.value, all_names(key) | _OBJECT, f"of {owner}")
    if right not in names_of(key):
        raise RefusedError(f"{owner}.{right} is not known in every version of Python")
    refuse_misfit_object(place.code, attribute, right, value_of(key, right), bound=True)
    return Typo(place, use, right, f"`{owner}.{right}` of Python itself")


def _of_standard_module(project: Project, place: Place, use: cst.Name, attribute: cst.Attribute, module: str) -> Typo:
    refuse_uncertain_name(module, use.value)
    refuse_shadowed(project.paths, module)
    right = only_close(use.value, all_names(module), f"in the module {module}")
    if right not in names_of(module):
        raise RefusedError(f"{module}.{right} is not known in every version of Python")
    refuse_misfit_object(place.code, attribute, right, value_of(module, right))
    return Typo(place, use, right, f"`{module}.{right}` of the standard library")


def _close_definition(project: Project, known: Class, use: cst.Name, place: Place) -> tuple[str, Class, Definition]:
    """The close attribute, the class that has it first, and its one definition there."""
    family = project.ancestry(known)
    for each in family:
        refuse_unknowable(each)
    names = frozenset().union(*(_attributes(each) for each in family))
    right = only_close(use.value, names | _OBJECT, f"of {known.name}")
    homes = [(each, found) for each in family for found in definitions(each, right)]
    kinds = {found.how is How.AS_FUNCTION for _, found in homes}
    if not homes or len(kinds) != 1:
        raise RefusedError(f"{known.name}.{right} is not defined in one way only")
    home = homes[0][0]
    own = [found for each, found in homes if each is home]
    best = next((found for how in (How.IN_BODY, How.IN_INIT) for found in own if found.how is how), own[0])
    if best.how is How.AS_FUNCTION and len(own) != 1:
        raise RefusedError(f"{home.name}.{right} is defined several times ({place} asks for it)")
    return right, home, best


def _attributes(known: Class) -> frozenset[str]:
    """The names that a class itself gives its instances, in whatever way."""
    found = {last_name(node) or "" for node in own_nodes(known) if is_own_attribute(known, node)}
    found |= {node.name.value for node in own_nodes(known) if isinstance(node, cst.FunctionDef | cst.ClassDef)}
    found |= {node.value for node in own_nodes(known) if isinstance(node, cst.Name)}
    return frozenset(name for name in found if definitions(known, name))


def _refuse_uncertain(project: Project, known: Class, found: Definition, home: Class, frames: Sequence[Frame]) -> None:
    """Raises ``RefusedError`` unless every object of the class has the attribute from its ``__init__`` on."""
    where = f"{home.name} at {home.at(found.node)}"
    if found.how is How.IN_METHOD or not _is_direct(home, found.node):
        raise RefusedError(f"{where} sets the attribute later or on conditions, not in every object")
    if found.how is How.AS_FUNCTION:
        return
    if found.value is None or _is_deleted(project, home, found):
        raise RefusedError(f"{where} declares the attribute without a value, or deletes it")
    if found.how is How.IN_INIT:
        makers = [each for each in project.ancestry(known) if definitions(each, "__init__")]
        if not makers[0].is_same(home):
            raise RefusedError(f"{where} sets the attribute in an __init__ that {makers[0].name} replaces")
        if any(frame.function.rpartition(".")[2] in {"__init__", "__new__"} for frame in frames):
            raise RefusedError(f"{where} may not have set the attribute yet: an __init__ was still running")


def _is_deleted(project: Project, home: Class, found: Definition) -> bool:
    name = last_name(found.node) or ""
    for code in project.mentioning(name):
        for node in code.nodes():
            if isinstance(node, cst.Attribute) and node.attr.value == name and isinstance(code.parent(node), cst.Del):
                return True
    return any(found.value is None for found in definitions(home, name))


def _is_direct(home: Class, node: cst.CSTNode) -> bool:
    """Whether a definition is a statement of the class body, or of ``__init__``, with no condition around it."""
    code, method = home.code, method_around(home, node)
    block = home.node.body if method is None else method.body
    statements = [up for up in [node, *code.ancestors(node)] if isinstance(up, cst.BaseStatement)]
    if code.parent(statements[0]) is not block:
        return False
    returns = [each for each in code.nodes(block) if isinstance(each, cst.Return)] if method is not None else []
    return not any(code.line(each) < code.line(node) for each in returns)


def _decorator(home: Class, found: Definition) -> str:
    """The one decorator of a method; empty without, ``?`` for what is not known."""
    if not isinstance(found.node, cst.FunctionDef):
        return "?"
    names = [dotted(each.decorator) or "?" for each in found.node.decorators]
    known = {"property", "staticmethod", "classmethod"} - home.code.global_names()
    if not names:
        return ""
    return names[0] if len(names) == 1 and names[0] in known else "?"


def _refuse_misfit_method(code: Code, attribute: cst.Attribute, home: Class, found: Definition) -> None:
    kind = _decorator(home, found)
    if kind == "?":
        raise RefusedError(f"{home.at(found.node)} is decorated or no method, so how it is used cannot be shown")
    if kind == "property":
        refuse_misfit_value(code, attribute, attribute.attr.value)
        return
    function = cst.ensure_type(found.node, cst.FunctionDef)
    refuse_misfit_function(code, attribute, function, home.code, bound=kind != "staticmethod")
