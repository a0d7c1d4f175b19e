"""Whether the functions of the project that connecting runs through do nothing that must not happen twice."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import libcst as cst

from selfimprover.drafting.recipes.classes import Project, receiver_of
from selfimprover.drafting.recipes.retry_connect.arguments import PURE, parameters
from selfimprover.drafting.recipes.retry_connect.openers import CONSTRUCTING, connects
from selfimprover.drafting.recipes.retry_connect.stack import short_name
from selfimprover.drafting.recipes.source import is_test, mentioning
from selfimprover.drafting.recipes.syntax import Code, Place, dotted, last_name, locate
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame, in_app

_ALLOWED = (
    *PURE,
    *(cst.Call, cst.Await, cst.NamedExpr, cst.IndentedBlock, cst.SimpleStatementSuite, cst.SimpleStatementLine),
    *(cst.Semicolon, cst.Expr, cst.Assign, cst.AssignTarget, cst.AnnAssign, cst.Annotation, cst.Return, cst.Raise),
    *(cst.From, cst.Pass, cst.Assert, cst.If, cst.Else, cst.Try, cst.ExceptHandler, cst.Finally, cst.AsName, cst.With),
    *(cst.WithItem, cst.Asynchronous, cst.Import, cst.ImportFrom, cst.ImportAlias),
)
_DECORATORS = frozenset({"staticmethod", "classmethod", "property", "override", "typing.override", "cached_property"})
_DECORATORS_OF_PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property"})
_WAITING = frozenset({"asyncio.wait_for", "asyncio.timeout", "wait_for", "timeout", "async_timeout.timeout"})
_USING = frozenset(
    {"read", "readline", "readuntil", "readexactly", "recv", "close", "aclose", "wait_closed", "cancel", "is_closing"}
)
"""Methods that only concern the connection they are called on."""
_TEXT = frozenset({"startswith", "endswith", "strip", "lstrip", "rstrip", "decode", "encode", "lower", "upper"})
_BUILTINS = frozenset({"len", "str", "int", "float", "bool", "bytes", "repr", "isinstance"})
_LOGGERS = frozenset({"log", "logger", "logging"})
_LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})


def refuse_unrepeatable(tree: Path, place: Place, call: cst.Call, inner: Sequence[Frame]) -> tuple[str, ...]:
    """Raises ``RefusedError`` unless everything of the project that the call runs is shown to be repeatable.

    Returns ``file:line`` of each function that was judged.
    """
    bodies = Bodies(tree)
    entered = [located for frame in inner if in_app(frame) for located in [_function_of(tree, frame)]]
    name = last_name(call.func) or ""
    first = inner[0] if inner else None
    is_library = first is not None and not in_app(first) and short_name(first) in {name, *CONSTRUCTING}
    if not is_library and not any(function.name.value in {name, *CONSTRUCTING} for _, function in entered):
        bodies.require_all(name)
    for code, function in entered:
        bodies.require(code, function)
    for node in place.code.nodes(call):
        if isinstance(node, cst.Attribute) and node is not call.func:
            bodies.require_property(node.attr.value)
    return bodies.judged


class Bodies:
    """Judges the bodies of a project's functions, each once."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._project = Project(tree)
        self._seen: dict[tuple[str, int, bool], None] = {}

    @property
    def judged(self) -> tuple[str, ...]:
        """``file:line`` of each function judged so far."""
        return tuple(dict.fromkeys(f"{path}:{line}" for path, line, _ in self._seen))

    def require(self, code: Code, function: cst.FunctionDef, *, on_connection: bool = False) -> None:
        """Raises ``RefusedError`` unless calling the function twice is as good as once.

        ``on_connection``: its arguments are connections that the caller has just opened.
        """
        key = (code.source.path, code.line(function), on_connection)
        if key in self._seen:
            return
        self._seen[key] = None
        for decorator in function.decorators:
            if dotted(decorator.decorator) not in _DECORATORS | _DECORATORS_OF_PROPERTIES:
                _refuse(code, decorator, "is decorated")
        opened = _opened(code, function)
        if on_connection:
            own = receiver_of(function) if code.class_around(function) is not None else None
            opened |= set(parameters(function)) - {own or ""}
        for node in code.nodes(function.body):
            self._judge(code, function, node, opened)

    def require_all(self, name: str) -> None:
        """The same for every function of that name outside the tests; a class of that name is refused."""
        for code, found in self._definitions(name):
            if isinstance(found, cst.ClassDef):
                _refuse(code, found, f"constructs a {name} of the project")
            else:
                self.require(code, found)

    def require_property(self, name: str) -> None:
        """The same for every property of that name."""
        for code, found in self._definitions(name):
            kinds = {dotted(each.decorator) for each in found.decorators}
            if isinstance(found, cst.FunctionDef) and kinds & _DECORATORS_OF_PROPERTIES:
                self.require(code, found)

    def _judge(self, code: Code, function: cst.FunctionDef, node: cst.CSTNode, opened: set[str]) -> None:
        if not isinstance(node, _ALLOWED):
            _refuse(code, node, f"holds a {type(node).__name__}")
        if isinstance(node, cst.Attribute | cst.Subscript) and code.is_store(node):
            _refuse(code, node, f"sets {code.module.code_for_node(node)}")
        if isinstance(node, cst.WithItem):
            entered = node.item.expression if isinstance(node.item, cst.Await) else node.item
            if not isinstance(entered, cst.Call):
                _refuse(code, node, f"enters {code.module.code_for_node(node.item)}")
        if isinstance(node, cst.Call):
            self._judge_call(code, function, node, opened)

    def _judge_call(self, code: Code, function: cst.FunctionDef, call: cst.Call, opened: set[str]) -> None:
        name = last_name(call.func) or ""
        definitions = list(self._definitions(name))
        if isinstance(code.parent(call), cst.Raise) and name[:1].isupper():
            if any(not _is_plain_error(found) for _, found in definitions):
                _refuse(code, call, f"constructs a {name} of the project")
            return
        on_connection = bool(call.args) and all(
            isinstance(each.value, cst.Name) and each.value.value in opened and not each.star for each in call.args
        )
        for where, found in definitions:
            if isinstance(found, cst.ClassDef):
                _refuse(code, call, f"constructs a {name} of the project")
            else:
                self.require(where, found, on_connection=on_connection)
        if not _calls_own(code, function, call) and not _is_harmless(code, call, opened):
            _refuse(code, call, f"calls {code.module.code_for_node(call.func)}")

    def _definitions(self, name: str) -> Iterator[tuple[Code, cst.FunctionDef | cst.ClassDef]]:
        if not name:
            return
        pattern = re.compile(rf"\b(?:def|class)\s+{re.escape(name)}\b")
        for source in mentioning(self._tree, name):
            if is_test(source.path) or not pattern.search(source.text):
                continue
            code = self._project.code(source.path)
            for node in code.nodes():
                if isinstance(node, cst.FunctionDef | cst.ClassDef) and node.name.value == name:
                    yield code, node


