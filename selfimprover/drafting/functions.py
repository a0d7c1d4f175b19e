"""Whole Python functions in a file: where they stand, and another text in their place."""

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfimprover import parsing
from selfimprover.drafting.matching import Shift, bare, split

Function = ast.FunctionDef | ast.AsyncFunctionDef
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Span:
    """The lines of a function, from 0, the end not included."""

    begin: int
    """Where its first decorator stands."""
    head: int
    """Where ``def`` stands."""
    end: int


def parse(lines: Sequence[str]) -> ast.Module | None:
    """The syntax of lines, numbered as they are here; ``None`` if they are no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return parsing.parse("\n".join(bare(line) for line in lines))
        except _UNREADABLE:
            return None


def parse_text(text: str) -> ast.Module | None:
    """The syntax of a whole file; ``None`` if it is no Python."""
    return parse(split(text.removeprefix("\ufeff")))


def functions(module: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Every function with its dotted name, those in classes and functions too."""
    waiting: list[tuple[ast.AST, str]] = [(module, prefix)]
    while waiting:
        node, outer = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield f"{outer}{child.name}", child
            named = isinstance(child, Function | ast.ClassDef)
            waiting.append((child, f"{outer}{child.name}." if named else outer))  # type: ignore[attr-defined]


def spans(module: ast.AST, name: str) -> list[Span]:
    """The functions of a dotted name, in the order of the file."""
    wanted = name.replace(".<locals>", "")
    return sorted((_span(node) for full, node in functions(module) if full == wanted), key=lambda span: span.begin)


def names(module: ast.AST) -> list[str]:
    """The dotted names of all functions, in the order of the file."""
    return [name for name, _ in sorted(functions(module), key=lambda one: one[1].lineno)]


def replacement(code: Sequence[str], name: str, old: Sequence[str], span: Span) -> tuple[str, ...] | str:
    """The new lines of a function as its file indents them, with the old decorators if it brings none.

    A text instead of lines says what is wrong with them.
    """
    lines = _without_blanks(code)
    moved = _moved(lines, _indent(old[span.head]))
    found = _only_function(moved) if moved else None
    last = name.rpartition(".")[2]
    if found is None or found.name != last:
        return f"the new text of {name} must be exactly one function of the name {last}, whole and readable as Python"
    decorators = [] if found.decorator_list else [bare(line) for line in old[span.begin : span.head]]
    return (*decorators, *moved)


def _span(node: Function) -> Span:
    begin = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return Span(begin - 1, node.lineno - 1, node.end_lineno or node.lineno)


def _only_function(lines: Sequence[str]) -> Function | None:
    """The one function that lines hold, however deep they are indented."""
    inside = lines[0][:1].isspace()
    module = parse(["if True:", *lines] if inside else lines)
    if module is None:
        return None
    body = module.body[0].body if inside and isinstance(module.body[0], ast.If) else module.body
    return body[0] if len(body) == 1 and len(module.body) == 1 and isinstance(body[0], Function) else None


def _moved(lines: tuple[str, ...], indent: str) -> tuple[str, ...]:
    """The lines indented as the function they replace; empty if they cannot be.

    Lines of a text in the code that stand at its very margin stay there.
    """
    if not lines:
        return ()
    written = _indent(lines[0])
    if written == indent:
        return lines
    if indent.startswith(written):
        shift = Shift(added=indent[len(written) :])
    elif written.startswith(indent):
        shift = Shift(removed=written[len(indent) :])
    else:
        return ()
    texts = _margin_lines(lines)
    moved = [line if number in texts else shift.moved(line) for number, line in enumerate(lines)]
    return tuple(line for line in moved if line is not None) if None not in moved else ()


def _margin_lines(lines: Sequence[str]) -> frozenset[int]:
    """The lines inside of texts of several lines that have no indentation at all."""
    inside = lines[0][:1].isspace()
    module = parse(["if True:", *lines] if inside else lines)
    if module is None:
        return frozenset()
    texts = (node for node in ast.walk(module) if isinstance(node, ast.JoinedStr | ast.Constant))
    rows = (row for node in texts for row in range(node.lineno, node.end_lineno or node.lineno))
    numbers = {row - inside for row in rows}
    return frozenset(number for number in numbers if number < len(lines) and not lines[number][:1].isspace())


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _without_blanks(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines without blank ones before and after."""
    full = [number for number, line in enumerate(lines) if line.strip()]
    return tuple(lines[full[0] : full[-1] + 1]) if full else ()
