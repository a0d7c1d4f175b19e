"""Refuses where other code of the project would notice that the class has the attribute from now on."""

from collections.abc import Iterator

import libcst as cst

from selfimprover.drafting.recipes.classes import (
    Class,
    Project,
    classes_in,
    is_own_attribute,
    method_around,
    receiver_of,
)
from selfimprover.drafting.recipes.source import is_test
from selfimprover.drafting.recipes.syntax import Code, dotted, last_name
from selfimprover.errors import RefusedError

_BY_NAME = frozenset({"getattr", "hasattr", "setattr", "delattr", "attrgetter", "__getattribute__", "__setattr__"})
_SETTERS = frozenset({"setattr", "delattr", "__setattr__", "__delattr__"})
_CATCHING = frozenset({"AttributeError", "Exception", "BaseException"})


def refuse_users(project: Project, owner: Class, attribute: str, holder: str) -> None:
    """Raises ``RefusedError`` where code outside the tests asks for the attribute by name, calls it or does without it.

    The same where the attribute or the holder may be set under a name that only running the code tells.
    """
    for code in project.mentioning(attribute):
        for node in () if is_test(code.source.path) else code.nodes():
            reason = _use(code, node, attribute)
            if reason:
                raise RefusedError(f"{code.source.path}:{code.line(node)} {reason}")
    for word in sorted(_SETTERS):
        for code in project.mentioning(word):
            for node in () if is_test(code.source.path) else code.nodes():
                if isinstance(node, cst.Call) and last_name(node.func) == word:
                    _refuse_setter(project, code, node, owner, holder)


def is_unrelated(project: Project, each: Class, owner: Class) -> bool:
    """Whether no instance of the owner is one of the other class: neither is a base of the other, as far as shown."""
    try:
        family = [*project.ancestry(each), *project.ancestry(owner)]
    except RefusedError:
        return False
    return sum(known.is_same(owner) for known in family) == 1 and sum(known.is_same(each) for known in family) == 1


def own_class(code: Code, node: cst.CSTNode) -> Class | None:
    """The class on whose own instance, ``self``, an attribute is."""
    return next((each for each in classes_in(code) if is_own_attribute(each, node)), None)


def _use(code: Code, node: cst.CSTNode, attribute: str) -> str | None:
    if isinstance(node, cst.Call) and last_name(node.func) in _BY_NAME and attribute in _strings(code, node):
        return f"asks for {attribute} by name, and would be answered differently"
    if isinstance(node, cst.MatchKeywordElement) and node.key.value == attribute:
        return f"matches {attribute}, and would be answered differently"
    if not isinstance(node, cst.Attribute) or node.attr.value != attribute or code.is_store(node):
        return None
    up = code.parent(node)
    if isinstance(up, cst.Call) and up.func is node:
        return f"calls {attribute}, which may be empty"
    if _does_without(code, node):
        return f"reads {attribute} where a missing one is handled, and would no longer be told"
    return None


def _does_without(code: Code, node: cst.CSTNode) -> bool:
    """Whether an AttributeError that reading raises may be handled in the same function."""
    inner = node
    for up in code.ancestors(node):
        if isinstance(up, cst.FunctionDef | cst.Lambda):
            return False
        if (
            isinstance(up, cst.Try | cst.TryStar)
            and inner is up.body
            and any(_catches(code, each) for each in up.handlers)
        ):
            return True
        if isinstance(up, cst.With) and inner is up.body and any(_suppresses(item) for item in up.items):
            return True
        inner = up
    return False


def _catches(code: Code, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler may take an AttributeError: so may a name that the module itself assigns."""
    kinds = [handler.type]
    if isinstance(handler.type, cst.Tuple):
        kinds = [element.value for element in handler.type.elements]
    for kind in kinds:
        name = dotted(kind) if kind is not None else None
        if name is None or name.rpartition(".")[2] in _CATCHING:
            return True
        classes = {each.name.value for each in code.module.body if isinstance(each, cst.ClassDef)}
        if code.binds_otherwise(name) and name not in classes:
            return True
    return False


def _suppresses(item: cst.WithItem) -> bool:
    called = item.item if isinstance(item.item, cst.Call) else None
    if called is None or last_name(called.func) != "suppress":
        return False
    names = [last_name(argument.value) for argument in called.args]
    return any(name is None or name in _CATCHING for name in names)


def _strings(code: Code, call: cst.Call) -> Iterator[object]:
    """The texts among the arguments, those inside tuples and lists included."""
    for argument in call.args:
        for node in code.nodes(argument):
            if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
                yield node.evaluated_value


def _refuse_setter(project: Project, code: Code, call: cst.Call, owner: Class, holder: str) -> None:
    """Raises ``RefusedError`` if the call may set the holder, or an attribute that is not named, on the owner."""
    named = call.args[1].value if len(call.args) > 1 else None
    known = isinstance(named, cst.SimpleString)
    if known and holder not in _strings(code, call):
        return
    target = call.args[0].value if call.args else None
    method_of = _receiver_class(code, target) if isinstance(target, cst.Name) else None
    if method_of is not None and is_unrelated(project, method_of, owner):
        return
    what = holder if known else "an attribute that is not named"
    raise RefusedError(f"{code.source.path}:{code.line(call)} sets {what}, perhaps on {owner.name}")


def _receiver_class(code: Code, target: cst.Name) -> Class | None:
    """The class whose method calls its instance by this name."""
    for each in classes_in(code):
        method = method_around(each, target)
        if method is not None and receiver_of(method) == target.value:
            return each
    return None
