"""Whether an edit of existing tests takes something from them: tests may be added to, not weakened."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from selfimprover.domain import Edit
from selfimprover.drafting.added_tests import catches_assertions, is_trivial
from selfimprover.drafting.functions import Function, functions, parse_text
from selfimprover.drafting.recipes.source import is_test
from selfimprover.parsing import parse

_SKIPS = ("skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure", "importorskip", "skipTest", "SkipTest")
_RAISES = ("raises", "assertRaises", "assertRaisesRegex", "warns", "assertWarns", "assertWarnsRegex", "deprecated_call")
_STRICT = (ast.Eq, ast.Is)
_LOOSE = (ast.NotEq, ast.IsNot, ast.In, ast.NotIn, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def weakened(edits: Sequence[Edit]) -> tuple[str, ...]:
    """What a change takes from the tests that exist, one sentence each; new test files are no matter of this."""
    faults: list[str] = []
    for edit in edits:
        if edit.before is None or not edit.path.endswith(".py") or not is_test(edit.path):
            continue
        if edit.after is None:
            faults.append(f"{edit.path} is deleted: tests must stay")
            continue
        before, after = parse_text(edit.before), parse_text(edit.after)
        if after is None:
            faults.append(f"{edit.path} cannot be read as Python any more")
        elif before is not None:
            faults.extend(f"{edit.path} {fault}" for fault in _faults(before, after))
    return tuple(dict.fromkeys(faults))


def _faults(before: ast.Module, after: ast.Module) -> Iterator[str]:
    old, new = dict(functions(before)), dict(functions(after))
    for name in sorted(old.keys() - new.keys()):
        if name.rpartition(".")[2].startswith("test") or any(_assertions(old[name])):
            yield f"loses {name}: tests must stay"
    for name in sorted(old.keys() & new.keys()):
        yield from (f"{fault} in {name}" for fault in _losses(old[name], new[name]))
    for word, count in (_words(after) - _words(before)).items():
        if count > 0:
            yield f"adds {word}: tests must run"


def _losses(old: Function, new: Function) -> Iterator[str]:
    lost = Counter(_assertions(old)) - Counter(_assertions(new))
    added = Counter(_assertions(new)) - Counter(_assertions(old))
    if lost:
        what = min(lost)
        if sum(lost.values()) > sum(added.values()):
            yield f"deletes `{what[:120]}`"
        elif _is_looser(lost, added):
            yield f"loosens `{what[:120]}`"
        else:
            yield f"changes what is expected, `{what[:120]}`,"
    if _early_returns(new) > _early_returns(old):
        yield "returns before its end"
    if _cases(new) < _cases(old):
        yield "has fewer cases"


def _assertions(test: Function) -> Iterator[str]:
    """The assertions of a function as text, those told apart that a condition or a handler keeps from failing."""
    waiting: list[tuple[ast.AST, str]] = [(statement, "") for statement in test.body]
    while waiting:
        node, guard = waiting.pop()
        if isinstance(node, ast.Assert) and not is_trivial(node.test):
            yield guard + "assert " + ast.unparse(node.test)
        elif isinstance(node, ast.Call) and _is_assertion(_name(node.func)):
            yield guard + ast.unparse(node)
        if isinstance(node, ast.If | ast.Try | ast.TryStar):
            guard = _guard(node) or guard
        waiting.extend((child, guard) for child in ast.iter_child_nodes(node))


def _guard(node: ast.If | ast.Try | ast.TryStar) -> str:
    if isinstance(node, ast.If):
        return "if …: "
    return "try: " if any(catches_assertions(handler) for handler in node.handlers) else ""


def _is_assertion(name: str) -> bool:
    return name in _RAISES or name.startswith("assert")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_looser(lost: Counter[str], added: Counter[str]) -> bool:
    return sum(map(_strength, added.elements())) < sum(map(_strength, lost.elements()))


def _strength(assertion: str) -> int:
    """How much an assertion says: an equality most, then a bound or a membership, then that something is there."""
    if assertion.startswith(("if …", "try: ")):
        return 0
    node = parse(assertion).body[0]
    if isinstance(node, ast.Assert):
        compared = [op for one in ast.walk(node.test) if isinstance(one, ast.Compare) for op in one.ops]
        if "approx" in assertion or "isclose" in assertion:
            return 2
        if any(isinstance(op, _STRICT) for op in compared):
            return 3
        return 2 if any(isinstance(op, _LOOSE) for op in compared) else 1
    if "(Exception" in assertion or "(BaseException" in assertion:
        return 1
    return 3 if "assertEqual" in assertion or "raises" in assertion or "assertRaises" in assertion else 2


def _early_returns(test: Function) -> int:
    return sum(isinstance(node, ast.Return) for statement in test.body[:-1] for node in ast.walk(statement))


def _cases(test: Function) -> int:
    """How many elements the decorators of a test list: its cases."""
    lists = (node for one in test.decorator_list for node in ast.walk(one) if isinstance(node, ast.List | ast.Tuple))
    return sum(len(node.elts) for node in lists)


def _words(module: ast.Module) -> Counter[str]:
    """What skips tests, by name."""
    names = (_name(node) for node in ast.walk(module) if isinstance(node, ast.Attribute | ast.Name))
    imported = (alias.name for node in ast.walk(module) if isinstance(node, ast.ImportFrom) for alias in node.names)
    return Counter(name for name in (*names, *imported) if name in _SKIPS)
