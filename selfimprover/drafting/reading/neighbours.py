"""Who defines a name, who calls it, who sets it: found by a scan of the words first, by syntax then."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfimprover.drafting.reading.files import Files
from selfimprover.drafting.reading.python_code import Definition, PythonFile, called
from selfimprover.drafting.recipes.source import is_test

_MAX_PARSED = 30
"""So many files are parsed for one question."""
TOO_COMMON = 12
"""A name that is defined more often says nothing without its module or class."""


@dataclass(frozen=True, slots=True)
class Use:
    """A line of a file that has to do with a name, and the function around it."""

    path: str
    line: int
    around: Definition | None


def definitions(
    files: Files, name: str, near: str, *, classes: bool | None = None, too_common: int | None = TOO_COMMON
) -> list[Definition]:
    """The functions and classes of a name, the nearest to the file ``near`` first.

    None if there are more than ``too_common`` and nothing tells which is meant.
    """
    word = name.rpartition(".")[2]
    if not word.isidentifier():
        return []
    head = re.compile(rb"(?m)^[ \t]*(?:async[ \t]+def|def|class)[ \t]+" + re.escape(word.encode()) + rb"(?!\w)")
    paths = by_nearness(files.matching(head, holding=word.encode()), near)
    imported = imported_from(files.code(near), word)
    found = [each for path in paths[:_MAX_PARSED] for each in _named(files, path, name)]
    if classes is not None:
        found = [each for each in found if each.is_class == classes]
    close = [each for each in found if each.path == near or (imported and _is_module(each.path, imported))]
    if close:
        return close
    return found if too_common is None or len(found) <= too_common else []


def callers(files: Files, definition: Definition) -> list[Use]:
    """Where a function is called, or a class is made, outside of tests and of itself."""
    name = definition.name
    if name in {"__init__", "__new__", "__post_init__"} and definition.owner is not None:
        name = definition.owner.rpartition(".")[2]
    if not name.isidentifier() or name.startswith("__"):
        return []
    call = re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")
    paths = [path for path in files.matching(call, holding=name.encode()) if not is_test(path)]
    found: list[Use] = []
    for path in by_nearness(paths, definition.path)[:_MAX_PARSED]:
        found += [use for use in _calls(files, path, name) if use.around != definition]
    return found


def setters(files: Files, attribute: str, near: str) -> list[Use]:
    """Where an attribute is assigned, on whatever object."""
    word = attribute.encode("utf-8", "replace")
    store = re.compile(rb"\." + re.escape(word) + rb"(?!\w)[^=(\n]{0,80}=(?!=)")
    found: list[Use] = []
    for path in by_nearness(files.matching(store, holding=word), near)[:_MAX_PARSED]:
        code = files.code(path)
        if code is None or is_test(path):
            continue
        found += [
            Use(path, node.lineno, code.around(node.lineno))
            for node in code.nodes
            if isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.ctx, ast.Store)
        ]
    return found


def writers_of_key(files: Files, key: str, near: str) -> list[Use]:
    """Where a dictionary gets a key: in a display, by assignment, ``setdefault`` or a keyword of ``dict``."""
    found: list[Use] = []
    paths = [path for path in files.mentioning(key) if not is_test(path)]
    for path in by_nearness(paths, near)[:_MAX_PARSED]:
        code = files.code(path)
        if code is not None:
            lines = sorted({line for node in code.nodes for line in _key_lines(node, key)})
            found += [Use(path, line, code.around(line)) for line in lines]
    return found


def by_nearness(paths: list[str], near: str) -> list[str]:
    """Paths sorted by how much of the way to ``near`` they share: itself, its folder, the folders above; tests last."""
    here = near.split("/")

    def distance(path: str) -> tuple[bool, bool, int, str]:
        there = path.split("/")
        shared = 0
        for one, other in zip(here[:-1], there[:-1], strict=False):
            if one != other:
                break
            shared += 1
        return path != near, is_test(path), len(here) + len(there) - 2 * shared, path

    return sorted(paths, key=distance)


def imported_from(code: PythonFile | None, name: str) -> str | None:
    """The module, with dots as slashes, from which a file imports a name; ``None`` if it does not."""
    for node in code.nodes if code is not None else ():
        if isinstance(node, ast.ImportFrom) and any(name in {alias.name, alias.asname} for alias in node.names):
            return (node.module or "").replace(".", "/")
    return None


def _is_module(path: str, module: str) -> bool:
    name = path.removesuffix(".py").removesuffix("/__init__")
    return f"/{name}".endswith(f"/{module}") if module else False


def _named(files: Files, path: str, name: str) -> list[Definition]:
    code = files.code(path)
    return [] if code is None else code.named(name) or code.named(name.rpartition(".")[2])


def _calls(files: Files, path: str, name: str) -> Iterator[Use]:
    code = files.code(path)
    if code is None:
        return
    lines = {node.lineno for node in code.nodes if isinstance(node, ast.Call) and _hands_over(node, name)}
    for line in sorted(lines):
        yield Use(path, line, code.around(line))


def _hands_over(call: ast.Call, name: str) -> bool:
    """Whether a call runs a function, or gives it away as an argument (``create_task(f)``, ``map(f, …)``)."""
    if called(call) == name:
        return True
    given = (*call.args, *(keyword.value for keyword in call.keywords))
    return any(isinstance(each, ast.Name | ast.Attribute) and _last(each) == name for each in given)


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _key_lines(node: ast.AST, key: str) -> Iterator[int]:
    if isinstance(node, ast.Dict):
        yield from (each.lineno for each in node.keys if isinstance(each, ast.Constant) and each.value == key)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        if isinstance(node.slice, ast.Constant) and node.slice.value == key:
            yield node.lineno
    elif isinstance(node, ast.Call) and called(node) in {"setdefault", "dict", "update"}:
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and first.value == key:
            yield node.lineno
        yield from (node.lineno for keyword in node.keywords if keyword.arg == key)
