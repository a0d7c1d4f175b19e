"""Parsed source files: the tree of a file with positions, parents and scopes, and where a frame stands in it."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import (
    CodeRange,
    ExpressionContext,
    ExpressionContextProvider,
    FunctionScope,
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

from selfimprover.drafting.recipes.source import BYTE_ORDER_MARK, SourceFile, file_of
from selfimprover.errors import RefusedError
from selfimprover.parsing import parse
from selfimprover.patterns.tracebacks import Frame

_DEEPEST = 500

FunctionLike = cst.FunctionDef | cst.Lambda


class Code:
    """One parsed file. Its nodes are those of ``module``; the questions about them are answered when first asked."""

    def __init__(self, source: SourceFile) -> None:
        """Raises ``RefusedError`` if the file cannot be parsed."""
        self.source = source
        self._children: dict[cst.CSTNode, Sequence[cst.CSTNode]] = {}
        text = source.text.removeprefix(BYTE_ORDER_MARK)
        _refuse_unsafe_syntax(source.path, text)
        try:
            parsed = cst.parse_module(text)
            self._wrapper = MetadataWrapper(parsed, unsafe_skip_copy=True)
            if parsed.code != text:
                raise RefusedError(f"{source.path} has line breaks that cannot be kept exactly")
            self._contexts = self._wrapper.resolve(ExpressionContextProvider)
        except (cst.ParserSyntaxError, RecursionError, ValueError):
            raise RefusedError(f"{source.path} cannot be parsed") from None
        self.module: cst.Module = self._wrapper.module

    @cached_property
    def _positions(self) -> Mapping[cst.CSTNode, CodeRange]:
        return self._wrapper.resolve(PositionProvider)

    @cached_property
    def _parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        return self._wrapper.resolve(ParentNodeProvider)

    @cached_property
    def _global_scope(self) -> Scope:
        return next(scope for scope in self._scopes.values() if isinstance(scope, Scope)).globals

    @cached_property
    def _scopes(self) -> Mapping[cst.CSTNode, Any]:
        return self._wrapper.resolve(ScopeProvider)

    def span(self, node: cst.CSTNode) -> CodeRange:
        """First and last line (from 1) and column of a node."""
        return self._positions[node]

    def line(self, node: cst.CSTNode) -> int:
        """The line on which a node begins."""
        return self.span(node).start.line

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """The node that holds ``node``; the module is its own end."""
        return self._parents[node]

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """From the parent of a node up to the module."""
        while node is not self.module:
            node = self._parents[node]
            yield node

    def function_around(self, node: cst.CSTNode) -> FunctionLike | None:
        """The nearest function or lambda around a node."""
        return next((up for up in self.ancestors(node) if isinstance(up, FunctionLike)), None)

    def class_around(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """The nearest class around a node, if no function stands between."""
        for up in self.ancestors(node):
            if isinstance(up, FunctionLike):
                return None
            if isinstance(up, cst.ClassDef):
                return up
        return None

    def is_store(self, node: cst.CSTNode) -> bool:
        """Whether an expression is assigned to or deleted here."""
        return self._contexts.get(node) in {ExpressionContext.STORE, ExpressionContext.DEL}

    def statement_of(self, node: cst.CSTNode) -> cst.CSTNode:
        """The smallest statement around an expression."""
        kinds = (cst.BaseSmallStatement, cst.BaseCompoundStatement)
        return next((up for up in self.ancestors(node) if isinstance(up, kinds)), self.module)

    def runs_on(self, node: cst.CSTNode, line: int) -> bool:
        """Whether an expression belongs to the statement, or the head of the statement, that stands on a line."""
        statement = self.statement_of(node)
        last = statement if isinstance(statement, cst.BaseSmallStatement) else node
        return self.line(statement) <= line <= self.span(last).end.line

    def global_names(self) -> frozenset[str]:
        """The names that the module binds at its top level, and those that it captures by matching."""
        names = {assignment.name for assignment in self._global_scope.assignments}
        return frozenset({name.partition(".")[0] for name in names} | self.captured_names())

    def global_bindings(self, name: str) -> int:
        """How many statements bind ``name`` at the top level of the module."""
        return sum(assignment.name == name for assignment in self._global_scope.assignments)

    def binds_otherwise(self, name: str) -> bool:
        """Whether anything but an import binds ``name`` at the top level of the module."""
        bound = (assignment for assignment in self._global_scope.assignments if assignment.name == name)
        return any(not isinstance(assignment, ImportAssignment) for assignment in bound)

    def local_names(self, node: cst.CSTNode) -> frozenset[str]:
        """The names that belong to the function in which ``node`` stands."""
        scope = self._scopes.get(node)
        names = {assignment.name for assignment in scope.assignments} if isinstance(scope, FunctionScope) else set()
        function = self.function_around(node)
        bound = {name.partition(".")[0] for name in names} | self.captured_names(function)
        return frozenset(bound | (self._walrus_names(function) if function is not None else set()))

    def _walrus_names(self, root: cst.CSTNode) -> set[str]:
        """The names that ``:=`` binds, which libcst counts to the comprehension around it, Python to the function."""
        targets = (node.target for node in self.nodes(root) if isinstance(node, cst.NamedExpr))
        return {target.value for target in targets if isinstance(target, cst.Name)}

    def captured_names(self, root: cst.CSTNode | None = None) -> frozenset[str]:
        """The names that ``match`` statements bind, which no scope of libcst knows."""
        names: set[str] = set()
        for node in self.nodes(root):
            if isinstance(node, cst.MatchAs | cst.MatchStar) and node.name is not None:
                names.add(node.name.value)
            elif isinstance(node, cst.MatchMapping) and node.rest is not None:
                names.add(node.rest.value)
        return frozenset(names)

    def nodes(self, root: cst.CSTNode | None = None) -> Iterator[cst.CSTNode]:
        """``root`` (default: the module) and everything in it, in the order of the text."""
        waiting: list[cst.CSTNode] = [self.module if root is None else root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(self._children_of(node)))

    def _children_of(self, node: cst.CSTNode) -> Sequence[cst.CSTNode]:
        """The children of a node, which libcst finds anew, and slowly, each time it is asked."""
        if node not in self._children:
            self._children[node] = node.children
        return self._children[node]

    def with_text(self, module: cst.Module) -> str:
        """The whole text of a changed module, beginning as the file began."""
        mark = BYTE_ORDER_MARK if self.source.text.startswith(BYTE_ORDER_MARK) else ""
        return mark + module.code


@dataclass(frozen=True)
class Place:
    """Where a frame of a traceback stands in the files of the tree."""

    code: Code
    line: int
    function: cst.FunctionDef | None
    """The function the frame ran in; ``None`` at module level or in a lambda or comprehension."""

    def __str__(self) -> str:
        return f"{self.code.source.path}:{self.line}"


def locate(tree: Path, frame: Frame) -> Place | None:
    """Where a frame stands now, or ``None`` if its file is not in the tree.

    The line that the traceback shows must still be there, or exactly once elsewhere in the same function. Raises
    ``RefusedError`` if the code has changed since.
    """
    source = file_of(tree, frame)
    if source is None:
        return None
    code = Code(source)
    name = frame.function.rpartition(".")[2]
    functions = [node for node in code.nodes() if isinstance(node, cst.FunctionDef) and node.name.value == name]
    found: list[tuple[int, cst.FunctionDef | None]]
    if name.startswith("<"):
        found = [(frame.line, None)] if _still_there(source, frame) else []
    else:
        found = list(_lines_in(code, functions, frame))
    if len(found) != 1:
        raise RefusedError(f"the code has changed since: {source.path}:{frame.line} no longer shows the failing line")
    return Place(code, found[0][0], found[0][1])


def dotted(node: cst.CSTNode) -> str | None:
    """``a.b.c`` for names and attributes of names, else ``None``."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    return ".".join([node.value, *reversed(parts)]) if isinstance(node, cst.Name) else None


