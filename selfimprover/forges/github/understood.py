"""What comes with status 200 and is still no answer to the question: a proxy's page, a changed API, another server."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from selfimprover.errors import ForgeError

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

_MEND = "try again later; check github.api_url, and whether a proxy is between us"


def understood(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Lets a method of a forge raise ``ForgeError`` where an answer lacks what it must have."""

    @wraps(method)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(self, *args, **kwargs)
        except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
            what = f"GitHub's answer is not what it documents ({type(error).__name__} in {method.__name__})"
            raise ForgeError(what, where="GitHub", mend=_MEND) from error

    return call
