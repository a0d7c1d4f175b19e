"""Writes the property that hands an attribute on to the object that has it."""

import libcst as cst

from selfimprover.drafting.recipes.classes import Class, origin, own_nodes
from selfimprover.drafting.recipes.delegated_attribute.site import Delegation
from selfimprover.drafting.recipes.insertion import behind, function_from, prefers_single_quotes
from selfimprover.drafting.recipes.source import BYTE_ORDER_MARK
from selfimprover.errors import RefusedError
from selfimprover.parsing import parse

_BUILTINS = ("AttributeError", "getattr", "hasattr", "property")
_EMPTY_VALUES = frozenset({"None", "False", "0", "0.0", '""', "''", 'b""', "b''"})
_SIMPLE_TYPES = frozenset({"None", "bool", "bytes", "dict", "float", "int", "list", "object", "set", "str", "tuple"})


def empty_value(delegation: Delegation) -> str:
    """What reading gives while there is no handler: the handler's own first value if that is an empty literal."""
    value = delegation.defined.value
    text = "" if value is None else delegation.handler.code.module.code_for_node(value)
    return text if text in _EMPTY_VALUES else "None"


def with_property(delegation: Delegation) -> str:
    """The whole text of the file with the property; raises ``RefusedError`` if a builtin it needs is renamed there."""
    code, owner = delegation.owner.code, delegation.owner.node
    for name in _BUILTINS:
        if name in code.global_names():
            raise RefusedError(f"`{name}` means something else than the builtin in {code.source.path}")
    _refuse_renamed_in_class(delegation)
    block = cst.ensure_type(owner.body, cst.IndentedBlock)
    functions = [function_from(code.module, text) for text in _texts(delegation)]
    methods = [each for each in block.body if isinstance(each, cst.FunctionDef) and each.name.value == "__init__"]
    anchor = methods[-1] if methods else block.body[-1]
    changed = code.module.deep_replace(block, block.with_changes(body=behind(block.body, anchor, functions)))
    text = code.with_text(cst.ensure_type(changed, cst.Module))
    try:
        parse(text.removeprefix(BYTE_ORDER_MARK), filename=code.source.path)
    except SyntaxError:
        raise RefusedError(f"{delegation.owner.name} at {delegation.owner.at()} cannot take a property") from None
    return text


def _refuse_renamed_in_class(delegation: Delegation) -> None:
    """The class body may bind no name that the property needs, and may not use the attribute's name for another."""
    code, owner = delegation.owner.code, delegation.owner
    if delegation.attribute in _BUILTINS:
        raise RefusedError(f"`{delegation.attribute}` means something else than the builtin in {owner.name}")
    for node in own_nodes(owner):
        if isinstance(node, cst.Name) and node.value == delegation.attribute and _is_at_class_level(owner, node):
            raise RefusedError(f"{owner.at(node)} means something else by {delegation.attribute}")
        named = node.name.value if isinstance(node, cst.FunctionDef | cst.ClassDef) else None
        if isinstance(node, cst.ImportAlias):
            named = node.evaluated_alias or node.evaluated_name
        elif isinstance(node, cst.Name) and code.is_store(node):
            named = node.value
        if named in _BUILTINS and code.class_around(node) is owner.node:
            raise RefusedError(f"`{named}` means something else than the builtin in {owner.name} ({owner.at(node)})")


def _is_at_class_level(owner: Class, node: cst.Name) -> bool:
    """Whether a name is read when the class is made, as in its values or in decorators and heads of its methods."""
    code = owner.code
    up = code.parent(node)
    if any(getattr(up, role, None) is node for role in ("attr", "keyword", "name")):
        return False
    inner: cst.CSTNode = node
    for up in code.ancestors(node):
        if up is owner.node:
            return True
        if isinstance(up, cst.FunctionDef | cst.Lambda) and inner is up.body:
            return False
        inner = up
    return False


def _texts(delegation: Delegation) -> tuple[str, str]:
    name, holder = delegation.attribute, delegation.holder
    annotation = _annotation(delegation)
    reads, takes, nothing = (f" -> {annotation}", f": {annotation}", " -> None") if annotation else ("", "", "")
    quote = "'" if prefers_single_quotes(delegation.owner.code.module) else '"'
    message = f"{delegation.owner.name} has no {holder} that could keep {name}"
    getter = f'''
@property
def {name}(self){reads}:
    """Handed on to ``{holder}``; empty while there is none."""
    handler = getattr(self, {quote}{holder}{quote}, None)
    if hasattr(handler, {quote}{name}{quote}):
        return handler.{name}
    return {empty_value(delegation)}
'''
    setter = f"""
@{name}.setter
def {name}(self, value{takes}){nothing}:
    handler = getattr(self, {quote}{holder}{quote}, None)
    if not hasattr(handler, {quote}{name}{quote}):
        raise AttributeError({quote}{message}{quote})
    handler.{name} = value
"""
    return getter, setter


def _annotation(delegation: Delegation) -> str | None:
    """The handler's own annotation, if the class annotates its methods and it means the same in this file."""
    node = delegation.defined.annotation
    if node is None or not _annotates(delegation):
        return None
    names = [each for each in delegation.handler.code.nodes(node) if isinstance(each, cst.Name)]
    own = [origin(delegation.owner.code, name) for name in names]
    simple = all(kind in _SIMPLE_TYPES and kind == name.value for kind, name in zip(own, names, strict=True))
    allows_none = any(name.value in {"None", "object"} for name in names)
    text = delegation.handler.code.module.code_for_node(node)
    plain = simple and not isinstance(node, cst.BaseString) and "\n" not in text and "\r" not in text
    if not plain or (empty_value(delegation) == "None" and not allows_none):
        return None
    return text if "|" not in text or _writes_unions(delegation) else None


def _annotates(delegation: Delegation) -> bool:
    """Whether every method of the class but ``__init__`` says what it returns."""
    methods = [each for each in delegation.owner.node.body.body if isinstance(each, cst.FunctionDef)]
    returning = [each.returns is not None for each in methods if each.name.value != "__init__"]
    return bool(returning) and all(returning)


def _writes_unions(delegation: Delegation) -> bool:
    """Whether the file already says ``X | None`` where Python evaluates it, or never evaluates annotations."""
    code = delegation.owner.code
    for node in code.nodes():
        if isinstance(node, cst.ImportFrom) and isinstance(node.module, cst.Name) and node.module.value == "__future__":
            return any(alias.evaluated_name == "annotations" for alias in _aliases(node))
        if isinstance(node, cst.Annotation) and isinstance(code.parent(node), cst.Param | cst.FunctionDef):
            for each in code.nodes(node.annotation):
                if isinstance(each, cst.BinaryOperation) and isinstance(each.operator, cst.BitOr):
                    return True
    return False


def _aliases(node: cst.ImportFrom) -> list[cst.ImportAlias]:
    return [] if isinstance(node.names, cst.ImportStar) else list(node.names)
