"""Whether a change gets rid of an error by not looking: a handler that is silent, a suppression, a raise that is gone.

What is told is what nobody could defend: all errors, or those that show a mistake in the code itself, are caught and
nothing comes of it. Narrow handlers of expected errors, handlers that raise, use the error or do something instead,
retries that raise in the end, and lookups that fall back to a default are left alone.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfimprover.domain import Edit
from selfimprover.drafting.functions import Function, parse_text
from selfimprover.drafting.recipes.source import is_test

_BROAD = frozenset({"Exception", "BaseException", "StandardError"})
_MISTAKES = frozenset(
    {"AttributeError", "TypeError", "NameError", "UnboundLocalError", "AssertionError", "RecursionError"}
    | {"RuntimeError", "SystemError", "MemoryError", "ImportError", "ModuleNotFoundError", "SyntaxError"}
)
"""Errors that show a mistake in the code, rather than in what it was given."""
_LOOKUPS = frozenset({"KeyError", "IndexError", "LookupError"})
_TRANSIENT = frozenset(
    {"TimeoutError", "ConnectionError", "ConnectionResetError", "ConnectionRefusedError", "ConnectionAbortedError"}
    | {"BrokenPipeError", "OSError", "IOError", "error", "gaierror", "timeout", "EOFError"}
)
"""Errors that are not gone because nobody looks: tried again, or told, but not passed over."""
_LOGS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "msg", "print"})
_LOGGERS = ("log", "logging", "_log", "_logger", "LOG", "warnings")
_ASK = "fix what makes the error, let it rise, or answer it with something that callers can tell from success"


@dataclass(frozen=True, slots=True)
class _Changed:
    """A file of Python before and after."""

    path: str
    before: ast.Module
    after: ast.Module


@dataclass(frozen=True, slots=True)
class _Silent:
    """A place that catches and lets nothing come of it."""

    function: str
    caught: str
    how: str
    """What it does instead, as the end of a sentence."""
    guards: tuple[str, ...]
    """The statements that it covers."""
    line: int


def swallowed(edits: Sequence[Edit], error_type: str | None = None) -> tuple[str, ...]:
    """Where a change swallows errors that were not swallowed before, one sentence for the model each.

    ``error_type`` is the short name of the error that is to be fixed. Tests are left out.
    """
    changed = list(_changed(edits))
    faults = [fault for one in changed for fault in _silences(one, error_type)]
    return tuple(dict.fromkeys([*faults, *_lost_raises(changed)]))


def _changed(edits: Sequence[Edit]) -> Iterator[_Changed]:
    """The edits of code that can be read before and after."""
    for edit in edits:
        if not edit.path.endswith(".py") or is_test(edit.path):
            continue
        before, after = parse_text(edit.before or ""), parse_text(edit.after or "")
        if before is not None and after is not None:
            yield _Changed(edit.path, before, after)


def _silences(changed: _Changed, error_type: str | None) -> Iterator[str]:
    """The silent places of a file that are new, or that cover statements which they did not cover before."""
    before, old = changed.before, list(_silent_places(changed.before, error_type))
    known = Counter((one.function, one.caught, one.how) for one in old)
    covered = Counter(statement for one in old for statement in one.guards)
    new = list(_silent_places(changed.after, error_type))
    everywhere = {ast.dump(node) for node in ast.walk(before) if isinstance(node, ast.stmt)} if new else set()
    for one in new:
        key = (one.function, one.caught, one.how)
        where = f"{changed.path}:{one.line}" + (f" in {one.function}" if one.function else "")
        if not known[key]:
            yield f"{where} swallows the error: it catches {one.caught} and {one.how}. Instead, {_ASK}."
        elif any(statement in everywhere and not covered[statement] for statement in one.guards):
            yield f"{where} swallows more than before: code was moved under a handler that {one.how}. Instead, {_ASK}."
        known[key] -= 1


def _silent_places(module: ast.Module, error_type: str | None) -> Iterator[_Silent]:
    for name, function in _scopes(module):
        for node in _own_nodes(function):
            if isinstance(node, ast.Try | ast.TryStar):
                yield from _silent_handlers(name, function, node, error_type)
                yield from _silent_finally(name, node)
            elif isinstance(node, ast.With | ast.AsyncWith):
                yield from _suppressions(name, node, error_type)


def _silent_handlers(
    name: str, scope: ast.AST, node: ast.Try | ast.TryStar, error_type: str | None
) -> Iterator[_Silent]:
    guards = tuple(ast.dump(statement) for statement in node.body)
    for handler in node.handlers:
        caught = _caught(handler.type)
        how = _nothing_done(handler)
        if how and _too_much(caught, node.body, error_type) and not _raised_later(scope, handler):
            yield _Silent(name, ", ".join(caught) or "everything", how, guards, handler.lineno)


def _silent_finally(name: str, node: ast.Try | ast.TryStar) -> Iterator[_Silent]:
    guards = tuple(ast.dump(statement) for statement in node.body)
    for statement in node.finalbody:
        for inner in _own_nodes(statement):
            if isinstance(inner, ast.Return):
                yield _Silent(name, "everything", "returns out of finally", guards, inner.lineno)


def _suppressions(name: str, node: ast.With | ast.AsyncWith, error_type: str | None) -> Iterator[_Silent]:
    guards = tuple(ast.dump(statement) for statement in node.body)
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call) and _last_name(call.func) == "suppress":
            caught = tuple(each for argument in call.args for each in _caught(argument))
            if _too_much(caught, node.body, error_type):
                yield _Silent(name, ", ".join(caught), "suppresses it", guards, node.lineno)


# --- what is too much ----------------------------------------------------------------------------------


def _too_much(caught: Sequence[str], body: Sequence[ast.stmt], error_type: str | None) -> bool:
    """Whether nobody may catch these errors around this code and do nothing."""
    names = set(caught)
    if not names or names & _BROAD:
        return True
    # among others they say that what comes in has the wrong form, unless they are what was to be fixed
    if names <= _MISTAKES or (error_type in names & _MISTAKES):
        return not _optional_import(names, body)
    if names & _LOOKUPS and (error_type is None or error_type in names):
        return not _plain_lookup(body)
    return error_type in _TRANSIENT and bool(names & (_TRANSIENT | {error_type}))


def _optional_import(names: set[str], body: Sequence[ast.stmt]) -> bool:
    only_import = all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in body)
    return only_import and names <= {"ImportError", "ModuleNotFoundError"}


def _plain_lookup(body: Sequence[ast.stmt]) -> bool:
    """One statement that looks something up and calls nothing but a method or two on the way."""
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.AnnAssign | ast.Return | ast.Delete | ast.Expr):
        return False
    calls = sum(isinstance(node, ast.Call) for node in ast.walk(body[0]))
    return calls <= 1 and not any(isinstance(node, ast.Await) for node in ast.walk(body[0]))


def _caught(node: ast.expr | None) -> tuple[str, ...]:
    """The short names of the exceptions that a handler names; nothing: it catches all."""
    if node is None:
        return ()
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(_last_name(part) or ast.unparse(part)[:80] for part in parts)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


# --- what comes of it ----------------------------------------------------------------------------------


def _nothing_done(handler: ast.ExceptHandler) -> str:
    """What a handler does if that is as good as nothing; empty if something comes of the error."""
    if not all(_is_log(statement) or _is_idle(statement) for statement in handler.body):
        return ""
    logs = any(_is_log(statement) for statement in handler.body)
    last = handler.body[-1]
    does = {ast.Continue: "goes on", ast.Break: "breaks off", ast.Return: "returns nothing of use"}
    return ("only logs it and " if logs else "only ") + does.get(type(last), "passes over it")


def _is_idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass | ast.Continue | ast.Break):
        return True
    if isinstance(statement, ast.Return):
        return statement.value is None or _is_empty(statement.value)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return (
        isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None and _is_empty(statement.value)
    )


def _is_empty(node: ast.expr) -> bool:
    """``None``, ``False``, ``0``, ``""`` and empty containers: what says nothing."""
    if isinstance(node, ast.Constant):
        return not node.value or node.value is Ellipsis
    if isinstance(node, ast.Tuple):
        return all(_is_empty(part) for part in node.elts)
    if isinstance(node, ast.List | ast.Set):
        return not node.elts
    if isinstance(node, ast.Dict):
        return not node.keys
    return (
        isinstance(node, ast.Call)
        and not node.args
        and _last_name(node.func) in {"dict", "list", "set", "tuple", "str"}
    )


def _is_log(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr):
        return False
    call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    if not isinstance(call, ast.Call) or _last_name(call.func) not in _LOGS:
        return False
    if isinstance(call.func, ast.Name):
        return call.func.id == "print"
    owner = ast.unparse(call.func.value).rpartition(".")[2] if isinstance(call.func, ast.Attribute) else ""
    return owner.startswith(_LOGGERS) or "log" in owner.lower()


def _raised_later(scope: ast.AST, handler: ast.ExceptHandler) -> bool:
    """Whether this is a turn of a retry: a loop around it, and a raise after the last turn in the same function."""
    for loop in _own_nodes(scope):
        if not isinstance(loop, ast.For | ast.AsyncFor | ast.While):
            continue
        if any(node is handler for node in ast.walk(loop)):
            goes_on = isinstance(handler.body[-1], ast.Continue | ast.Pass | ast.Expr | ast.Assign)
            later = (node for node in _own_nodes(scope) if isinstance(node, ast.Raise))
            end = loop.end_lineno or loop.lineno
            return goes_on and any(node.lineno > end or _in(loop.orelse, node) for node in later)
    return False


def _in(statements: Sequence[ast.stmt], wanted: ast.AST) -> bool:
    return any(node is wanted for statement in statements for node in ast.walk(statement))


# --- raises --------------------------------------------------------------------------------------------


def _lost_raises(changed: Sequence[_Changed]) -> Iterator[str]:
    """Functions that raise less often than before, unless the raise went elsewhere in the change."""
    old = {(one.path, name): raises for one in changed for name, raises in _raises(one.before).items()}
    new = {(one.path, name): raises for one in changed for name, raises in _raises(one.after).items()}
    if sum(map(len, old.values())) <= sum(map(len, new.values())):
        return
    added: Counter[str] = Counter()
    for place, raises in new.items():
        added += Counter(raises) - Counter(old.get(place, ()))
    for (path, name), raises in old.items():
        left = new.get((path, name), [])
        gone = [each for each in (Counter(raises) - Counter(left)).elements() if not added[each]]
        if len(raises) > len(left) and gone:
            where = f"{path} in {name}" if name else path
            yield (
                f"{where} no longer says `{gone[0][:120]}`: an error that was told is now passed over. Keep it and"
                " fix what leads to it; if raising is the mistake itself, say CANNOT FIX and why."
            )


def _raises(module: ast.Module) -> dict[str, list[str]]:
    return {
        name: [ast.unparse(node) for node in _own_nodes(scope) if isinstance(node, ast.Raise)]
        for name, scope in _scopes(module)
    }


# --- scopes --------------------------------------------------------------------------------------------


def _scopes(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The module, as the empty name, and every function of it by its dotted name."""
    yield "", module
    waiting: list[tuple[ast.AST, str]] = [(module, "")]
    while waiting:
        node, outer = waiting.pop()
        for child in ast.iter_child_nodes(node):
            name = outer
            if isinstance(child, Function | ast.ClassDef):
                name = f"{outer}.{child.name}" if outer else child.name
                if isinstance(child, Function):
                    yield name, child
            waiting.append((child, name))


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Everything in a scope but what is in functions inside of it."""
    waiting = [scope]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, Function | ast.Lambda))
