"""Puts statements into a module so that every line that was there stays as it was."""

import sys
from collections.abc import Sequence

import libcst as cst

_INDENT = "    "

Body = Sequence[cst.BaseStatement]


def function_from(module: cst.Module, text: str) -> cst.FunctionDef:
    """The function that ``text`` defines, in the module's own newlines and indent; ``text`` has four spaces a level."""
    lines = []
    for line in text.strip("\n").split("\n"):
        bare = line.lstrip(" ")
        lines.append(module.default_indent * ((len(line) - len(bare)) // len(_INDENT)) + bare)
    shaped = "".join(line + module.default_newline for line in lines)
    parsed = cst.parse_statement(shaped, config=module.config_for_parsing)
    assert isinstance(parsed, cst.FunctionDef)
    return parsed


def behind(body: Body, anchor: cst.CSTNode, new: Sequence[cst.FunctionDef]) -> list[cst.BaseStatement]:
    """``body`` with ``new`` behind ``anchor``, blank lines between; a comment that follows is kept apart."""
    at = _position(body, anchor) + 1
    tail = list(body[at:])
    if tail:
        lines = leading_lines(tail[0])
        if not lines or lines[0].comment is not None:
            tail[0] = with_leading_lines(tail[0], [_blank(), *lines])
    spaced = [with_leading_lines(function, [_blank()]) for function in new]
    return [*body[:at], *spaced, *tail]


def in_front(body: Body, anchor: cst.CSTNode, new: cst.FunctionDef, blank_lines: int) -> list[cst.BaseStatement]:
    """``body`` with ``new`` in front of ``anchor`` and of the comments that belong to it."""
    at = _position(body, anchor)
    blanks, rest = split(leading_lines(body[at]))
    old = with_leading_lines(body[at], [*(_blank() for _ in range(blank_lines)), *rest])
    return [*body[:at], with_leading_lines(new, blanks), old, *body[at + 1 :]]


def with_import(module: cst.Module, name: str, alias: str) -> cst.Module:
    """The module with ``import name`` (``as alias`` if that differs), in order among the imports at the top."""
    text = f"import {name}" if alias == name else f"import {name} as {alias}"
    new: cst.BaseStatement = cst.SimpleStatementLine([cst.ensure_type(_small(text), cst.Import)])
    body: list[cst.BaseStatement] = list(module.body)
    start = prologue(body)
    at = _import_position(body, start, name)
    if at < len(body):
        first = all(_imported(statement) is None for statement in body[start:at])
        lead, rest = _share_lines(body[at], first=first, top=at == 0)
        new = with_leading_lines(new, lead)
        body[at] = with_leading_lines(body[at], rest)
    return module.with_changes(body=[*body[:at], new, *body[at:]])


def prefers_single_quotes(module: cst.Module) -> bool:
    """Whether most of the module's plain strings are written in single quotes."""
    quotes = [node.quote for node in _strings(module)]
    return quotes.count("'") > quotes.count('"')


def _share_lines(
    following: cst.BaseStatement, *, first: bool, top: bool
) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine]]:
    """Which lines above ``following`` go above an import put in front of it, and which stay between the two."""
    lines = leading_lines(following)
    if not first:
        return [], lines
    if _imported(following) is None:
        return [] if top else [_blank()], lines or [_blank(), _blank()]
    lead, rest = split(lines)
    return lead, rest if rest or _is_standard(following) else [_blank()]


def _import_position(body: Body, start: int, name: str) -> int:
    """Before the first plain import that sorts later or is not the standard library's, else behind them all."""
    first = next((at for at in range(start, len(body)) if _imported(body[at]) is not None), None)
    if first is None:
        return start
    at = first
    while at < len(body) and isinstance(_only(body[at]), cst.Import):
        if not _is_standard(body[at]) or (_imported(body[at]) or "") > name:
            break
        at += 1
    return at


def prologue(body: Body) -> int:
    """How many statements must stay first: the docstring and the imports from ``__future__``."""
    for at, statement in enumerate(body):
        small = _only(statement)
        docstring = at == 0 and isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString)
        if not docstring and _imported(statement) != "__future__":
            return at
    return len(body)


def _imported(statement: cst.BaseStatement) -> str | None:
    """The module that an import names (empty for a relative one); ``None`` for what is no import."""
    small = _only(statement)
    if isinstance(small, cst.Import):
        return cst.Module([]).code_for_node(small.names[0].name)
    if isinstance(small, cst.ImportFrom):
        return "" if small.relative or small.module is None else cst.Module([]).code_for_node(small.module)
    return None


def _is_standard(statement: cst.BaseStatement) -> bool:
    return (_imported(statement) or "").partition(".")[0] in sys.stdlib_module_names


def _only(statement: cst.BaseStatement) -> cst.BaseSmallStatement | None:
    return statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None


def _small(text: str) -> cst.BaseSmallStatement:
    return cst.ensure_type(cst.parse_statement(text), cst.SimpleStatementLine).body[0]


def _strings(module: cst.Module) -> list[cst.SimpleString]:
    found: list[cst.SimpleString] = []
    waiting: list[cst.CSTNode] = [module]
    while waiting:
        node = waiting.pop()
        if isinstance(node, cst.SimpleString):
            found.append(node)
        waiting.extend(node.children)
    return found


def _position(body: Body, anchor: cst.CSTNode) -> int:
    return next(at for at, statement in enumerate(body) if statement is anchor)


def split(lines: list[cst.EmptyLine]) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine]]:
    """The blank lines at the beginning, and the rest from the first comment on."""
    count = next((at for at, line in enumerate(lines) if line.comment is not None), len(lines))
    return lines[:count], lines[count:]


def leading_lines(statement: cst.BaseStatement) -> list[cst.EmptyLine]:
    """The blank lines and comments above a statement."""
    assert isinstance(statement, cst.SimpleStatementLine | cst.BaseCompoundStatement)
    return list(statement.leading_lines)


def with_leading_lines(statement: cst.BaseStatement, lines: Sequence[cst.EmptyLine]) -> cst.BaseStatement:
    """The statement with other lines above it."""
    return statement.with_changes(leading_lines=lines)


def _blank() -> cst.EmptyLine:
    return cst.EmptyLine(indent=False)
