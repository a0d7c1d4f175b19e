"""Classes whose attributes can be read off the code, and what is shown to be an instance of one."""

import libcst as cst

from selfimprover.drafting.recipes.classes import (
    Class,
    Project,
    assigned,
    is_own_attribute,
    method_around,
    origin,
    own_nodes,
)
from selfimprover.drafting.recipes.syntax import Code, Place, dotted, last_name
from selfimprover.errors import RefusedError

_DYNAMIC_METHODS = frozenset({"__getattr__", "__getattribute__", "__setattr__", "__delattr__"})
DYNAMIC_CALLS = frozenset({"setattr", "vars", "delattr"})
"""Calls that set, list or delete attributes by a name that may be computed."""
_HARMLESS_DECORATORS = frozenset({"dataclasses.dataclass", "typing.final"})
_HARMLESS_OPTIONS = frozenset({"init", "repr", "eq", "order", "unsafe_hash", "kw_only", "match_args"})


def failing_class(project: Project, name: str) -> Class:
    """The one class of that name, at the top of a module; raises ``RefusedError`` if there is no such one."""
    found = project.classes_named(name)
    if len(found) != 1:
        places = ", ".join(each.at() for each in found) or "none"
        raise RefusedError(
            f"there must be exactly one class {name} in the project, but there are {len(found)}: {places}"
        )
    owner = found[0]
    if not any(statement is owner.node for statement in owner.code.module.body):
        raise RefusedError(f"{name} at {owner.at()} is not defined at the top of its module")
    if not isinstance(owner.node.body, cst.IndentedBlock):
        raise RefusedError(f"the body of {name} at {owner.at()} is on one line")
    return owner


def refuse_unknowable(known: Class) -> None:
    """Refuses a class whose attributes cannot be read off its code."""
    for decorator in known.node.decorators:
        called = decorator.decorator
        options = called.args if isinstance(called, cst.Call) else ()
        kind = origin(known.code, called.func if isinstance(called, cst.Call) else called)
        names = {option.keyword.value if option.keyword else "" for option in options}
        if kind not in _HARMLESS_DECORATORS or names - _HARMLESS_OPTIONS:
            shown = known.code.module.code_for_node(called)
            raise RefusedError(
                f"{known.name} at {known.at()} is decorated with {shown}, which may change its attributes"
            )
    for node in own_nodes(known):
        reason = _dynamic(known, node)
        if reason:
            raise RefusedError(f"{known.name} handles its attributes itself: {reason} at {known.at(node)}")


def refuse_other_classes(project: Project, place: Place, reads: list[cst.Attribute], owner: Class) -> None:
    """Raises ``RefusedError`` unless what the failing line reads from is shown to be an instance of the owner."""
    code = project.code(place.code.source.path)
    family = [each for each in project.ancestry(owner) if each.code is code]
    wanted = [place.code.span(read) for read in reads]
    for node in code.nodes():
        if not isinstance(node, cst.Attribute) or code.span(node) not in wanted:
            continue
        is_self = any(is_own_attribute(each, node) and not _rebinds_receiver(each, node) for each in family)
        if not is_self and not is_local_instance(project, code, node.value, owner):
            shown = code.module.code_for_node(node.value)
            raise RefusedError(f"{place} reads from {shown}, which is not shown to be the {owner.name} at {owner.at()}")


def is_local_instance(project: Project, code: Code, target: cst.BaseExpression, handler: Class) -> bool:
    """Whether a name was plainly given a new handler, or is a parameter of that type, in the same function."""
    function = code.function_around(target)
    if not isinstance(target, cst.Name) or not isinstance(function, cst.FunctionDef):
        return False
    stores = [node for node in code.nodes(function.body) if isinstance(node, cst.Name) and node.value == target.value]
    values = [assigned(code, node)[0] for node in stores if code.is_store(node)]
    given = [value.func for value in values if isinstance(value, cst.Call)]
    types: list[cst.BaseExpression] = [
        *given,
        *(annotation for annotation in annotations_of(function, target.value) if not values),
    ]
    return len(given) == len(values) and bool(types) and all(is_type(project, code, kind, handler) for kind in types)


def is_type(project: Project, code: Code, annotation: cst.BaseExpression | None, handler: Class) -> bool:
    """Whether an annotation (or what is called) means the handler, or the handler or ``None``."""
    if isinstance(annotation, cst.SimpleString):
        text = annotation.evaluated_value
        try:
            return isinstance(text, str) and is_type(project, code, cst.parse_expression(text), handler)
        except cst.ParserSyntaxError:
            return False
    if isinstance(annotation, cst.BinaryOperation) and isinstance(annotation.operator, cst.BitOr):
        sides = [side for side in (annotation.left, annotation.right) if dotted(side) != "None"]
        return len(sides) == 1 and is_type(project, code, sides[0], handler)
    if isinstance(annotation, cst.Subscript) and origin(code, annotation.value) == "typing.Optional":
        inner = annotation.slice[0].slice
        return isinstance(inner, cst.Index) and is_type(project, code, inner.value, handler)
    name = dotted(annotation) if annotation is not None else None
    return name is not None and handler.is_same(project.resolve(code, name))


def annotations_of(function: cst.FunctionDef | None, name: str) -> list[cst.BaseExpression]:
    """The annotation of the parameter of that name, if it has one."""
    params = function.params if function is not None else cst.Parameters()
    named = [*params.posonly_params, *params.params, *params.kwonly_params]
    return [each.annotation.annotation for each in named if each.annotation is not None and each.name.value == name]


def _dynamic(known: Class, node: cst.CSTNode) -> str | None:
    if isinstance(node, cst.FunctionDef) and known.code.class_around(node) is known.node:
        return node.name.value if node.name.value in {*_DYNAMIC_METHODS, "property"} else None
    if isinstance(node, cst.Name) and node.value == "__slots__" and known.code.is_store(node):
        return "__slots__"
    if isinstance(node, cst.Attribute) and node.attr.value == "__dict__":
        return "__dict__"
    if isinstance(node, cst.Call) and last_name(node.func) in {*DYNAMIC_CALLS, "__setattr__"}:
        return last_name(node.func)
    return None


def _rebinds_receiver(owner: Class, node: cst.Attribute) -> bool:
    method = method_around(owner, node)
    body = owner.code.nodes(method.body) if method is not None else ()
    names = [each for each in body if isinstance(each, cst.Name) and each.value == dotted(node.value)]
    return any(owner.code.is_store(each) for each in names)
