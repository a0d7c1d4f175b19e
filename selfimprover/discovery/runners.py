"""How a project's tests are run, judged from the names of its files and the content of a few small ones.

What the project configures comes before what its files suggest.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_CONFIGURATIONS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "package.json", *_MAKEFILES)
_FOREIGN = frozenset({"node_modules", "site-packages", ".venv", "venv", "vendor", "third_party"})
_MOST_TEST_FILES = 20
_OF_PYTEST = re.compile(r"test_.*\.py|.*_test\.py", re.DOTALL)
_OF_UNITTEST = re.compile(r"test.*\.py", re.DOTALL)
_PYTEST = re.compile(r"^[ \t]*(?:import|from)[ \t]+pytest\b|^(?:async )?def test", re.MULTILINE)
_UNITTEST = re.compile(r"^[ \t]*(?:import|from)[ \t]+unittest\b", re.MULTILINE)
_PLAIN_FOLDER = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*")
_NPM_DEFAULT = "no test specified"


@dataclass(frozen=True, slots=True)
class FoundTests:
    """A test command, and what speaks for it."""

    command: str
    reason: str


def telling(paths: Collection[str]) -> tuple[str, ...]:
    """The files whose content ``find_tests`` looks at."""
    tests = dict.fromkeys([*_test_files(paths, _OF_PYTEST), *_test_files(paths, _OF_UNITTEST)])
    return (*(name for name in _CONFIGURATIONS if name in paths), *tests)


def find_tests(files: Mapping[str, str]) -> FoundTests | None:
    """The test command of a project with these files (path → content, of the ``telling`` ones at least)."""
    return next((found for rule in _RULES if (found := rule(files)) is not None), None)


def _pytest_configured(files: Mapping[str, str]) -> FoundTests | None:
    for name in ("pytest.ini", ".pytest.ini"):
        if name in files:
            return FoundTests("pytest -q", f"pytest: {name}")
    tool = _toml(files.get("pyproject.toml", "")).get("tool")
    pytest = tool.get("pytest") if isinstance(tool, dict) else None
    if isinstance(pytest, dict):
        section = "tool.pytest.ini_options" if "ini_options" in pytest else "tool.pytest"
        return FoundTests("pytest -q", f"pytest: [{section}] in pyproject.toml")
    for name, section in (("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]")):
        if section in (line.strip() for line in files.get(name, "").splitlines()):
            return FoundTests("pytest -q", f"pytest: {section} in {name}")
    fixtures = _sorted(path for path in files if path.rpartition("/")[2] == "conftest.py" and not _foreign(path))
    return FoundTests("pytest -q", f"pytest: {fixtures[0]}") if fixtures else None


def _pytest_used(files: Mapping[str, str]) -> FoundTests | None:
    return next((FoundTests("pytest -q", f"pytest: {path}") for path in _using(files, _OF_PYTEST, _PYTEST)), None)


def _make(files: Mapping[str, str]) -> FoundTests | None:
    """Like make itself, looks at the first of the makefiles that is there."""
    name = next((name for name in _MAKEFILES if name in files), None)
    if name is None or not any(_is_test_target(line) for line in files[name].splitlines()):
        return None
    return FoundTests("make test", f"make: target test in {name}")


def _npm(files: Mapping[str, str]) -> FoundTests | None:
    try:
        package = json.loads(files.get("package.json", ""))
    except (ValueError, RecursionError):
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or not script.strip() or _NPM_DEFAULT in script:
        return None
    return FoundTests("npm test", "npm: scripts.test in package.json")


def _unittest(files: Mapping[str, str]) -> FoundTests | None:
    """``python3``, because many systems have no ``python`` outside of a virtual environment."""
    used = _using(files, _OF_UNITTEST, _UNITTEST)
    if not used:
        return None
    folder = str(PurePosixPath(used[0]).parent)
    reached = folder == "." or f"{folder}/__init__.py" in files or not _PLAIN_FOLDER.fullmatch(folder)
    return FoundTests("python3 -m unittest" + ("" if reached else f" discover -s {folder}"), f"unittest: {used[0]}")


def _go(files: Mapping[str, str]) -> FoundTests | None:
    return FoundTests("go test ./...", "go: go.mod") if "go.mod" in files else None


def _cargo(files: Mapping[str, str]) -> FoundTests | None:
    return FoundTests("cargo test", "cargo: Cargo.toml") if "Cargo.toml" in files else None


_RULES: tuple[Callable[[Mapping[str, str]], FoundTests | None], ...] = (
    _pytest_configured,
    _pytest_used,
    _make,
    _npm,
    _unittest,
    _go,
    _cargo,
)


def _using(files: Mapping[str, str], name: re.Pattern[str], content: re.Pattern[str]) -> list[str]:
    return [path for path in _test_files(files, name) if content.search(files[path])]


def _test_files(paths: Collection[str], name: re.Pattern[str]) -> Sequence[str]:
    named = (path for path in paths if name.fullmatch(path.rpartition("/")[2]) and not _foreign(path))
    return _sorted(named)[:_MOST_TEST_FILES]


def _sorted(paths: Iterable[str]) -> list[str]:
    """Nearest to the top first."""
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _foreign(path: str) -> bool:
    return not _FOREIGN.isdisjoint(path.split("/"))


def _is_test_target(line: str) -> bool:
    """``test: …`` or ``test lint: …``, but no recipe, comment or variable."""
    names, colon, rest = line.partition(":")
    if not colon or names[:1].isspace() or "=" in names or "#" in names:
        return False
    return "test" in names.split() and not rest.lstrip(":").startswith("=")


def _toml(text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
