"""Python's own parser, one thread at a time.

CPython 3.11 counts the depth of its tree for the whole interpreter, so two threads that parse at once may fail with
"AST constructor recursion depth mismatch": https://github.com/python/cpython/issues/106905
"""

import ast
import threading
from types import CodeType
from typing import Literal

_ONE_AT_A_TIME = threading.Lock()


def parse(text: str, filename: str = "<unknown>", mode: Literal["exec", "eval"] = "exec") -> ast.Module:
    """What ``ast.parse`` gives; raises what it raises."""
    with _ONE_AT_A_TIME:
        return ast.parse(text, filename=filename, mode=mode)  # type: ignore[return-value]


def compiled(text: str, filename: str) -> CodeType:
    """The code of a module; raises what ``ast.parse`` and ``compile`` raise. Nothing is run."""
    with _ONE_AT_A_TIME:
        return compile(ast.parse(text, filename=filename), filename, "exec", dont_inherit=True)
