"""The tests that touch the failing code."""

import re
from collections.abc import Iterator

from selfimprover.drafting.reading.excerpts import of_definition
from selfimprover.drafting.reading.neighbours import by_nearness
from selfimprover.drafting.reading.parts import Candidate, Part
from selfimprover.drafting.reading.python_code import Definition, PythonFile
from selfimprover.drafting.reading.scene import Scene
from selfimprover.drafting.recipes.source import is_test

TEST = 32
_MAX_TESTS = 3
_MAX_FILES = 8
_MAX_NAMED = 12


def tests(scene: Scene) -> Iterator[Candidate]:
    """Tests that name the failing function, else its class; and the files that have more of them."""
    site = scene.site
    if site is None or not site.path.endswith(".py"):
        return
    stem = site.path.rpartition("/")[2].removesuffix(".py")
    names = [site.definition.name, *reversed(site.definition.qualified.split(".")[:-1])] if site.definition else []
    names = [name for name in names if not name.startswith("__")]
    for name in (*names, stem):
        files = [path for path in scene.files.mentioning(name) if is_test(path)]
        files = sorted(by_nearness(files, site.path), key=lambda path: stem not in path)
        if files:
            yield from _showing(scene, files, name)
            return


def _showing(scene: Scene, files: list[str], name: str) -> Iterator[Candidate]:
    shown: list[str] = []
    for path in files[:_MAX_FILES]:
        code = scene.files.code(path)
        for test in _touching(code, name) if code is not None else ():
            if len(shown) < _MAX_TESTS and code is not None:
                shown.append(test.qualified)
                yield of_definition(code, test, "test", TEST, scene.remark(path))
    title = f"test files that name {name}"
    listed = "\n".join(files[:_MAX_NAMED])
    more = f"\n… and {len(files) - _MAX_NAMED} more" if len(files) > _MAX_NAMED else ""
    yield Candidate(Part("test", title, listed + more, TEST + 1))


def _touching(code: PythonFile, name: str) -> list[Definition]:
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    functions = [each for each in code.definitions if not each.is_class and each.name.startswith("test")]
    return [each for each in functions if word.search(code.between(each.first, each.last))]
