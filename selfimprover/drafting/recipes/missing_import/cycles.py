"""Which modules of the project an import loads, so that none is loaded while it waits for itself."""

from collections.abc import Iterator

import libcst as cst

from selfimprover.drafting.recipes.classes import Project, module_named
from selfimprover.drafting.recipes.syntax import Code, dotted, last_name
from selfimprover.errors import RefusedError

_BY_NAME = frozenset({"import_module", "__import__"})


def refuse_cycle(project: Project, code: Code, target: str) -> None:
    """Raises ``RefusedError`` if importing the target may import the file itself.

    Every import counts, wherever it stands.
    """
    loaded: dict[str, Code] = {}
    waiting = list(_loaded_by(project, target))
    while waiting:
        current = waiting.pop()
        if current.source.path in loaded or _is_package_of(current, code):
            continue
        if current is code:
            raise RefusedError(f"importing {target} in {code.source.path} would close a circle of imports")
        loaded[current.source.path] = current
        for node in current.nodes():
            if isinstance(node, cst.Call) and last_name(node.func) in _BY_NAME:
                raise RefusedError(f"{current.source.path} imports by computed names, so a circle cannot be excluded")
            for name in _named(current, node):
                waiting.extend(_loaded_by(project, name))


def _named(code: Code, node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Import):
        yield from (dotted(alias.name) or "" for alias in node.names)
    elif isinstance(node, cst.ImportFrom):
        module = module_named(code, node)
        yield module
        if not isinstance(node.names, cst.ImportStar):
            yield from (f"{module}.{alias.evaluated_name}" for alias in node.names)


def _loaded_by(project: Project, target: str) -> Iterator[Code]:
    """The files of a module and of every package it is in."""
    parts = target.split(".")
    for size in range(1, len(parts) + 1):
        found = project.module(".".join(parts[:size])) if parts[:size] != ["/"] else None
        if found is not None:
            yield found


def _is_package_of(package: Code, code: Code) -> bool:
    """Whether a package is loaded before the file anyway, because the file is in it."""
    folder, _, name = package.source.path.rpartition("/")
    return name == "__init__.py" and package is not code and code.source.path.startswith(f"{folder}/" if folder else "")
