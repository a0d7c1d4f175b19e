"""Moves a call into a helper that tries it three times, and leaves everything else as it was."""

import ast
import builtins
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import libcst as cst

from selfimprover.drafting.recipes.insertion import behind, function_from, in_front, with_import
from selfimprover.drafting.recipes.retry_connect.names import (
    imported_modules,
    module_names,
    names_read,
    refuse_taken_names,
)
from selfimprover.drafting.recipes.retry_connect.site import Site
from selfimprover.drafting.recipes.source import BYTE_ORDER_MARK
from selfimprover.drafting.recipes.syntax import Code, dotted
from selfimprover.errors import RefusedError
from selfimprover.parsing import parse

TRIES = 3
FIRST_PAUSE = 0.5
"""Seconds before the second try; each further pause is twice as long."""
LONGEST_PAUSE = 4.0

_Node = TypeVar("_Node", bound=cst.CSTNode)

_DOCSTRING = (
    f"Up to {TRIES} tries, {FIRST_PAUSE} s * 2**attempt apart ({LONGEST_PAUSE:g} s at most); the last error is raised."
)
_EXPRESSION = "THE_EXPRESSION"
_RESULTS = {
    "asyncio.open_connection": "tuple[asyncio.StreamReader, asyncio.StreamWriter]",
    "asyncio.open_unix_connection": "tuple[asyncio.StreamReader, asyncio.StreamWriter]",
    **{f"smtplib.{name}": f"smtplib.{name}" for name in ("SMTP", "SMTP_SSL")},
    **{f"imaplib.{name}": f"imaplib.{name}" for name in ("IMAP4", "IMAP4_SSL")},
    **{f"poplib.{name}": f"poplib.{name}" for name in ("POP3", "POP3_SSL")},
    **{f"ftplib.{name}": f"ftplib.{name}" for name in ("FTP", "FTP_TLS")},
    "socket.create_connection": "socket.socket",
}


def with_retry(tree: Path, site: Site, also_caught: tuple[str, str] | None) -> str:
    """The whole text of the file with the call of ``site`` retried.

    ``also_caught`` names a further exception as (module, class). Raises ``RefusedError`` if a name that the new code
    needs means something else here.
    """
    refuse_taken_names(tree, site)
    needed = ["asyncio" if site.is_async else "time", *([also_caught[0]] if also_caught else [])]
    modules = module_names(site, needed)
    helper = function_from(site.code.module, _helper_text(site, modules, also_caught))
    helper = _exchange(helper, _placeholder(helper), _repeated(site))
    module = _with_helper(site, helper)
    for name, alias in modules.items():
        if alias not in imported_modules(site.code, name):
            module = with_import(module, name, alias)
    text = site.code.with_text(module)
    _refuse_broken(site, text)
    return text


def _helper_text(site: Site, modules: Mapping[str, str], also_caught: tuple[str, str] | None) -> str:
    caught = ["ConnectionError", "TimeoutError"]
    if also_caught is not None:
        caught.append(f"{modules[also_caught[0]]}.{also_caught[1]}")
    parameters, result = _signature(site)
    counter = next(name for name in ("attempt", "attempt_number", "retry_attempt") if name not in names_read(site))
    begin, wait = ("async def", f"await {modules['asyncio']}") if site.is_async else ("def", modules["time"])
    return f'''
{"@classmethod" if site.is_class_method else ""}
{begin} {site.helper}({", ".join(parameters)}){result}:
    """{_DOCSTRING}"""
    {counter} = 0
    while True:
        try:
            return {_EXPRESSION}
        except ({", ".join(caught)}):
            if {counter} == {TRIES - 1}:
                raise
        {wait}.sleep(min({FIRST_PAUSE} * 2**{counter}, {LONGEST_PAUSE}))
        {counter} += 1
'''.replace("\n\n", "\n")


def _signature(site: Site) -> tuple[list[str], str]:
    """Parameters and return annotation: annotated only if every part is known and the project annotates."""
    receiver = [] if site.receiver is None else [site.receiver]
    params = site.function.params
    annotations = {
        param.name.value: site.code.module.code_for_node(param.annotation.annotation)
        for param in [*params.posonly_params, *params.params, *params.kwonly_params]
        if param.annotation is not None
    }
    result = _result(site)
    if site.function.returns is None or result is None or any(name not in annotations for name in site.locals):
        return [*receiver, *site.locals], ""
    if not all(_means_there(site, text) for text in [result, *(annotations[name] for name in site.locals)]):
        return [*receiver, *site.locals], ""
    return [*receiver, *(f"{name}: {annotations[name]}" for name in site.locals)], f" -> {result}"


