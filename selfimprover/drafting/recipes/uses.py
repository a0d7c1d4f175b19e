"""Whether a use of a name fits what the name would mean: called or not, awaited or not, with these arguments."""

import inspect
from collections.abc import Callable

import libcst as cst

from selfimprover.drafting.recipes.syntax import Code
from selfimprover.errors import RefusedError

_ANY = object()
_NONE = (
    "capitalize clear conjugate copy isalnum isalpha isascii isdigit islower isspace istitle isupper items keys lower"
)
_ONE = "add discard format_map isdisjoint issubset issuperset remove symmetric_difference symmetric_difference_update"
_UNTOLD = {
    **dict.fromkeys([*_NONE.split(), "swapcase", "title", "upper", "values"], range(1)),
    **dict.fromkeys(_ONE.split(), range(1, 2)),
    **dict.fromkeys(["count", "endswith", "find", "index", "rfind", "rindex", "startswith"], range(1, 4)),
}
"""How many arguments methods of built-in types take, all by position, of which Python itself tells no parameters."""


def call_of(code: Code, node: cst.CSTNode) -> cst.Call | None:
    """The call of which the node is what is called."""
    up = code.parent(node)
    return up if isinstance(up, cst.Call) and up.func is node else None


def is_awaited(code: Code, node: cst.CSTNode) -> bool:
    """Whether the node is awaited where it stands."""
    return isinstance(code.parent(node), cst.Await)


def refuse_misfit_function(
    code: Code, use: cst.CSTNode, function: cst.FunctionDef, defined: Code, *, bound: bool
) -> None:
    """Raises ``RefusedError`` unless the use calls the function as it must be called.

    ``bound`` says that the function is given its receiver.
    """
    name = function.name.value
    call = call_of(code, use)
    if call is None:
        raise RefusedError(f"{name} is a function, but is not called at line {code.line(use)}")
    if function.decorators and {_text(defined, each.decorator) for each in function.decorators} - {
        "staticmethod",
        "classmethod",
    }:
        raise RefusedError(f"{name} is decorated, so how it must be called cannot be shown")
    makes_generator = any(isinstance(node, cst.Yield) for node in defined.nodes(function.body))
    if not makes_generator and (function.asynchronous is not None) != is_awaited(code, call):
        raise RefusedError(f"{name} and its call at line {code.line(use)} do not agree on whether it is awaited")
    if makes_generator and is_awaited(code, call):
        raise RefusedError(f"{name} is a generator, but is awaited at line {code.line(use)}")
    if not accepts(signature(function, bound=bound), call):
        raise RefusedError(f"{name} does not take the arguments that it is given at line {code.line(use)}")


def refuse_misfit_value(code: Code, use: cst.CSTNode, name: str) -> None:
    """Raises ``RefusedError`` if what is a plain value would be called, awaited or assigned to."""
    if call_of(code, use) is not None or is_awaited(code, use):
        raise RefusedError(f"{name} is a value, but is called at line {code.line(use)}")


def refuse_misfit_object(code: Code, use: cst.CSTNode, name: str, value: object, *, bound: bool = False) -> None:
    """The same for a thing of the standard library, by its kind and, where Python tells them, its parameters."""
    call = call_of(code, use)
    if not callable(value):
        refuse_misfit_value(code, use, name)
        return
    if call is None:
        if not isinstance(value, type):
            raise RefusedError(f"{name} is a function, but is not called at line {code.line(use)}")
        return
    waits = str(getattr(value, "__module__", "")).startswith("asyncio")  # some return what may be awaited, or not
    if inspect.iscoroutinefunction(value) != is_awaited(code, call) and not (waits and is_awaited(code, call)):
        raise RefusedError(f"{name} and its call at line {code.line(use)} do not agree on whether it is awaited")
    known = _signature_of(value)
    if known is None:
        plain = not any(argument.star or argument.keyword for argument in call.args)
        fits = not bound or name not in _UNTOLD or (plain and len(call.args) in _UNTOLD[name])
    else:
        fits = accepts(_without_receiver(known) if bound else known, call)
    if not fits:
        raise RefusedError(f"{name} does not take the arguments that it is given at line {code.line(use)}")


def signature(function: cst.FunctionDef, *, bound: bool) -> inspect.Signature:
    """The parameters of a function of the project, without its receiver if it is given one."""
    params, kinds = function.params, inspect.Parameter
    found = [_parameter(each, kinds.POSITIONAL_ONLY) for each in params.posonly_params]
    found += [_parameter(each, kinds.POSITIONAL_OR_KEYWORD) for each in params.params]
    if isinstance(params.star_arg, cst.Param):
        found.append(_parameter(params.star_arg, kinds.VAR_POSITIONAL))
    found += [_parameter(each, kinds.KEYWORD_ONLY) for each in params.kwonly_params]
    if params.star_kwarg is not None:
        found.append(_parameter(params.star_kwarg, kinds.VAR_KEYWORD))
    known = inspect.Signature(found)
    return _without_receiver(known) if bound else known


def accepts(known: inspect.Signature, call: cst.Call) -> bool:
    """Whether the call's arguments bind; those behind ``*`` and ``**`` cannot be counted, so they never do."""
    keywords = [argument.keyword.value for argument in call.args if argument.keyword is not None]
    if any(argument.star for argument in call.args) or len(set(keywords)) != len(keywords):
        return False
    positional = [_ANY for argument in call.args if argument.keyword is None]
    named = dict.fromkeys(keywords, _ANY)
    try:
        known.bind(*positional, **named)
    except TypeError:
        return False
    return True


def _parameter(param: cst.Param, kind: inspect._ParameterKind) -> inspect.Parameter:
    default = inspect.Parameter.empty if param.default is None else _ANY
    return inspect.Parameter(param.name.value, kind, default=default)


def _without_receiver(known: inspect.Signature) -> inspect.Signature:
    first = next(iter(known.parameters.values()), None)
    if first is None or first.kind is inspect.Parameter.VAR_POSITIONAL:
        return known
    return known.replace(parameters=list(known.parameters.values())[1:])


def _signature_of(value: Callable[..., object]) -> inspect.Signature | None:
    try:
        return inspect.signature(value)
    except (TypeError, ValueError):  # written in C without telling its parameters
        return None


def _text(code: Code, node: cst.CSTNode) -> str:
    return code.module.code_for_node(node)