def last_name(node: cst.CSTNode) -> str | None:
    """The last name of ``a.b.c``, whatever stands before it."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else None


def _lines_in(
    code: Code, functions: list[cst.FunctionDef], frame: Frame
) -> Iterator[tuple[int, cst.FunctionDef | None]]:
    """The frame's own line if it still fits, else every line of its functions that does."""
    spans = [(function, code.span(function)) for function in functions]
    for function, span in reversed(spans):  # an inner function comes after the one around it
        if span.start.line <= frame.line <= span.end.line and _still_there(code.source, frame):
            yield frame.line, function
            return
    if frame.text is None:
        return
    for function, span in spans:
        for line in range(span.start.line, span.end.line + 1):
            if code.source.shows(line, frame.text):
                yield line, function


def _still_there(source: SourceFile, frame: Frame) -> bool:
    if frame.text is None:
        return frame.line <= len(source.lines)
    return source.shows(frame.line, frame.text)


def _refuse_unsafe_syntax(path: str, text: str) -> None:
    """Lets Python's own parser judge first: it bounds nesting, while libcst's ends the process where it is too deep.

    Chains of ``and``/``or`` are flat to Python but nested to libcst.
    """
    try:
        levels = [*_levels(parse(text, filename=path))]
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise RefusedError(f"{path} cannot be parsed") from None
    chains = (len(node.values) for level in levels for node in level if isinstance(node, ast.BoolOp))
    if len(levels) > _DEEPEST or max(chains, default=0) > _DEEPEST:
        raise RefusedError(f"{path} holds an expression that is nested too deeply")


def _levels(tree: ast.AST) -> Iterator[list[ast.AST]]:
    """The nodes of a tree, level by level."""
    level = [tree]
    while level:
        yield level
        level = [child for node in level for child in ast.iter_child_nodes(node)]
