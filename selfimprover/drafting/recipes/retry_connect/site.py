"""Finds the one call that may be tried again, and refuses every call that cannot be moved into a loop unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import libcst as cst

from selfimprover.drafting.recipes.retry_connect.arguments import local_names, refuse_side_effects
from selfimprover.drafting.recipes.retry_connect.openers import RETRY, RETRY_OPTION, connects
from selfimprover.drafting.recipes.retry_connect.repeatable import refuse_unrepeatable
from selfimprover.drafting.recipes.retry_connect.stack import refuse_event_loop, refuse_other_failure, refuse_retrying
from selfimprover.drafting.recipes.syntax import Code, Place, dotted, last_name, locate
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame, in_app

_IMPLICIT_CLASS_METHODS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
_CLASS_RECEIVERS = frozenset({"cls", "klass", "class_", "mcs", "mcls", "metacls"})
_COMPREHENSIONS = (cst.BaseComp, cst.Lambda)


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
    judged: tuple[str, ...] = ()
    """``file:line`` of each function of the project that connecting runs and that was shown to be repeatable."""

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


def find_site(tree: Path, stacks: Sequence[Sequence[Frame]]) -> Site:
    """The innermost call that connects, the same on every stack; raises ``RefusedError`` if it may not be repeated."""
    sites = [_find_on(tree, stack) for stack in dict.fromkeys(tuple(stack) for stack in stacks)]
    places = list(dict.fromkeys(f"{site.code.source.path}:{site.code.line(site.call)}" for site in sites))
    if len(places) != 1 or len({site.code.span(site.call).start.column for site in sites}) != 1:
        raise RefusedError(f"the samples lead to different calls: {', '.join(places)}")
    return replace(sites[0], judged=tuple(dict.fromkeys(each for site in sites for each in site.judged)))


def _find_on(tree: Path, frames: Sequence[Frame]) -> Site:
    refuse_retrying(tree, frames)
    for depth in range(len(frames) - 1, -1, -1):
        place = locate(tree, frames[depth]) if in_app(frames[depth]) else None
        calls = _connecting_calls(place) if place else []
        if place is None or not calls:
            continue
        if len(calls) > 1:
            raise RefusedError(f"{place} holds several calls that connect, and which one failed cannot be told")
        inner = frames[depth + 1 :]
        site = _site(place, calls[0])
        refuse_other_failure(place, (site.call, site.whole), inner)
        if not site.is_async:
            refuse_event_loop(tree, place, frames[:depth])
        return replace(site, judged=refuse_unrepeatable(tree, place, site.call, inner))
    raise RefusedError("no line of the project on the failing stack holds a call that connects")


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
    refuse_side_effects(place, call, whole)
    names = local_names(place, whole)
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


def _refuse_retried(place: Place, function: cst.FunctionDef, call: cst.Call) -> None:
    code = place.code
    if RETRY.search(last_name(call.func) or ""):
        raise RefusedError(f"{place} calls {last_name(call.func)}, which already retries")
    for argument in call.args:
        if argument.keyword is not None and RETRY_OPTION.search(argument.keyword.value):
            raise RefusedError(f"the call at {place} already retries: it is given {argument.keyword.value}")
    for up in [function, *code.ancestors(function)]:
        if isinstance(up, cst.FunctionDef | cst.ClassDef):
            for decorator in up.decorators:
                if RETRY.search(code.module.code_for_node(decorator)):
                    raise RefusedError(f"{place} is already retried: {up.name.value} carries a decorator that does so")


def _receiver(place: Place, function: cst.FunctionDef) -> str:
    name = function.name.value
    receiver = _first_parameter(function)
    if receiver is None or "staticmethod" in _decorators(function) or name in _IMPLICIT_CLASS_METHODS:
        raise RefusedError(f"{name} at {place} is a method without an ordinary receiver")
    if receiver in _CLASS_RECEIVERS and "classmethod" not in _decorators(function):
        raise RefusedError(f"{name} at {place} is given the class as {receiver}, but is no plain class method")
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
