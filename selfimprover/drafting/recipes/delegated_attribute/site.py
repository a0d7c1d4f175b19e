"""Shows from the code alone which object really has the attribute that a class is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from selfimprover.drafting.recipes.classes import (
    Class,
    Definition,
    How,
    Project,
    assigned,
    classes_in,
    definitions,
    is_own_attribute,
    method_around,
    own_nodes,
)
from selfimprover.drafting.recipes.delegated_attribute.users import is_unrelated, own_class, refuse_users
from selfimprover.drafting.recipes.instances import (
    DYNAMIC_CALLS,
    annotations_of,
    failing_class,
    is_local_instance,
    is_type,
    refuse_other_classes,
    refuse_unknowable,
)
from selfimprover.drafting.recipes.source import is_test
from selfimprover.drafting.recipes.syntax import Code, Place, dotted, last_name, locate
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame, in_app


@dataclass(frozen=True)
class Delegation:
    """What was shown: instances of ``owner`` lack ``attribute``, and their ``holder`` is a ``handler`` with it."""

    place: Place
    """The failing line."""
    attribute: str
    owner: Class
    handler: Class
    holder: str
    held_at: str
    defined: Definition


def find_delegation(tree: Path, class_name: str, attribute: str, frame: Frame) -> Delegation:
    """Shows every precondition, or raises ``RefusedError`` naming the one that does not hold."""
    place, reads = _failing_reads(tree, frame, attribute)
    project = Project(tree)
    owner = failing_class(project, class_name)
    for known in project.ancestry(owner):
        refuse_unknowable(known)
        for found in definitions(known, attribute):
            raise RefusedError(f"{known.name} does define {attribute} ({known.at(found.node)}), only not soon enough")
    refuse_other_classes(project, place, reads, owner)
    handler = _definer(project, owner, attribute)
    defined = _plain_definition(handler, attribute)
    holders = _holders(project, owner, handler)
    if len({name for name, _ in holders}) != 1:
        raise RefusedError(
            f"{owner.name} at {owner.at()} must hold a {handler.name} in exactly one attribute, but holds it in"
            f" {', '.join(sorted({name for name, _ in holders})) or 'none'}"
        )
    holder, held_at = holders[0]
    if holder.startswith("__"):
        raise RefusedError(f"{owner.name}.{holder} has a name that Python changes")
    _refuse_other_holders(project, owner, handler, holder)
    _refuse_writers_outside(project, owner, handler, attribute, holder)
    refuse_users(project, owner, attribute, holder)
    return Delegation(place, attribute, owner, handler, holder, held_at, defined)


def _failing_reads(tree: Path, frame: Frame, attribute: str) -> tuple[Place, list[cst.Attribute]]:
    """The failing line and everything on it that reads the attribute."""
    place = locate(tree, frame) if in_app(frame) else None
    if place is None:
        raise RefusedError(f"the failing line {frame.path}:{frame.line} is not in the project's own code")
    code = place.code
    reads: list[cst.Attribute] = []
    for node in code.nodes(place.function):
        if isinstance(node, cst.Attribute) and node.attr.value == attribute and code.runs_on(node, place.line):
            if code.is_store(node):
                raise RefusedError(f"{place} sets {attribute} rather than reading it")
            reads.append(node)
    if not reads:
        raise RefusedError(f"{place} does not read {attribute}")
    for node in reads:
        up = code.parent(node)
        used = isinstance(up, cst.Call) and up.func is node
        if used or (isinstance(up, cst.Attribute | cst.Subscript) and up.value is node):
            raise RefusedError(f"{place} uses {attribute} in a way that an empty value does not stand")
    return place, reads


def _definer(project: Project, owner: Class, attribute: str) -> Class:
    """The one class besides the tests that defines the attribute."""
    found: list[Class] = []
    for code in project.mentioning(attribute):
        for each in classes_in(code):
            if not definitions(each, attribute):
                continue
            if owner.name in {last_name(base.value) for base in each.node.bases}:
                raise RefusedError(
                    f"{each.name} at {each.at()}, a subclass of {owner.name}, defines {attribute} itself"
                )
            if not is_test(code.source.path):
                found.append(each)
    if len(found) != 1:
        places = ", ".join(f"{each.name} at {each.at()}" for each in found) or "none does"
        raise RefusedError(f"exactly one other class must define {attribute}: {places}")
    if any(base.is_same(owner) for base in _known_ancestry(project, found[0])):
        raise RefusedError(f"{found[0].name} at {found[0].at()} is a subclass of {owner.name}")
    return found[0]


def _known_ancestry(project: Project, start: Class) -> tuple[Class, ...]:
    try:
        return project.ancestry(start)
    except RefusedError:  # a handler may well have bases of other packages
        return (start,)


def _plain_definition(handler: Class, attribute: str) -> Definition:
    """Where every instance of the handler gets the attribute as a plain value."""
    found = definitions(handler, attribute)
    for each in found:
        if each.how is How.AS_FUNCTION:
            raise RefusedError(f"{handler.name}.{attribute} at {handler.at(each.node)} is no plain value")
    plain = [each for how in (How.IN_INIT, How.IN_BODY) for each in found if each.how is how]
    if not plain:
        raise RefusedError(f"{handler.name} sets {attribute} only later ({handler.at(found[0].node)}), not in __init__")
    return plain[0]


def _holders(project: Project, owner: Class, handler: Class) -> list[tuple[str, str]]:
    """(attribute, ``file:line``) of each place where the owner keeps an instance of the handler."""
    code = owner.code
    found: list[tuple[str, str]] = []
    for node in own_nodes(owner):
        if not code.is_store(node):
            continue
        declared = isinstance(node, cst.Name) and code.class_around(node) is owner.node
        if not declared and not is_own_attribute(owner, node):
            continue
        value, annotation = assigned(code, node)
        if is_type(project, code, annotation, handler) or _is_instance(project, owner, value, handler):
            found.append((last_name(node) or "", owner.at(node)))
    return found


def _refuse_other_holders(project: Project, owner: Class, handler: Class, holder: str) -> None:
    """Raises ``RefusedError`` where the holder may be given something else than a handler or ``None``."""
    for code in project.mentioning(holder):
        if is_test(code.source.path):
            continue
        for node in code.nodes():
            if not (isinstance(node, cst.Attribute) and node.attr.value == holder and code.is_store(node)):
                continue
            method_of = own_class(code, node)
            if method_of is not None and is_unrelated(project, method_of, owner):
                continue
            value, annotation = assigned(code, node)
            fits = is_type(project, code, annotation, handler) or (value is not None and dotted(value) == "None")
            if method_of is not None:
                fits = fits or _is_instance(project, method_of, value, handler)
            elif isinstance(value, cst.Call):
                fits = fits or is_type(project, code, value.func, handler)
            if not fits:
                raise RefusedError(
                    f"{code.source.path}:{code.line(node)} may set {holder} of a {owner.name}"
                    f" to something else than a {handler.name}"
                )


def _is_instance(project: Project, owner: Class, value: cst.BaseExpression | None, handler: Class) -> bool:
    """Whether an expression gives an instance of the handler, at least in one of its branches."""
    if isinstance(value, cst.IfExp):
        return any(_is_instance(project, owner, each, handler) for each in (value.body, value.orelse))
    if isinstance(value, cst.BooleanOperation):
        return any(_is_instance(project, owner, each, handler) for each in (value.left, value.right))
    if isinstance(value, cst.Call):
        return is_type(project, owner.code, value.func, handler)
    if not isinstance(value, cst.Name):
        return False
    annotations = annotations_of(method_around(owner, value), value.value)
    return any(is_type(project, owner.code, annotation, handler) for annotation in annotations)


def _refuse_writers_outside(project: Project, owner: Class, handler: Class, attribute: str, holder: str) -> None:
    """Whoever sets the attribute from outside must plainly set it on the handler."""
    for code in project.mentioning(attribute):
        if is_test(code.source.path):
            continue
        own = {id(each.node) for known in classes_in(code) for each in definitions(known, attribute)}
        for node, target in _writes(code, attribute):
            named = (last_name(target) or "").strip("_") == holder.strip("_")
            if id(node) not in own and not named and not is_local_instance(project, code, target, handler):
                raise RefusedError(
                    f"{code.source.path}:{code.line(node)} sets {attribute} from outside,"
                    f" perhaps on {owner.name} instead of {handler.name}"
                )


def _writes(code: Code, attribute: str) -> Iterator[tuple[cst.CSTNode, cst.BaseExpression]]:
    """Each place that sets the attribute, with the object it is set on."""
    for node in code.nodes():
        if isinstance(node, cst.Attribute) and node.attr.value == attribute and code.is_store(node):
            yield node, node.value
        elif isinstance(node, cst.Call) and last_name(node.func) in DYNAMIC_CALLS and len(node.args) > 1:
            name = node.args[1].value
            if isinstance(name, cst.SimpleString) and name.evaluated_value == attribute:
                yield node, node.args[0].value