def _result(site: Site) -> str | None:
    """What the call returns, where it is a well-known one or a plain method of the same class."""
    called = dotted(site.call.func)
    if called in _RESULTS:
        return _RESULTS[called] if _is_itself(site.code, called) else None
    if site.owner is None or called != f"{site.receiver}.{site.callee}" or site.is_class_method:
        return None
    methods = [node for node in site.owner.body.body if isinstance(node, cst.FunctionDef)]
    for method in methods:
        same = method.name.value == site.callee and (method.asynchronous is not None) == site.is_async
        if same and method.returns is not None and not method.decorators:
            return site.code.module.code_for_node(method.returns.annotation)
    return None


def _means_there(site: Site, annotation: str) -> bool:
    """Whether Python can evaluate an annotation where the helper is defined, with the meaning it has elsewhere."""
    code = site.code
    if any(_postpones_annotations(statement) for statement in code.module.body):
        return True
    top = next(up for up in [site.function, *code.ancestors(site.function)] if code.parent(up) is code.module)
    before: set[str] = set()
    for statement in code.module.body:
        if statement is top:
            break
        before.update(_bound_by(code, statement))
    inside = {name for node in code.nodes(top) for name in _bound_by(code, node)}
    names = {ast_name.id for ast_name in ast.walk(parse(annotation, mode="eval")) if isinstance(ast_name, ast.Name)}
    builtin = frozenset(dir(builtins)) - code.global_names()
    return not names & inside and names <= before | builtin


def _postpones_annotations(statement: cst.CSTNode) -> bool:
    for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
        if isinstance(small, cst.ImportFrom) and dotted(small.module or small) == "__future__":
            aliases = () if isinstance(small.names, cst.ImportStar) else small.names
            return any(alias.evaluated_name == "annotations" for alias in aliases)
    return False


def _bound_by(code: Code, node: cst.CSTNode) -> set[str]:
    """The names that a statement binds, as far as it stands alone: what stands in its blocks is left out."""
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        return {node.name.value}
    if not isinstance(node, cst.SimpleStatementLine):
        return set()
    nodes = list(code.nodes(node))
    aliases = [each for each in nodes if isinstance(each, cst.ImportAlias)]
    imported = {(each.evaluated_alias or each.evaluated_name).partition(".")[0] for each in aliases}
    return imported | {each.value for each in nodes if isinstance(each, cst.Name) and code.is_store(each)}


def _is_itself(code: Code, called: str) -> bool:
    module = called.partition(".")[0]
    return module in imported_modules(code, module)


def _repeated(site: Site) -> cst.BaseExpression:
    """The expression as it stands, in parentheses where its line breaks need them."""
    bare = site.expression.with_changes(lpar=[], rpar=[])
    if not _breaks_lines(site.code, bare):
        return bare
    if _breaks_lines(site.code, _without_arguments(bare)) and not site.expression.lpar:
        return bare.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return site.expression


def _breaks_lines(code: Code, node: cst.CSTNode) -> bool:
    return re.search(r"[\r\n]", code.module.code_for_node(node)) is not None


def _without_arguments(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, cst.Await):
        return node.with_changes(expression=_without_arguments(node.expression))
    return node.with_changes(args=[], whitespace_before_args=cst.SimpleWhitespace(""))


def _call_site(site: Site) -> cst.BaseExpression:
    name = site.helper if site.receiver is None else f"{site.receiver}.{site.helper}"
    call = f"{name}({', '.join(site.locals)})"
    new = cst.parse_expression(f"await {call}" if site.is_async else call)
    if site.expression.lpar:
        return new.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return new


def _with_helper(site: Site, helper: cst.FunctionDef) -> cst.Module:
    code = site.code
    function = _exchange(site.function, site.expression, _call_site(site))
    block = code.parent(site.function)
    assert isinstance(block, cst.IndentedBlock | cst.Module)
    body = [function if statement is site.function else statement for statement in block.body]
    if site.owner is None:
        body = in_front(body, function, helper, blank_lines=2 if isinstance(block, cst.Module) else 1)
    else:
        body = behind(body, function, [helper])
    changed = block.with_changes(body=body)
    return changed if isinstance(changed, cst.Module) else _exchange(code.module, block, changed)


def _exchange(root: _Node, old: cst.CSTNode, new: cst.CSTNode) -> _Node:
    """``root`` with one node, known by identity, exchanged."""
    changed = root.deep_replace(old, new)
    assert isinstance(changed, type(root))
    return changed


def _placeholder(helper: cst.FunctionDef) -> cst.Name:
    waiting: list[cst.CSTNode] = [helper]
    while True:
        node = waiting.pop()
        if isinstance(node, cst.Name) and node.value == _EXPRESSION:
            return node
        waiting.extend(node.children)


def _refuse_broken(site: Site, text: str) -> None:
    try:
        parse(text.removeprefix(BYTE_ORDER_MARK), filename=site.code.source.path)
    except SyntaxError:
        raise RefusedError(f"the call at {site.place} is written in a way that cannot be moved") from None
