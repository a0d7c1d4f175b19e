"""What the failing stack tells: which call failed, whether it is retried already, and whether it may wait."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import libcst as cst

from selfimprover.drafting.recipes.retry_connect.openers import CONSTRUCTING, RETRY
from selfimprover.drafting.recipes.syntax import Place, last_name, locate
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame, in_app

_RETRY_LIBRARIES = frozenset({"tenacity", "stamina", "backoff", "retrying"})
_LOOPS = (cst.For, cst.While)
_TRIES = (cst.Try, cst.TryStar)
_PART_OF_THE_CALL = CONSTRUCTING | {"__await__"}
_ENTERING = frozenset({"__enter__", "__aenter__"})


def short_name(frame: Frame) -> str:
    """The name of the function a frame ran in, without its class."""
    return frame.function.rpartition(".")[2]


def refuse_retrying(tree: Path, frames: Sequence[Frame]) -> None:
    """Raises ``RefusedError`` if a frame names a retry, or stands in a loop that handles errors."""
    for frame in frames:
        if _RETRY_LIBRARIES & set(PurePosixPath(frame.path.replace("\\", "/")).parts):
            raise RefusedError(f"the failing call is already retried: {frame.path}:{frame.line} is on the stack")
        if RETRY.search(frame.function):
            raise RefusedError(f"the failing call is already retried by {frame.function} ({frame.path}:{frame.line})")
    for frame in frames:
        place = locate(tree, frame) if in_app(frame) else None
        if place is not None and _is_in_handling_loop(place):
            raise RefusedError(f"{place} is already inside a loop that handles errors")


def refuse_other_failure(place: Place, calls: Sequence[cst.Call], inner: Sequence[Frame]) -> None:
    """Raises ``RefusedError`` unless it was the connecting call that failed: ``calls``, the inner one first."""
    code = place.code
    entered = short_name(inner[0]) if inner else ""
    if entered in _ENTERING:
        raise RefusedError(f"the call at {place} returned; entering its context failed, which cannot be retried")
    if entered.startswith("__") and entered.endswith("__") and entered not in _PART_OF_THE_CALL:
        raise RefusedError(f"{place} failed in {entered}, not in the call that connects")
    whole = calls[-1]
    up = code.parent(whole)
    expression = up if isinstance(up, cst.Await) else whole
    used_by = code.parent(expression)
    if isinstance(used_by, cst.For | cst.CompFor):
        raise RefusedError(f"{place} loops over what connects, and whether calling or looping failed cannot be told")
    if entered in {*(last_name(call.func) for call in calls), *CONSTRUCTING}:
        return
    own = {id(call) for call in calls}
    others = (node for node in code.nodes(place.function) if isinstance(node, cst.Call) and id(node) not in own)
    if any(code.runs_on(node, place.line) for node in others):
        raise RefusedError(f"{place} makes other calls too, and which one failed cannot be told")
    if isinstance(used_by, cst.WithItem) or (isinstance(used_by, cst.Attribute) and inner):
        raise RefusedError(f"{place} does more with what connects, and which part failed cannot be told")


def refuse_event_loop(tree: Path, place: Place, outer: Sequence[Frame]) -> None:
    """A blocking helper may not be called from a coroutine, however many plain functions stand between."""
    for frame in reversed(outer):
        path = frame.path.replace("\\", "/")
        if path.endswith(("concurrent/futures/thread.py", "/threading.py")):
            return
        caller = locate(tree, frame) if in_app(frame) else None
        runs_in_loop = caller is not None and caller.function is not None and caller.function.asynchronous is not None
        if runs_in_loop or path.endswith("asyncio/events.py"):
            shown = f"{caller}" if caller else f"{frame.path}:{frame.line}"
            raise RefusedError(f"{shown} reaches {place} from the event loop, which waiting there would stop")


def _is_in_handling_loop(place: Place) -> bool:
    """Whether something that runs on the line stands in a loop and in a ``try`` of the same function."""
    code, root = place.code, place.function or place.code.module
    for node in code.nodes(root):
        if isinstance(node, cst.BaseExpression) and code.runs_on(node, place.line):
            around = list(code.ancestors(node))
            around = around[: around.index(root)] if root in around else []
            handles = any(isinstance(up, _TRIES) and up.handlers for up in around)
            if handles and any(isinstance(up, _LOOPS) for up in around):
                return True
    return False
