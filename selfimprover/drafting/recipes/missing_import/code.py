"""Puts an import among those at the top of a file, where the file's own order wants it."""

import sys
from collections.abc import Callable, Sequence
from itertools import pairwise

import libcst as cst

from selfimprover.drafting.recipes.insertion import leading_lines, prologue, split, with_leading_lines
from selfimprover.drafting.recipes.missing_import.site import Missing
from selfimprover.drafting.recipes.missing_import.ways import Way
from selfimprover.drafting.recipes.source import BYTE_ORDER_MARK
from selfimprover.drafting.recipes.syntax import dotted
from selfimprover.errors import RefusedError
from selfimprover.parsing import parse

_Key = tuple[int | str | bool, ...]
_Section = Callable[[str], int]
_BLANK = cst.EmptyLine(indent=False)


def with_missing(missing: Missing) -> str:
    """The whole text of the file with the import."""
    code = missing.place.code

    def section(module: str) -> int:
        """Standard library, other packages, the project itself, relative: the usual order of groups."""
        if module[:1] == ".":
            return 3
        head = module.partition(".")[0]
        if head in sys.stdlib_module_names:
            return 0
        return 2 if missing.project.module(head) is not None else 1

    changed = _joined(code.module, missing.way) or _inserted(code.module, missing.way, section)
    text = code.with_text(changed)
    try:
        parse(text.removeprefix(BYTE_ORDER_MARK), filename=code.source.path)
    except SyntaxError:
        raise RefusedError(f"{code.source.path} cannot take an import at its top") from None
    return text


def _joined(module: cst.Module, way: Way) -> cst.Module | None:
    """The module with the name in the statement that already imports from there; ``None`` if there is none."""
    start, end = _block(module.body)
    for statement in module.body[start:end]:
        small = _import_in(statement)
        if way.name is None or not isinstance(small, cst.ImportFrom) or _written(small) != way.module:
            continue
        if isinstance(small.names, cst.ImportStar) or way.bound != way.name:
            continue
        if small.lpar is not None or "\n" in module.code_for_node(small):
            raise RefusedError(f"the names from {way.module} are imported in a list that is written in its own way")
        names = _with_name(list(small.names), way.name)
        return cst.ensure_type(module.deep_replace(small, small.with_changes(names=names)), cst.Module)
    return None


def _with_name(names: list[cst.ImportAlias], name: str) -> list[cst.ImportAlias]:
    """The names with the new one in order, if they have an order, else behind them."""
    kept = [alias.evaluated_name for alias in names]
    order = next((key for key in (_by_kind, str, str.lower) if kept == sorted(kept, key=key)), None)
    at = len(names)
    if order is not None:
        wanted = order(name)
        at = next((at for at, other in enumerate(kept) if order(other) > wanted), len(names))  # type: ignore[operator]
    spaced = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [*names[:at], cst.ImportAlias(cst.Name(name)), *names[at:]]
    last = len(made) - 1
    return [
        alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)
        if index == last
        else alias.with_changes(comma=alias.comma if isinstance(alias.comma, cst.Comma) else spaced)
        for index, alias in enumerate(made)
    ]


def _by_kind(name: str) -> tuple[int, str]:
    """Constants, classes, then the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


def _inserted(module: cst.Module, way: Way, section: _Section) -> cst.Module:
    """The module with a statement of its own among the imports that stand together at the top."""
    body: list[cst.BaseStatement] = list(module.body)
    start, end = _block(body)
    new: cst.BaseStatement = cst.parse_statement(way.text, config=module.config_for_parsing)
    at = _position(body[start:end], new, section) + start
    before = body[at - 1] if at > start else None
    after = body[at] if at < len(body) else None
    lead, rest = _lines(body, (at, start, end), (before, new, after), section)
    if after is not None and rest is not None:
        body[at] = with_leading_lines(after, rest)
    return module.with_changes(body=[*body[:at], with_leading_lines(new, lead), *body[at:]])


def _block(body: Sequence[cst.BaseStatement]) -> tuple[int, int]:
    """Where the imports that stand together at the top begin and end."""
    start = end = prologue(body)
    while end < len(body) and _import_in(body[end]) is not None:
        end += 1
    return start, end


def _position(block: Sequence[cst.BaseStatement], new: cst.BaseStatement, section: _Section) -> int:
    """Behind the last import that sorts before the new one, if the block has an order; else at the end of its group."""
    for key in (_plain_first, _by_module):
        keys = [key(each, section) for each in block]
        if keys == sorted(keys):
            return sum(each <= key(new, section) for each in keys)
    same = [at for at, each in enumerate(block) if _section_of(each, section) <= _section_of(new, section)]
    return same[-1] + 1 if same else 0


def _lines(
    body: Sequence[cst.BaseStatement],
    limits: tuple[int, int, int],
    around: tuple[cst.BaseStatement | None, cst.BaseStatement, cst.BaseStatement | None],
    section: _Section,
) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine] | None]:
    """The lines above the new import, and those above what follows it (``None``: as they are)."""
    at, start, end = limits
    before, new, after = around
    groups = _separates(body[start:end], section)
    own = _section_of(new, section)
    if before is not None:
        lead = [_BLANK] if groups and _section_of(before, section) != own else []
        if after is None or at == end:
            return lead, None
        lines = leading_lines(after)
        parted = bool(lines) and lines[0].comment is None
        return lead, [_BLANK, *lines] if groups and _section_of(after, section) != own and not parted else None
    if after is None:
        return ([_BLANK] if start else []), None
    blanks, rest = split(leading_lines(after))
    if at == end:
        return ([_BLANK] if at else []), leading_lines(after) if blanks else [_BLANK, _BLANK, *rest]
    return blanks, [_BLANK, *rest] if groups and _section_of(after, section) != own else rest


def _separates(block: Sequence[cst.BaseStatement], section: _Section) -> bool:
    """Whether the file parts its groups of imports by blank lines; yes if it has one group only."""
    borders = [
        bool(leading_lines(later))
        for earlier, later in pairwise(block)
        if _section_of(earlier, section) != _section_of(later, section)
    ]
    return all(borders)


def _plain_first(statement: cst.BaseStatement, section: _Section) -> _Key:
    small = _import_in(statement)
    return (_section_of(statement, section), isinstance(small, cst.ImportFrom), _written(small).lower())


def _by_module(statement: cst.BaseStatement, section: _Section) -> _Key:
    return (_section_of(statement, section), _written(_import_in(statement)).lower())


def _section_of(statement: cst.BaseStatement, section: _Section) -> int:
    return section(_written(_import_in(statement)))


def _import_in(statement: cst.CSTNode) -> cst.Import | cst.ImportFrom | None:
    """The import that a line consists of."""
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        small = statement.body[0]
        return small if isinstance(small, cst.Import | cst.ImportFrom) else None
    return None


def _written(small: cst.Import | cst.ImportFrom | None) -> str:
    """The module as the statement writes it."""
    if isinstance(small, cst.Import):
        return dotted(small.names[0].name) or ""
    if small is None:
        return ""
    return "." * len(small.relative) + ((dotted(small.module) or "") if small.module is not None else "")