def _function_of(tree: Path, frame: Frame) -> tuple[Code, cst.FunctionDef]:
    place = locate(tree, frame)
    if place is None or place.function is None:
        raise RefusedError(f"what {frame.path}:{frame.line} does while connecting cannot be read, so it may not repeat")
    return place.code, place.function


def _refuse(code: Code, node: cst.CSTNode, does: str) -> None:
    raise RefusedError(
        f"connecting again would repeat more than connecting: {code.source.path}:{code.line(node)} {does}"
    )


def _opened(code: Code, function: cst.FunctionDef) -> set[str]:
    """The local names that hold nothing but what a connecting call returned."""
    opened: set[cst.CSTNode] = set()
    for node in code.nodes(function.body):
        targets: list[cst.CSTNode] = []
        if isinstance(node, cst.Assign) and _is_connecting(node.value):
            targets = [target.target for target in node.targets]
        elif isinstance(node, cst.WithItem) and node.asname is not None and _is_connecting(node.item):
            targets = [node.asname.name]
        opened.update(each for target in targets for each in code.nodes(target) if isinstance(each, cst.Name))
    stores = [each for each in code.nodes(function.body) if isinstance(each, cst.Name) and code.is_store(each)]
    others = {each.value for each in stores if each not in opened} | set(parameters(function))
    return {each.value for each in opened if isinstance(each, cst.Name)} - others


def _is_connecting(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Await):
        return _is_connecting(value.expression)
    if not isinstance(value, cst.Call):
        return False
    if dotted(value.func) in _WAITING and value.args:
        return _is_connecting(value.args[0].value)
    return connects(last_name(value.func) or "")


def _calls_own(code: Code, function: cst.FunctionDef, call: cst.Call) -> bool:
    """Whether the call is plainly to a function of the same module or a method of the same class."""
    if isinstance(call.func, cst.Name):
        own = [each for each in code.module.body if isinstance(each, cst.FunctionDef)]
        once = code.global_bindings(call.func.value) == 1 and call.func.value not in code.local_names(call)
        return once and any(each.name.value == call.func.value for each in own)
    owner = code.class_around(function)
    if owner is None or not isinstance(call.func, cst.Attribute) or dotted(call.func.value) != receiver_of(function):
        return False
    methods = [each.name.value for each in owner.body.body if isinstance(each, cst.FunctionDef)]
    return call.func.attr.value in methods


def _is_harmless(code: Code, call: cst.Call, opened: set[str]) -> bool:
    """Whether a call to something outside the project concerns only the new connection, a text or a log."""
    name, whole = last_name(call.func) or "", dotted(call.func)
    if isinstance(call.func, cst.Name):
        shadowed = name in code.global_names() | code.local_names(call)
        return connects(name) or whole in _WAITING or (name in _BUILTINS and not shadowed)
    if not isinstance(call.func, cst.Attribute):
        return False
    receiver = (last_name(call.func.value) or "").strip("_").lower()
    on_opened = isinstance(call.func.value, cst.Name) and call.func.value.value in opened
    logs = receiver in _LOGGERS and name in _LEVELS
    return connects(name) or whole in _WAITING or name in _TEXT or logs or (name in _USING and on_opened)


def _is_plain_error(found: cst.FunctionDef | cst.ClassDef) -> bool:
    return isinstance(found, cst.ClassDef) and not any(isinstance(each, cst.FunctionDef) for each in found.body.body)
