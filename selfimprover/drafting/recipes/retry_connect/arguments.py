"""Whether every part of the call means the same when it is evaluated again, and which local names it reads."""

from collections.abc import Iterator

import libcst as cst

from selfimprover.drafting.recipes.syntax import Code, Place, last_name
from selfimprover.errors import RefusedError

SPACE = (cst.BaseParenthesizableWhitespace, cst.EmptyLine, cst.TrailingWhitespace, cst.Newline, cst.Comment)
PURE = (
    *(cst.Name, cst.Attribute, cst.Dot, cst.Arg, cst.Comma, cst.AssignEqual, cst.Subscript, cst.SubscriptElement),
    *(cst.Index, cst.Slice, cst.Colon, cst.LeftSquareBracket, cst.RightSquareBracket, cst.LeftParen, cst.RightParen),
    *(cst.LeftCurlyBrace, cst.RightCurlyBrace, cst.BaseNumber, cst.BaseString, cst.BaseFormattedStringContent),
    *(cst.Tuple, cst.List, cst.Dict, cst.Element, cst.StarredElement, cst.DictElement, cst.StarredDictElement),
    *(cst.UnaryOperation, cst.BaseUnaryOp, cst.BinaryOperation, cst.BaseBinaryOp, cst.BooleanOperation),
    *(cst.BaseBooleanOp, cst.Comparison, cst.ComparisonTarget, cst.BaseCompOp, cst.IfExp, *SPACE),
)
"""The expressions, with the space around them, that only read."""
_SHORT_CIRCUITS = (cst.IfExp, cst.BooleanOperation, cst.Comparison)
_USED_UP = frozenset({"iter", "map", "zip", "filter", "enumerate", "reversed", "open"})


def refuse_side_effects(place: Place, call: cst.Call, whole: cst.Call) -> None:
    """Raises ``RefusedError`` if evaluating the call again could do more, or other things, than the first time."""
    for node in place.code.nodes(whole):
        if node is not call and node is not whole and not isinstance(node, PURE):
            kind = type(node).__name__
            raise RefusedError(f"evaluating the call at {place} again could have side effects: it contains a {kind}")
    receiver = call.func.value if isinstance(call.func, cst.Attribute) else None
    keywords = {argument.keyword.value for argument in call.args if argument.keyword is not None}
    if "sock" in keywords or _is_a_socket(receiver):
        raise RefusedError(f"the call at {place} uses a socket, and one that failed to connect cannot be used again")
    stars = [argument for argument in [*call.args, *whole.args] if argument.star == "*"]
    if any(not _is_star_parameter(place.function, argument.value) for argument in stars):
        raise RefusedError(f"the call at {place} unpacks arguments that may be used up by the first try")
    names = set(local_names(place, whole))
    for name in sorted(names & _used_up_names(place)):
        raise RefusedError(f"the call at {place} reads {name}, which may be used up by the first try")
    _refuse_eager(place, whole, names)


def local_names(place: Place, whole: cst.Call) -> tuple[str, ...]:
    """The names of the enclosing function that the expression reads, in order."""
    code = place.code
    known = code.local_names(whole)
    names: dict[str, None] = {}
    for node in code.nodes(whole):
        if isinstance(node, cst.Name) and node.value in known and not is_label(code, node):
            names[node.value] = None
    return tuple(names)


def is_label(code: Code, node: cst.Name) -> bool:
    """Whether a name names an attribute or a keyword argument."""
    up = code.parent(node)
    return (isinstance(up, cst.Attribute) and up.attr is node) or (isinstance(up, cst.Arg) and up.keyword is node)


def parameters(function: cst.FunctionDef) -> Iterator[str]:
    """The names of all parameters, those with stars included."""
    params = function.params
    for each in [*params.posonly_params, *params.params, params.star_arg, *params.kwonly_params, params.star_kwarg]:
        if isinstance(each, cst.Param):
            yield each.name.value


def _refuse_eager(place: Place, whole: cst.Call, names: set[str]) -> None:
    """A name that is read only under a condition may be unbound, and handing it to the helper reads it always."""
    code, function = place.code, place.function
    if function is None:
        return
    stored = {node.value for node in code.nodes(function.body) if isinstance(node, cst.Name) and code.is_store(node)}
    caught = set(_error_names(code, function))
    bound = set(parameters(function)) - stored - caught
    for node in code.nodes(whole):
        if isinstance(node, _SHORT_CIRCUITS):
            read = {each.value for each in code.nodes(node) if isinstance(each, cst.Name) and not is_label(code, each)}
            for name in sorted(read & names - bound):
                raise RefusedError(f"the call at {place} reads {name} only under a condition")


def _error_names(code: Code, function: cst.FunctionDef) -> Iterator[str]:
    """The names that ``except … as name`` binds, which are unbound again behind it."""
    for node in code.nodes(function.body):
        if isinstance(node, cst.ExceptHandler | cst.ExceptStarHandler) and node.name is not None:
            yield last_name(node.name.name) or ""


def _is_star_parameter(function: cst.FunctionDef | None, value: cst.BaseExpression) -> bool:
    star = function.params.star_arg if function else None
    return isinstance(star, cst.Param) and isinstance(value, cst.Name) and star.name.value == value.value


def _used_up_names(place: Place) -> set[str]:
    """The local names that are given an iterator or a file somewhere in the function."""
    return {
        target.target.value
        for node in place.code.nodes(place.function)
        if isinstance(node, cst.Assign) and _is_used_up(node.value)
        for target in node.targets
        if isinstance(target.target, cst.Name)
    }


def _is_used_up(value: cst.BaseExpression) -> bool:
    called = last_name(value.func) if isinstance(value, cst.Call) else None
    return isinstance(value, cst.GeneratorExp) or called in _USED_UP


def _is_a_socket(receiver: cst.BaseExpression | None) -> bool:
    """Whether the call is made on a socket, by its name; on the module ``socket`` it makes a new one."""
    name = (last_name(receiver) or "").lower() if receiver is not None else ""
    return "sock" in name and name != "socket"
