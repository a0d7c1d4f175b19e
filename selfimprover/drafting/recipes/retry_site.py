"""Finds the one call that may be tried again, and refuses every call that cannot be moved into a loop unchanged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import libcst as cst

from selfimprover.drafting.recipes.syntax import Code, Place, dotted, last_name, locate
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame, in_app

_OPENERS = frozenset(
    {"open_connection", "create_connection", "open_unix_connection", "IMAP4", "IMAP4_SSL", "SMTP", "SMTP_SSL"}
    | {"POP3", "POP3_SSL", "FTP", "FTP_TLS"}
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CONNECT_WORDS = frozenset({"connect", "reconnect"})
_MAKING_WORDS = frozenset({"open", "create", "make", "new", "establish"})
_CONSTRUCTING = frozenset({"__init__", "__new__", "__call__"})
_OTHER_WORDS = frozenset(
    {
        "on",
        "is",
        "has",
        "was",
        "and",
        "callback",
        "handler",
        "hook",
        "event",
        "lost",
        "made",
        "close",
        "release",
        "sock",
    }
    | {"disconnect", "count", "check", "test", "get", "set", "list", "log", "socket"}
)
_RETRY = re.compile(r"retry|retries|backoff|back_off|tenacity|stamina", re.IGNORECASE)
_RETRY_LIBRARIES = frozenset({"tenacity", "stamina", "backoff", "retrying"})
_IMPLICIT_CLASS_METHODS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
_COMPREHENSIONS = (cst.BaseComp, cst.Lambda)
_LOOPS = (cst.For, cst.While)
_TRIES = (cst.Try, cst.TryStar)
_REPEATABLE = (
    *(cst.Name, cst.Attribute, cst.Dot, cst.Arg, cst.Comma, cst.AssignEqual, cst.Subscript, cst.SubscriptElement),
    *(cst.Index, cst.Slice, cst.Colon, cst.LeftSquareBracket, cst.RightSquareBracket, cst.LeftParen, cst.RightParen),
    *(cst.LeftCurlyBrace, cst.RightCurlyBrace, cst.BaseNumber, cst.BaseString, cst.BaseFormattedStringContent),
    *(cst.Tuple, cst.List, cst.Dict, cst.Element, cst.StarredElement, cst.DictElement, cst.StarredDictElement),
    *(cst.UnaryOperation, cst.BaseUnaryOp, cst.BinaryOperation, cst.BaseBinaryOp, cst.BooleanOperation),
    *(cst.BaseBooleanOp, cst.Comparison, cst.ComparisonTarget, cst.BaseCompOp, cst.IfExp),
    *(cst.BaseParenthesizableWhitespace, cst.EmptyLine, cst.TrailingWhitespace, cst.Newline, cst.Comment),
)


@dataclass(frozen=True)
class Site:
    """A call that opens a connection and may be tried again."""

    place: Place
    function: cst.FunctionDef
    owner: cst.ClassDef | None
    """The class whose method the function is."""
    call: cst.Call
    """The call that connects."""
    whole: cst.Call
    """The same, or the ``wait_for`` around it."""
    expression: cst.Await | cst.Call
    """What is repeated: ``whole``, awaited in an async function."""
    locals: tuple[str, ...]
    """The names of the function that the expression reads, in order, without the receiver."""

    @property
    def code(self) -> Code:
        """The file."""
        return self.place.code

    @property
    def callee(self) -> str:
        """The last name of what is called."""
        return last_name(self.call.func) or ""

    @property
    def helper(self) -> str:
        """The name of the function that tries again."""
        return f"_{self.callee.strip('_').lower() if self.callee.isupper() else self.callee.strip('_')}_with_retry"

    @property
    def is_async(self) -> bool:
        """Whether the connection is awaited."""
        return isinstance(self.expression, cst.Await)

    @property
    def receiver(self) -> str | None:
        """``self`` or ``cls``, as the method calls it."""
        return None if self.owner is None else _first_parameter(self.function)

    @property
    def is_class_method(self) -> bool:
        """Whether the receiver is the class."""
        return "classmethod" in _decorators(self.function)


def find_site(tree: Path, frames: Sequence[Frame]) -> Site:
    """The innermost call on the stack that connects; raises ``RefusedError`` if it may not be tried again."""
    _refuse_frames_that_retry(frames)
    for depth in range(len(frames) - 1, -1, -1):
        place = locate(tree, frames[depth]) if in_app(frames[depth]) else None
        calls = _connecting_calls(place) if place else []
        if place is None or not calls:
            continue
        if len(calls) > 1:
            raise RefusedError(f"{place} holds several calls that connect, and which one failed cannot be told")
        _refuse_entering(place, frames[depth + 1 :])
        site = _site(place, calls[0])
        _refuse_other_calls(site, frames[depth + 1 :])
        if not site.is_async:
            _refuse_event_loop(tree, site, frames[:depth])
        return site
    raise RefusedError("no line of the project on the failing stack holds a call that connects")


def connects(name: str) -> bool:
    """Whether a function of this name opens a connection, as far as a name can tell."""
    if name in _OPENERS:
        return True
    words = {word.lower() for word in _WORDS.findall(name)}
    makes = "connection" in words and bool(words & _MAKING_WORDS)
    return (makes or bool(words & _CONNECT_WORDS)) and not words & _OTHER_WORDS


def _connecting_calls(place: Place) -> list[cst.Call]:
    code = place.code
    return [
        node
        for node in code.nodes(place.function)
        if isinstance(node, cst.Call) and connects(last_name(node.func) or "") and code.runs_on(node, place.line)
    ]


def _site(place: Place, call: cst.Call) -> Site:
    function = _plain_function(place, call)
    whole = _with_wait_for(place.code, call)
    expression = _expression(place, function, whole)
    owner = place.code.class_around(function)
    _refuse_retried(place, function, call)
    _refuse_side_effects(place, call, whole)
    names = _local_names(place, whole)
    if owner is not None:
        receiver = _receiver(place, function)
        names = tuple(name for name in names if name != receiver)
    return Site(place, function, owner, call, whole, expression, names)


def _plain_function(place: Place, call: cst.Call) -> cst.FunctionDef:
    """The function whose body holds the call, with nothing between that runs at another time."""
    code, function = place.code, place.function
    if function is None:
        raise RefusedError(f"the call at {place} is not in a function or method")
    between = list(code.ancestors(call))
    if function.body not in between or any(
        isinstance(up, (*_COMPREHENSIONS, cst.FunctionDef, cst.ClassDef)) for up in between[: between.index(function)]
    ):
        raise RefusedError(f"the call at {place} is in a lambda, comprehension or inner function")
    if code.function_around(function) is not None and code.class_around(function) is None:
        raise RefusedError(f"the call at {place} is in {function.name.value}, a function inside a function")
    return function


def _with_wait_for(code: Code, call: cst.Call) -> cst.Call:
    """``wait_for(call, …)`` if the call is what is waited for, else the call."""
    argument = code.parent(call)
    around = code.parent(argument)
    if isinstance(argument, cst.Arg) and isinstance(around, cst.Call) and last_name(around.func) == "wait_for":
        return around
    return call


def _expression(place: Place, function: cst.FunctionDef, whole: cst.Call) -> cst.Await | cst.Call:
    up = place.code.parent(whole)
    if isinstance(up, cst.Await):
        return up
    if isinstance(up, cst.Arg):
        raise RefusedError(f"what connects at {place} is handed to another call, which may be where it fails")
    if isinstance(up, cst.WithItem) and _is_async_with(place.code, up):
        raise RefusedError(f"`async with` at {place} connects when it is entered, not where the call stands")
    if function.asynchronous is not None:
        raise RefusedError(f"the call at {place} blocks inside `async def`: waiting there would stop the event loop")
    if last_name(whole.func) == "wait_for":
        raise RefusedError(f"`wait_for` at {place} is not awaited where it stands")
    return whole


def _is_async_with(code: Code, item: cst.WithItem) -> bool:
    statement = code.parent(item)
    return isinstance(statement, cst.With) and statement.asynchronous is not None


def _refuse_frames_that_retry(frames: Sequence[Frame]) -> None:
    for frame in frames:
        if _RETRY_LIBRARIES & set(PurePosixPath(frame.path.replace("\\", "/")).parts):
            raise RefusedError(f"the failing call is already retried: {frame.path}:{frame.line} is on the stack")
        if _RETRY.search(frame.function):
            raise RefusedError(f"the failing call is already retried by {frame.function} ({frame.path}:{frame.line})")


def _refuse_entering(place: Place, inner: Sequence[Frame]) -> None:
    if inner and inner[0].function.rpartition(".")[2] in {"__enter__", "__aenter__"}:
        raise RefusedError(f"the call at {place} returned; entering its context failed, which cannot be retried")


def _refuse_other_calls(site: Site, inner: Sequence[Frame]) -> None:
    """Where the statement calls something else too, the next frame must say that it was the connecting call."""
    own = {id(site.call), id(site.whole)}
    called = [node for node in site.code.nodes(site.function) if isinstance(node, cst.Call) and id(node) not in own]
    if not any(site.code.runs_on(node, site.place.line) for node in called):
        return
    entered = inner[0].function.rpartition(".")[2] if inner else ""
    if entered not in {site.callee, last_name(site.whole.func), *_CONSTRUCTING}:
        raise RefusedError(f"{site.place} makes other calls too, and which one failed cannot be told")


def _refuse_event_loop(tree: Path, site: Site, outer: Sequence[Frame]) -> None:
    """A blocking helper may not be called from a coroutine, however many plain functions stand between."""
    for frame in reversed(outer):
        path = frame.path.replace("\\", "/")
        if path.endswith(("concurrent/futures/thread.py", "/threading.py")):
            return
        place = locate(tree, frame) if in_app(frame) else None
        runs_in_loop = place is not None and place.function is not None and place.function.asynchronous is not None
        if runs_in_loop or path.endswith("asyncio/events.py"):
            caller = f"{place}" if place else f"{frame.path}:{frame.line}"
            raise RefusedError(f"{caller} reaches {site.place} from the event loop, which waiting there would stop")


def _refuse_retried(place: Place, function: cst.FunctionDef, call: cst.Call) -> None:
    code = place.code
    if _RETRY.search(last_name(call.func) or ""):
        raise RefusedError(f"{place} calls {last_name(call.func)}, which already retries")
    for up in [function, *code.ancestors(function)]:
        if isinstance(up, cst.FunctionDef | cst.ClassDef):
            for decorator in up.decorators:
                if _RETRY.search(code.module.code_for_node(decorator)):
                    raise RefusedError(f"{place} is already retried: {up.name.value} carries a decorator that does so")
    inside = list(code.ancestors(call))
    inside = inside[: inside.index(function)]
    handles = any(isinstance(up, _TRIES) and up.handlers for up in inside)
    if handles and any(isinstance(up, _LOOPS) for up in inside):
        raise RefusedError(f"{place} is already inside a loop that handles errors")


def _refuse_side_effects(place: Place, call: cst.Call, whole: cst.Call) -> None:
    """Every part of the expression must mean the same when it is evaluated again."""
    for node in place.code.nodes(whole):
        if node is not call and node is not whole and not isinstance(node, _REPEATABLE):
            kind = type(node).__name__
            raise RefusedError(f"evaluating the call at {place} again could have side effects: it contains a {kind}")
    receiver = call.func.value if isinstance(call.func, cst.Attribute) else None
    keywords = {argument.keyword.value for argument in call.args if argument.keyword is not None}
    if "sock" in keywords or (receiver is not None and "sock" in (last_name(receiver) or "").lower()):
        raise RefusedError(f"the call at {place} uses a socket, and one that failed to connect cannot be used again")
    stars = [argument for argument in [*call.args, *whole.args] if argument.star == "*"]
    if any(not _is_star_parameter(place.function, argument.value) for argument in stars):
        raise RefusedError(f"the call at {place} unpacks arguments that may be used up by the first try")


def _is_star_parameter(function: cst.FunctionDef | None, value: cst.BaseExpression) -> bool:
    star = function.params.star_arg if function else None
    return isinstance(star, cst.Param) and isinstance(value, cst.Name) and star.name.value == value.value


def _local_names(place: Place, whole: cst.Call) -> tuple[str, ...]:
    """The names of the enclosing function that the expression reads, in order."""
    code = place.code
    known = code.local_names(whole)
    names: dict[str, None] = {}
    for node in code.nodes(whole):
        if isinstance(node, cst.Name) and node.value in known and not _is_label(code, node):
            names[node.value] = None
    return tuple(names)


def _is_label(code: Code, node: cst.Name) -> bool:
    """Whether a name names an attribute or a keyword argument."""
    up = code.parent(node)
    return (isinstance(up, cst.Attribute) and up.attr is node) or (isinstance(up, cst.Arg) and up.keyword is node)


def _receiver(place: Place, function: cst.FunctionDef) -> str:
    name = function.name.value
    receiver = _first_parameter(function)
    if receiver is None or "staticmethod" in _decorators(function) or name in _IMPLICIT_CLASS_METHODS:
        raise RefusedError(f"{name} at {place} is a method without an ordinary receiver")
    code = place.code
    if any(
        isinstance(node, cst.Name) and node.value == receiver and code.is_store(node) for node in _body(code, function)
    ):
        raise RefusedError(f"{name} at {place} assigns to {receiver}")
    return receiver


def _body(code: Code, function: cst.FunctionDef) -> list[cst.CSTNode]:
    return list(code.nodes(function.body))


def _first_parameter(function: cst.FunctionDef) -> str | None:
    first = next(iter([*function.params.posonly_params, *function.params.params]), None)
    return None if first is None else first.name.value


def _decorators(function: cst.FunctionDef) -> set[str]:
    return {dotted(decorator.decorator) or "" for decorator in function.decorators}
