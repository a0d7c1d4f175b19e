"""Names of the standard library on which every Python since 3.10 agrees, whatever version runs this or the project.

``standard_names.txt`` has a line for each module, and one (``type …``) for each built-in type with its methods. A name
with ``~`` exists in some versions or on some systems only, or is not documented: it is known, but proves nothing.
"""

import builtins
import importlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from selfimprover.errors import RefusedError

_YOUNG_BUILTINS = frozenset(
    {"aiter", "anext", "BaseExceptionGroup", "EncodingWarning", "ExceptionGroup", "PythonFinalizationError"}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_known_module(name: str) -> bool:
    """Whether the table has the module."""
    return name in _table()


def known_modules() -> frozenset[str]:
    """Every module of the table."""
    return frozenset(name for name in _table() if not name.startswith("type "))


def names_of(module: str) -> frozenset[str]:
    """The names that the module (or ``type str``) has for certain; empty for one that the table lacks."""
    return frozenset(name for name in _table().get(module, ()) if not name.startswith("~"))


def all_names(module: str) -> frozenset[str]:
    """The names that the module has in some version of Python at least."""
    return frozenset(name.removeprefix("~") for name in _table().get(module, ()))


def is_uncertain(module: str, name: str) -> bool:
    """Whether the name exists there in some versions of Python, or on some systems, only."""
    return f"~{name}" in _table().get(module, ())


def builtin_names() -> frozenset[str]:
    """The built-in functions, types and exceptions."""
    return frozenset(name for name in dir(builtins) if name[0] != "_") - _YOUNG_BUILTINS


def value_of(module: str, name: str) -> object:
    """What a certain name of the table is in the running Python: asked for its kind and parameters only."""
    if module.startswith("type "):
        return getattr(getattr(builtins, module.removeprefix("type ")), name)
    return getattr(importlib.import_module(module), name)


def refuse_shadowed(paths: Iterable[str], module: str) -> None:
    """Raises ``RefusedError`` if a file of the project may stand in for the module of the standard library."""
    head = module.partition(".")[0]
    for path in paths:
        if re.search(rf"(?:^|/){re.escape(head)}(?:\.py|/__init__\.py)$", path):
            raise RefusedError(f"{path} may stand in for the module {head} of the standard library")


def refuse_uncertain_name(module: str, wrong: str) -> None:
    """Raises ``RefusedError`` if the name is right in some versions of Python, or the module is not in the table."""
    if not is_known_module(module):
        raise RefusedError(f"{module} is neither in the project nor known of the standard library")
    if is_uncertain(module, wrong) or wrong in names_of(module):
        raise RefusedError(f"{module} has {wrong} in some versions of Python, or on some systems")


@cache
def vocabulary() -> frozenset[str]:
    """Every word, in small letters, that a name of the table, a keyword or a built-in name is made of."""
    import keyword

    names = [name for listed in _table().values() for name in listed]
    text = " ".join([*names, *_table(), *dir(builtins), *keyword.kwlist])
    return frozenset(word.lower() for word in _WORD.findall(text))


@cache
def _table() -> Mapping[str, frozenset[str]]:
    text = resources.files(__package__).joinpath("standard_names.txt").read_text(encoding="ascii")
    return {key: frozenset(names.split()) for key, _, names in (line.partition(": ") for line in text.splitlines())}
