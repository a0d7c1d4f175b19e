"""New imports: only of modules that the project has already, so that nobody's package comes in with a fix."""

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from selfimprover.domain import Edit
from selfimprover.drafting.functions import parse_text
from selfimprover.drafting.recipes import source
from selfimprover.errors import RefusedError

_RUNNERS = frozenset({"pytest"})
"""What a test may import although no file of the project does."""
_MAX_FILE = 1_000_000


def unknown_imports(edits: Sequence[Edit], tree: Path) -> tuple[str, ...]:
    """The imports that a change adds of modules that nobody knows, one sentence for the model each.

    Known is what belongs to Python, what is a file or folder of the tree or of the change, and what a file of the tree
    imports already.
    """
    faults: list[str] = []
    for edit in edits:
        if edit.after is None or not edit.path.endswith((".py", ".pyi")):
            continue
        present = {name for name, _ in _imports(edit.before or "")}
        for name, line in _imports(edit.after):
            fault = "" if name in present else _fault(name, edit, edits, tree)
            if fault:
                faults.append(f"{edit.path}:{line} imports {name}, {fault}")
    return tuple(dict.fromkeys(faults))


def _fault(name: str, edit: Edit, edits: Sequence[Edit], tree: Path) -> str:
    if name.startswith("."):
        return "" if _relative_exists(name, edit.path, edits, tree) else "and there is no such module in the project"
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or (source.is_test(edit.path) and top in _RUNNERS):
        return ""
    if _in_paths(top, (one.path for one in edits if one is not edit and one.after is not None)):
        return ""
    if _in_paths(top, _all_python(tree)) or _imported(top, tree):
        return ""
    return "which the project does not have: use what it has, or the standard library"


def _imports(text: str) -> Iterator[tuple[str, int]]:
    """The modules that a text imports, dots of relative ones included, with the line."""
    module = parse_text(text)
    for node in ast.walk(module) if module else ():
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


def _relative_exists(name: str, path: str, edits: Sequence[Edit], tree: Path) -> bool:
    bare = name.lstrip(".")
    folders = path.split("/")[:-1]
    up = len(name) - len(bare) - 1
    if up > len(folders):
        return False
    wanted = "/".join([*folders[: len(folders) - up], *(part for part in bare.split(".") if part)])
    added = {edit.path for edit in edits if edit.after is not None}
    candidates = (f"{wanted}.py", f"{wanted}.pyi", f"{wanted}/__init__.py")
    if any(one in added or (tree / one).is_file() for one in candidates):
        return True
    return (tree / wanted).is_dir()


def _all_python(tree: Path) -> Iterator[str]:
    """Python files and extension modules of the tree."""
    for folder, subfolders, names in os.walk(tree):
        subfolders[:] = [
            name for name in subfolders if name[0] != "." and name not in {"node_modules", "site-packages"}
        ]
        for name in names:
            if name.endswith((".py", ".pyi", ".pyx", ".so")):
                yield (Path(folder) / name).relative_to(tree).as_posix()


def _in_paths(top: str, paths: Iterator[str]) -> bool:
    """Whether a module or a folder of modules has the name, wherever it lies: source folders differ."""
    for path in paths:
        *folders, name = path.split("/")
        if top in folders or name.partition(".")[0] == top:
            return True
    return False


def _imported(top: str, tree: Path) -> bool:
    """Whether a file of the tree imports the module."""
    mention = re.compile(rb"(?:^|;)\s*(?:import|from)\b[^\n]*\b" + re.escape(top.encode()) + rb"\b", re.MULTILINE)
    for path in source.python_paths(tree):
        file = tree / path
        if not file.is_file() or file.is_symlink() or file.stat().st_size > _MAX_FILE:
            continue
        if mention.search(file.read_bytes()):
            try:
                text = source.read(tree, path).text
            except RefusedError:
                continue
            if any(name.partition(".")[0] == top for name, _ in _imports(text)):
                return True
    return False
