"""Whether a test that a draft adds can show anything: it asserts, it runs, and it stays inside."""

import ast
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from selfimprover.drafting.functions import Function, parse_text
from selfimprover.drafting.matching import split

MAX_LINES = 400
_SKIPS = frozenset({"skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure", "importorskip", "skipTest"})
_SKIP_ERRORS = frozenset({"SkipTest"})
_PROGRAMS = frozenset({"subprocess", "pty", "multiprocessing"})
_OUTSIDE = frozenset(
    {"socket.socket", "socket.create_connection", "urllib.request.urlopen", "request.urlopen", "urlopen"}
    | {"asyncio.open_connection", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"}
    | {f"{library}.{verb}" for library in ("requests", "httpx") for verb in ("get", "post", "put", "patch", "delete")}
    | {f"{library}.{verb}" for library in ("requests", "httpx") for verb in ("head", "options", "request", "stream")}
    | {
        "os.system",
        "os.popen",
        "os.fork",
        "os.execv",
        "os.execve",
        "os.execvp",
        "os.posix_spawn",
        "os.kill",
        "os._exit",
    }
)
"""Calls that reach the network or start a program. Replacing them by a fake names them without calling them."""
_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex", "warns", "assertWarns"})


def faults_of_test(path: str, text: str) -> tuple[str, ...]:
    """What is wrong with a new test file, one sentence for the model each."""
    name = PurePosixPath(path).name
    if not name.endswith(".py") or not (name.startswith("test_") or name.endswith("_test.py")):
        return (f"{path} is no test by its name: call the file test_….py",)
    if len(split(text)) > MAX_LINES:
        return (f"{path} has more than {MAX_LINES} lines: show the one error only",)
    module = parse_text(text)
    if module is None:
        return (f"{path} cannot be read as Python",)
    return tuple(dict.fromkeys(f"{path} {fault}" for fault in _faults(module)))


def _faults(module: ast.Module) -> Iterator[str]:
    tests = list(_tests(module))
    if not tests:
        yield "has no test: a function test_…, or a method test_… of a class"
    helpers = {node.name for node in ast.walk(module) if isinstance(node, Function) and any(_asserts(node))}
    for test in tests:
        if not any(_asserts(test, helpers - {test.name})):
            yield f"asserts nothing in {test.name}: say what the code should do (assert True and the like do not count)"
    for node in ast.walk(module):
        if fault := _forbidden(node):
            yield f"{fault} (line {getattr(node, 'lineno', 1)})"


def _tests(module: ast.Module) -> Iterator[Function]:
    for node in module.body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (one for one in node.body if isinstance(one, Function) and one.name.startswith("test"))


# --- assertions ----------------------------------------------------------------------------------------


def _asserts(test: Function, helpers: Collection[str] = ()) -> Iterator[ast.AST]:
    """The assertions of a test that can fail and are not caught, and its calls of helpers that assert."""
    waiting: list[ast.AST] = list(test.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Assert):
            if not is_trivial(node.test):
                yield node
        elif isinstance(node, ast.Call) and (_is_assertion(node) or _called(node) in helpers):
            yield node
        caught = isinstance(node, ast.Try | ast.TryStar) and any(catches_assertions(one) for one in node.handlers)
        inside = [*node.orelse, *node.finalbody] if caught and isinstance(node, ast.Try | ast.TryStar) else None
        waiting.extend(ast.iter_child_nodes(node) if inside is None else inside)


def _called(call: ast.Call) -> str:
    """The last name of what is called."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_assertion(call: ast.Call) -> bool:
    name = _called(call)
    if name in _RAISES:
        return bool(call.args or call.keywords)
    if name.startswith("assert_"):  # of mocks, and helpers of the project
        return True
    if name.startswith("assert") and name[6:7].isupper():
        return not all(isinstance(argument, ast.Constant) for argument in call.args)
    return name == "fail"


def catches_assertions(handler: ast.ExceptHandler) -> bool:
    """Whether a failed assertion ends in this handler without being raised again."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
    broad = handler.type is None or bool(names & {"Exception", "BaseException", "AssertionError"})
    return broad and not any(isinstance(node, ast.Raise | ast.Assert) for one in handler.body for node in ast.walk(one))


def is_trivial(node: ast.expr) -> bool:
    """Whether a condition holds whatever the code does: constants, a thing compared with itself, ``or True``."""
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.Lambda):
        return True
    if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
        return True
    if isinstance(node, ast.UnaryOp):
        return is_trivial(node.operand)
    if isinstance(node, ast.BoolOp):
        judge = any if isinstance(node.op, ast.Or) else all
        return judge(is_trivial(value) for value in node.values)
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        same = len({ast.dump(side) for side in sides}) == 1
        return same or all(isinstance(side, ast.Constant) for side in sides)
    return False


# --- what must not be in it ----------------------------------------------------------------------------


def _forbidden(node: ast.AST) -> str:
    """What a node does that a reproduction must not, as the rest of a sentence; empty if nothing."""
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        if name in _SKIP_ERRORS or (name in _SKIPS and not isinstance(node, ast.Name)):
            return f"uses {name}: the test must run"
    if isinstance(node, ast.Import):
        modules = {alias.name.partition(".")[0] for alias in node.names}
        if modules & _PROGRAMS:
            return "starts other programs: test the code in the same process"
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        if (node.module or "").partition(".")[0] in _PROGRAMS:
            return "starts other programs: test the code in the same process"
        if names & (_SKIPS | _SKIP_ERRORS):
            return "imports what skips tests: the test must run"
    if isinstance(node, ast.Call):
        return _call(node)
    return ""


def _call(node: ast.Call) -> str:
    name = ast.unparse(node.func)[:200]
    if name in _OUTSIDE:
        return f"calls {name}: put a fake in its place"
    if name.endswith("getsource") or (name.endswith(("read_text", "open", "read_bytes")) and _names_code(node)):
        return "reads the text of the code: call it instead"
    return ""


def _names_code(node: ast.Call) -> bool:
    texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
    return any(isinstance(text, str) and text.endswith(".py") for text in texts)
