"""One Python file as a reader sees it: its functions and classes, where they begin and end, and class skeletons."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from selfimprover.parsing import parse

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_MAX_SIGNATURE = 12
_MAX_VALUE = 80


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class, with the lines it takes (decorators included)."""

    path: str
    name: str
    qualified: str
    """``Class.method``, as far as it is nested."""
    node: Function | ast.ClassDef
    first: int
    last: int
    owner: str | None
    """The qualified name of the class that it stands in directly."""

    @property
    def is_class(self) -> bool:
        """Whether it is a class."""
        return isinstance(self.node, ast.ClassDef)


class PythonFile:
    """A file and what is defined in it; nothing, if it cannot be parsed."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines, without their newlines."""
        return tuple(self.text.split("\n"))

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; ``None`` if Python cannot read the file."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # other people's invalid escapes
                return parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the syntax tree."""
        return () if self.tree is None else tuple(ast.walk(self.tree))

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Every function and class, an inner one after the one around it."""
        found: list[Definition] = []
        waiting: list[tuple[ast.AST, str, str | None]] = [] if self.tree is None else [(self.tree, "", None)]
        while waiting:
            node, prefix, owner = waiting.pop()
            for child in ast.iter_child_nodes(node):
                if isinstance(child, _DEFINITIONS):
                    qualified = f"{prefix}{child.name}"
                    first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                    last = child.end_lineno or child.lineno
                    found.append(Definition(self.path, child.name, qualified, child, first, last, owner))
                    waiting.append((child, f"{qualified}.", qualified if isinstance(child, ast.ClassDef) else None))
                elif not isinstance(child, ast.expr):
                    waiting.append((child, prefix, owner))
        return tuple(sorted(found, key=lambda each: (each.first, -each.last)))

    def named(self, name: str) -> list[Definition]:
        """The definitions of a name; ``Class.method`` means that method only."""
        return [each for each in self.definitions if name in {each.name, each.qualified}]

    def around(self, line: int) -> Definition | None:
        """The innermost function or class on whose lines a line is."""
        inside = [each for each in self.definitions if each.first <= line <= each.last]
        return inside[-1] if inside else None

    def owner_of(self, definition: Definition) -> Definition | None:
        """The class around a method, also around a function inside of it."""
        around = [
            each
            for each in self.definitions
            if each.is_class and each.first <= definition.first and definition.last <= each.last and each != definition
        ]
        return around[-1] if around else None

    def between(self, first: int, last: int) -> str:
        """Lines ``first`` to ``last``, both included."""
        return "\n".join(self.lines[max(0, first - 1) : last])

    def head(self, definition: Definition) -> str:
        """The decorators and the signature, as they stand."""
        body = definition.node.body[0].lineno
        last = max(definition.node.lineno, min(body - 1, definition.first + _MAX_SIGNATURE - 1))
        return self.between(definition.first, last).rstrip()

    def skeleton(self, definition: Definition) -> str:
        """A class without the bodies of its methods: head, docstring, fields, attributes, signatures."""
        assert isinstance(definition.node, ast.ClassDef)
        lines = [self.head(definition)]
        indent = " " * (definition.node.col_offset + 4)
        if summary := first_sentence(definition.node):
            lines.append(f'{indent}"""{summary}"""')
        lines += [f"{indent}{field}" for field in _fields(definition.node)]
        for method in (each for each in self.definitions if each.owner == definition.qualified):
            head = self.head(method) if not method.is_class else f"{indent}class {method.name}: ..."
            lines.append(f"{head}  # line {method.node.lineno}")
            if method.name == "__init__":
                lines += [f"{indent}    {each}" for each in attributes(method.node)]
        return "\n".join(lines)


def first_sentence(node: Function | ast.ClassDef | ast.Module) -> str:
    """The first line of a docstring; empty if there is none."""
    lines = (ast.get_docstring(node) or "").strip().splitlines()
    return lines[0].strip().replace('"""', "'''") if lines else ""


def attributes(node: ast.AST) -> Iterator[str]:
    """``self.name = value`` for each attribute that a function sets."""
    for child in ast.walk(node):
        targets = child.targets if isinstance(child, ast.Assign) else []
        if isinstance(child, ast.AnnAssign) and child.value is not None:
            targets = [child.target]
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                assert isinstance(child, ast.Assign | ast.AnnAssign)
                yield f"self.{target.attr} = {source_of(child.value)}"


def source_of(node: ast.AST | None, limit: int = _MAX_VALUE) -> str:
    """An expression as text, cut."""
    if node is None:
        return ""
    try:
        text = ast.unparse(node).replace("\n", " ")
    except (RecursionError, ValueError):
        return "…"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def dotted(node: ast.AST) -> str | None:
    """``a.b.c`` for a name or an attribute of a name, else ``None``."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def called(node: ast.Call) -> str | None:
    """The last name of what is called."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else None


def functions_in(definitions: tuple[Definition, ...]) -> Iterator[tuple[Definition, Function]]:
    """The functions among definitions, each with its node."""
    for each in definitions:
        if isinstance(each.node, _FUNCTIONS):
            yield each, each.node


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            yield source_of(statement, _MAX_VALUE + _MAX_VALUE)
