"""In which ways the files of a project import a name, and what they do with it."""

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from selfimprover.drafting.recipes.classes import Project, module_named
from selfimprover.drafting.recipes.source import is_test
from selfimprover.drafting.recipes.syntax import Code, dotted
from selfimprover.errors import RefusedError


@dataclass(frozen=True)
class Way:
    """One import statement that binds one name."""

    module: str
    """As it is written, with the dots of a relative one."""
    name: str | None
    """What is imported from the module; ``None`` for the module itself."""
    bound: str
    target: str
    """The dotted name of what is bound, as ``imported_as`` writes it."""

    @property
    def text(self) -> str:
        """The statement."""
        own = self.name or self.module.partition(".")[0]
        renamed = "" if own == self.bound else f" as {self.bound}"
        return f"import {self.module}{renamed}" if self.name is None else f"from {self.module} import {own}{renamed}"


@dataclass(frozen=True)
class Importer:
    """A file that imports the name, and whether it does so at its top level and unconditionally."""

    code: Code
    way: Way
    plain: bool


def standard_way(name: str) -> Way:
    """``import name``."""
    return Way(name, None, name, name)


def the_one_way(project: Project, code: Code, name: str) -> tuple[Way, tuple[Importer, ...]] | None:
    """How the other files import the name, and which do; ``None`` if none does.

    Raises ``RefusedError`` if they do it in several ways, never at the top of a file besides the tests, or if another
    file defines the name itself.
    """
    found: list[Importer] = []
    for other in project.mentioning(name):
        found += _importers(other, name)
    ways = sorted({each.way.text for each in found})
    if len(ways) > 1:
        raise RefusedError(f"the project imports {name} in several ways: {'; '.join(ways)}")
    targets = {each.way.target for each in found}
    if len(targets) > 1:
        raise RefusedError(f"{ways[0]} means different modules in different files")
    target = project.file_and_name(targets.pop()) if found else None
    for other in project.mentioning(name):
        at_home = target is not None and target[0] is other
        if other is not code and other.binds_otherwise(name) and not at_home:
            raise RefusedError(f"{other.source.path} defines a {name} of its own")
    if not found:
        return None
    plain = tuple(each for each in found if each.plain and not is_test(each.code.source.path))
    if not plain:
        raise RefusedError(f"no file imports {name} at its top level, unconditionally and besides the tests")
    _refuse_relative_elsewhere(code, plain)
    return plain[0].way, plain


def shapes(code: Code, name: str) -> frozenset[str]:
    """What a file does with the name: ``.attribute``, ``()`` for a call, or ``value``."""
    return frozenset(shape(code, node) for node in uses(code, name))


def uses(code: Code, name: str) -> Iterator[cst.Name]:
    """Every place where the file uses the name as a name."""
    for node in code.nodes():
        if isinstance(node, cst.Name) and node.value == name and not code.is_store(node):
            up = code.parent(node)
            owned = (isinstance(up, cst.Attribute) and up.attr is node) or (
                isinstance(up, cst.Arg) and up.keyword is node
            )
            if not owned and not any(isinstance(each, cst.Import | cst.ImportFrom) for each in code.ancestors(node)):
                yield node


def shape(code: Code, node: cst.Name) -> str:
    """What is done with the name at one place."""
    up = code.parent(node)
    if isinstance(up, cst.Attribute) and up.value is node:
        return f".{up.attr.value}"
    return "()" if isinstance(up, cst.Call) and up.func is node else "value"


def _importers(code: Code, name: str) -> Iterator[Importer]:
    for node in code.nodes():
        if isinstance(node, cst.Import | cst.ImportFrom):
            for way in _ways(code, node):
                if way.bound == name:
                    line = code.parent(node)
                    yield Importer(code, way, isinstance(line, cst.SimpleStatementLine) and line in code.module.body)


def _ways(code: Code, node: cst.Import | cst.ImportFrom) -> Iterator[Way]:
    if isinstance(node.names, cst.ImportStar):
        return
    for alias in node.names:
        own = alias.evaluated_name
        if isinstance(node, cst.Import):
            bound = alias.evaluated_alias or own.partition(".")[0]
            yield Way(own, None, bound, own if alias.evaluated_alias else bound)
        else:
            written = "." * len(node.relative) + ((dotted(node.module) or "") if node.module is not None else "")
            yield Way(written, own, alias.evaluated_alias or own, f"{module_named(code, node)}.{own}")


def _refuse_relative_elsewhere(code: Code, plain: tuple[Importer, ...]) -> None:
    """A relative import means the same only in the same folder, and only where the file is imported as a module."""
    way = plain[0].way
    if way.module[:1] != ".":
        return
    folder = code.source.path.rpartition("/")[0]
    relative = any(isinstance(node, cst.ImportFrom) and node.relative for node in code.nodes())
    if not relative or all(each.code.source.path.rpartition("/")[0] != folder for each in plain):
        raise RefusedError(f"{way.text} is not shown to mean the same in {code.source.path}")
