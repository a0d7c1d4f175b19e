"""Which value of a failing line is the wrong one, and where it came from inside the function. Pure over syntax."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from selfimprover.drafting.reading.python_code import Function, called, dotted

_NO_ATTRIBUTE = re.compile(r"has no attribute '(\w{1,100})'")
_OBJECT = re.compile(r"'(\w{1,100})' object|type object '(\w{1,100})'")
_QUOTED = re.compile(r"'([^'\n]{1,100})'|\"([^\"\n]{1,100})\"")
_MAX_STEPS = 6


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the wrong values of a failing line come from."""

    calls: tuple[str, ...] = ()
    """The last names of the functions that made them, the nearest first."""
    parameters: tuple[str, ...] = ()
    """The parameters through which they came: their callers made them."""
    attributes: tuple[str, ...] = ()
    """The attributes they were read from."""
    keys: tuple[str, ...] = ()
    """The keys they were looked up by."""
    names: tuple[str, ...] = ()
    """The global names among them."""


def origins(function: Function | ast.Module, line: int, error_type: str, message: str) -> Origins:
    """Follows the wrong values of a line back through the assignments of its function."""
    expressions = _on_line(function, line)
    suspects = list(_suspects(expressions, error_type, message)) or _everything(expressions)
    return _trace(function, suspects, error_type, message)


def missing_attribute(message: str) -> str | None:
    """The attribute that an object does not have."""
    match = _NO_ATTRIBUTE.search(message)
    return match[1] if match else None


def named_class(message: str) -> str | None:
    """The class of the object that an error speaks of."""
    match = _OBJECT.search(message)
    return (match[1] or match[2]) if match else None


def quoted(message: str) -> tuple[str, ...]:
    """What stands in quotes in a message."""
    return tuple(dict.fromkeys(match[1] or match[2] for match in _QUOTED.finditer(message)))


def _on_line(function: ast.AST, line: int) -> list[ast.expr]:
    """The expressions that stand on a line, the smallest statement's if it goes over several."""
    found = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.expr) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    exact = [node for node in found if node.lineno == line]
    return exact or found


def _suspects(expressions: Iterable[ast.expr], error_type: str, message: str) -> Iterator[ast.expr]:
    attribute = missing_attribute(message)
    for node in expressions:
        if isinstance(node, ast.Attribute) and attribute is not None:
            if node.attr == attribute:
                yield node.value
        elif isinstance(node, ast.Subscript) and attribute is None:
            if error_type in {"KeyError", "IndexError"} or "subscriptable" in message or "indices" in message:
                yield node.value
                yield from () if error_type == "KeyError" else (node.slice,)
        elif isinstance(node, ast.Call) and "not callable" in message:
            yield node.func
        elif isinstance(node, ast.BinOp | ast.Compare) and "supported" in message:
            yield from (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))


def _everything(expressions: Iterable[ast.expr]) -> list[ast.expr]:
    """Without a better idea, whatever the line reads."""
    return [
        node
        for node in expressions
        if isinstance(node, ast.Call | ast.Name | ast.Attribute)
        and not isinstance(getattr(node, "ctx", None), ast.Store)
    ]


def _trace(function: Function | ast.Module, suspects: list[ast.expr], error_type: str, message: str) -> Origins:
    trail = _Trail(_parameters(function), _bindings(function))
    trail.keys.update(dict.fromkeys(quoted(message) if error_type == "KeyError" else ()))
    waiting = suspects
    for _ in range(_MAX_STEPS):
        waiting = [value for start in waiting for node in ast.walk(start) for value in trail.follow(node)]
    return Origins(
        calls=tuple(trail.calls),
        parameters=tuple(trail.through),
        attributes=tuple(name for name in trail.attributes if name not in trail.calls),
        keys=tuple(trail.keys),
        names=tuple(name for name in trail.names if name not in trail.calls),
    )


@dataclass(slots=True)
class _Trail:
    """What was met on the way back from a wrong value; dictionaries, to keep the order."""

    parameters: frozenset[str]
    bound: dict[str, list[ast.expr]]
    calls: dict[str, None] = field(default_factory=dict)
    through: dict[str, None] = field(default_factory=dict)
    attributes: dict[str, None] = field(default_factory=dict)
    keys: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def follow(self, node: ast.AST) -> list[ast.expr]:
        """Notes a node; of a local name, the expressions that were bound to it."""
        if isinstance(node, ast.Call) and (name := called(node)):
            self.calls.setdefault(name)
        elif isinstance(node, ast.Attribute) and (dotted(node) or "").startswith(("self.", "cls.")):
            self.attributes.setdefault(node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            if isinstance(node.slice.value, str):
                self.keys.setdefault(node.slice.value)
        elif isinstance(node, ast.Name) and node.id not in self.seen:
            self.seen.add(node.id)
            return self._name(node.id)
        return []

    def _name(self, name: str) -> list[ast.expr]:
        if name in self.parameters:
            self.through.setdefault(name)
        elif name not in self.bound:
            self.names.setdefault(name)
        return self.bound.get(name, [])


def _parameters(function: Function | ast.Module) -> frozenset[str]:
    if isinstance(function, ast.Module):
        return frozenset()
    given = function.args
    every = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    return frozenset(each.arg for each in every if each is not None and each.arg not in {"self", "cls"})


def _bindings(function: ast.AST) -> dict[str, list[ast.expr]]:
    """Each local name, and the expressions that are bound to it."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        for target, value in _pairs(node):
            for each in ast.walk(target):
                if isinstance(each, ast.Name):
                    found.setdefault(each.id, []).append(value)
    return found


def _pairs(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        if node.value is not None:
            yield node.target, node.value
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.target, node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield node.optional_vars, node.context_expr
