"""What a change reaches for: the means by which code under test could end, bend or forge the run that judges it.

Whoever uses none of them cannot cheat, and hardly any fix needs one. It is a net, no wall: code can be written so that
nobody sees what it names. What is caught needs a person, who decides.
"""

import ast
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from selfimprover.domain import Check, CheckStatus, Draft
from selfimprover.parsing import parse

_MODULES = frozenset(
    (
        *("pytest", "_pytest", "pluggy", "unittest", "doctest", "nose", "nose2", "coverage", "xdist"),  # runners
        *("gc", "ctypes", "_ctypes", "atexit", "builtins", "faulthandler", "tracemalloc"),  # the interpreter
        *("importlib", "runpy", "pkgutil", "code", "codeop"),  # code from elsewhere
        *("subprocess", "pty"),  # other programs
    )
)
_CALLS = frozenset({"eval", "exec", "compile", "__import__", "globals", "vars"})
_ATTRIBUTES = frozenset(
    (
        *("_exit", "abort", "kill", "killpg", "raise_signal", "register_at_fork"),
        *("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "execvpe"),
        *("execl", "execle", "execlp", "execlpe", "spawnv", "spawnve", "spawnl", "spawnle"),
        *("_getframe", "_current_frames", "settrace", "setprofile", "monitoring", "modules", "meta_path", "path_hooks"),
        *("currentframe", "stack", "getouterframes", "excepthook"),
        *("__subclasses__", "__globals__", "__closure__", "__code__", "__builtins__", "__loader__", "__spec__"),
        *("cell_contents", "f_globals", "f_locals", "f_back", "f_builtins", "tb_frame", "gi_frame", "cr_frame"),
    )
)
_PROGRAMS = frozenset(
    {"create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell", "startfile"}
)
"""Names that start other programs, whatever they are an attribute of."""
_OWNERS = frozenset({"os", "sys", "signal", "inspect", "threading", "posix"})
"""Modules whose attributes are meant; names with underscores or frames are meant wherever they stand."""
_OF_TESTS = ("the module pytest", "the module unittest", "the name 'pytest'")
"""What a test may well name."""
_TEXTS = ("SELFIMPROVER", "selfimprover_witness", "PYTEST_", "/proc/", "junit")
_RUNNERS = frozenset(
    (
        *("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "exceptiongroup", "tomli", "py"),
        *("coverage", "pytest_cov", "xdist", "execnet", "nose", "nose2", "hypothesis", "selfimprover_witness"),
    )
)


def reach(draft: Draft, tree: Path) -> Check:
    """Whether the draft brings in nothing that its files did not have before; its own test may use a runner."""
    for edit in draft.changes:
        if edit.after is None:
            continue
        if edit.before is None and (name := _shadowed(edit.path, tree)):
            return _failed(f"{edit.path} would take the place of the module {name}")
        added = _means(edit.path, edit.after) - _means(edit.path, edit.before or "")
        if edit not in draft.edits:
            added = Counter(one for one in added if not one.startswith(_OF_TESTS))
        if added:
            return _failed(f"{edit.path} brings in {min(added)}, which could end or bend the run that judges it")
    return Check(name="reach", status=CheckStatus.PASSED, detail="nothing that could end or bend a test run is added")


def _failed(what: str) -> Check:
    return Check(name="reach", status=CheckStatus.FAILED, detail=f"needs a person: {what}")


def _shadowed(path: str, tree: Path) -> str:
    """The module that a new file would be imported instead of; empty if there is none.

    A file counts where its folder could be on Python's path, which is any that is no package.
    """
    place = PurePosixPath(path)
    if place.suffix not in {".py", ".pyi"}:
        return ""
    if place.stem == "__init__":
        place = place.parent
    if (tree / place.parent / "__init__.py").exists() and place.parent != PurePosixPath():
        return ""
    return place.stem if place.stem in _RUNNERS or place.stem in sys.stdlib_module_names else ""


def _means(path: str, text: str) -> Counter[str]:
    """Every means that a text names, as a person would write it."""
    found = Counter(one for one in _TEXTS for _ in range(text.count(one)))
    if path.endswith((".py", ".pyi")):
        found.update(_named(text))
    return found


def _named(text: str) -> Iterator[str]:
    try:
        parsed = parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # it was judged by the check before: what does not parse now did not parse on the base either
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            yield from _imported((alias.name for alias in node.names), _MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from _imported([node.module or ""], _MODULES)
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name in _PROGRAMS)
            if node.module in _OWNERS:
                yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name in _ATTRIBUTES)
        elif isinstance(node, ast.Name) and node.id in _CALLS | {"__builtins__"}:
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES | _PROGRAMS:
            yield from _attribute(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in _HIDDEN_NAMES:
            yield f"the name {node.value!r} as a text"


def _imported(names: Iterator[str] | Sequence[str], modules: Collection[str]) -> Iterator[str]:
    return (f"the module {name}" for name in names if name.partition(".")[0] in modules)


def _attribute(node: ast.Attribute) -> Iterator[str]:
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    if owner in _OWNERS or node.attr.startswith("_") or node.attr in {"cell_contents", "f_globals", "f_locals"}:
        yield f"{owner}.{node.attr}" if owner else f".{node.attr}"
    elif node.attr in _PROGRAMS | {"f_back", "f_builtins", "tb_frame", "gi_frame", "cr_frame"}:
        yield f".{node.attr}"


_HIDDEN_NAMES = frozenset(one for one in _ATTRIBUTES if one.startswith("_")) | {"pytest", "_pytest", "pluggy", "gc"}
"""What ``getattr`` and its like would be asked for."""
