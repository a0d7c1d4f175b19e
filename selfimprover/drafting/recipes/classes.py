"""The classes of a project: which one a name means, what its bases are, and where it defines an attribute."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

import libcst as cst

from selfimprover.drafting.recipes.source import mentioning, python_paths, read
from selfimprover.drafting.recipes.syntax import Code, dotted
from selfimprover.errors import RefusedError

_MOST_STEPS = 8


@dataclass(frozen=True)
class Class:
    """A class and the file that defines it."""

    code: Code
    node: cst.ClassDef

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.node.name.value

    def at(self, node: cst.CSTNode | None = None) -> str:
        """``file:line`` of the class or of something in it."""
        return f"{self.code.source.path}:{self.code.line(node or self.node)}"

    def is_same(self, other: "Class | None") -> bool:
        """Whether both are one definition."""
        return other is not None and self.node is other.node


class How(Enum):
    """The ways in which a class defines an attribute."""

    IN_INIT = "in __init__"
    IN_METHOD = "in another method"
    IN_BODY = "as a value of the class"
    AS_FUNCTION = "as a method, property or inner class"


@dataclass(frozen=True)
class Definition:
    """One place where a class defines an attribute, with what is known of the value there."""

    how: How
    node: cst.CSTNode
    value: cst.BaseExpression | None = None
    annotation: cst.BaseExpression | None = None


class Project:
    """The Python files of a tree, each parsed at most once."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._paths = tuple(python_paths(tree))
        self._codes: dict[str, Code] = {}

    def code(self, path: str) -> Code:
        """The parsed file; raises ``RefusedError`` if it cannot be read or parsed."""
        if path not in self._codes:
            self._codes[path] = Code(read(self._tree, path))
        return self._codes[path]

    def text(self, path: str) -> str:
        """The text of a file; raises ``RefusedError`` if it cannot be read."""
        return read(self._tree, path).text

    def mentioning(self, word: str) -> Iterator[Code]:
        """The parsed files that hold a word."""
        for source in mentioning(self._tree, word):
            yield self.code(source.path)

    def classes_named(self, name: str) -> list[Class]:
        """Every class of that name, wherever it is defined."""
        return [found for code in self.mentioning(name) for found in classes_in(code) if found.name == name]

    def resolve(self, code: Code, name: str) -> Class | None:
        """The class that a dotted name means in a file, following imports; ``None`` if that cannot be shown."""
        for _ in range(_MOST_STEPS):
            head, _, rest = name.partition(".")
            own = _own_class(code, head)
            if own is not None:
                return None if rest else own
            target = imported_as(code, name)
            found = self.file_and_name(target) if target else None
            if found is None:
                return None
            code, name = found
        return None

    def ancestry(self, start: Class) -> tuple[Class, ...]:
        """The class and all its bases; raises ``RefusedError`` for a base whose code is not in the tree."""
        found: list[Class] = []
        waiting = [start]
        while waiting:
            current = waiting.pop(0)
            if any(current.is_same(known) for known in found):
                continue
            found.append(current)
            waiting.extend(self._bases(current))
        return tuple(found)

    def _bases(self, child: Class) -> Iterator[Class]:
        for keyword in child.node.keywords:
            if keyword.keyword is None or origin(child.code, keyword.value) != "abc.ABCMeta":
                raise RefusedError(f"{child.name} at {child.at()} has a metaclass or other class keywords")
        for argument in child.node.bases:
            value = argument.value.value if isinstance(argument.value, cst.Subscript) else argument.value
            if argument.star or origin(child.code, value) not in {"object", "abc.ABC", "typing.Generic"}:
                name = dotted(value)
                base = None if argument.star or name is None else self.resolve(child.code, name)
                if base is None:
                    shown = child.code.module.code_for_node(argument.value)
                    raise RefusedError(
                        f"{child.name} at {child.at()} has the base {shown}, which is not in the project"
                    )
                yield base

    @property
    def paths(self) -> tuple[str, ...]:
        """Every Python file of the tree."""
        return self._paths

    def module(self, target: str) -> Code | None:
        """The parsed file of a module of the project (named as ``imported_as`` does), or ``None``."""
        path = self._module_path(target.split("."))
        return None if path is None else self.code(path)

    def file_and_name(self, target: str) -> tuple[Code, str] | None:
        """Splits an imported dotted name into the file of its module and the rest."""
        parts = target.split(".")
        for size in range(len(parts) - 1, 0, -1):
            path = self._module_path(parts[:size])
            if path is not None:
                return self.code(path), ".".join(parts[size:])
        return None

    def _module_path(self, parts: list[str]) -> str | None:
        if parts[0] == "/":
            files = _files_of("/".join(parts[1:]))
            candidates = [path for path in self._paths if path in files]
        elif parts[0] in sys.stdlib_module_names:
            candidates = []
        else:
            files = _files_of("/".join(parts))
            candidates = [path for path in self._paths if any(self._is_import_root(path, file) for file in files)]
        return candidates[0] if len(candidates) == 1 else None

    def _is_import_root(self, path: str, file: str) -> bool:
        """Whether ``file`` is the end of ``path``, below a folder that is no package itself."""
        root = path.removesuffix(file)
        return path.endswith(file) and (not root or (root[-1] == "/" and f"{root}__init__.py" not in self._paths))


def classes_in(code: Code) -> Iterator[Class]:
    """Every class of a file, inner ones included."""
    return (Class(code, node) for node in code.nodes() if isinstance(node, cst.ClassDef))


def origin(code: Code, node: cst.CSTNode) -> str | None:
    """The dotted name that an expression has where it was imported from; a name bound nowhere here is a builtin."""
    name = dotted(node)
    if name is None:
        return None
    if name.partition(".")[0] not in code.global_names():
        return name
    return imported_as(code, name)


def imported_as(code: Code, name: str) -> str | None:
    """``package.module.Name`` for a name that exactly one import binds; ``/.folder.module.Name`` for a relative one."""
    head, _, rest = name.partition(".")
    targets = {target for bound, target in imports_in(code) if bound == head}
    if len(targets) != 1 or code.binds_otherwise(head):
        return None
    return ".".join([targets.pop(), *([rest] if rest else [])])


def definitions(owner: Class, attribute: str) -> list[Definition]:
    """Every place where a class itself gives its instances the attribute."""
    return [found for node in own_nodes(owner) if (found := _definition(owner, node, attribute)) is not None]


def own_nodes(owner: Class) -> Iterator[cst.CSTNode]:
    """The nodes of a class without those inside its inner classes."""
    waiting: list[cst.CSTNode] = list(reversed(owner.node.body.children))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, cst.ClassDef):
            waiting.extend(reversed(node.children))


def method_around(owner: Class, node: cst.CSTNode) -> cst.FunctionDef | None:
    """The method of the class in which a node stands, however deep."""
    methods = [up for up in owner.code.ancestors(node) if isinstance(up, cst.FunctionDef)]
    return next((method for method in methods if owner.code.class_around(method) is owner.node), None)


def receiver_of(method: cst.FunctionDef) -> str | None:
    """What a method calls its instance."""
    first = next(iter([*method.params.posonly_params, *method.params.params]), None)
    return None if first is None else first.name.value


def is_own_attribute(owner: Class, node: cst.CSTNode, attribute: str | None = None) -> bool:
    """Whether a node is ``self.attribute`` in a method of the class (any attribute if none is named)."""
    if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name):
        return False
    method = method_around(owner, node)
    named = attribute is None or node.attr.value == attribute
    return named and method is not None and node.value.value == receiver_of(method)


def _definition(owner: Class, node: cst.CSTNode, attribute: str) -> Definition | None:
    code = owner.code
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        inner = node.name.value == attribute and code.class_around(node) is owner.node
        return Definition(How.AS_FUNCTION, node) if inner else None
    if isinstance(node, cst.Name) and node.value == attribute and code.class_around(node) is owner.node:
        in_body = code.is_store(node) and not isinstance(code.parent(node), cst.Attribute | cst.FunctionDef)
        return Definition(How.IN_BODY, node, *assigned(code, node)) if in_body else None
    if code.is_store(node) and is_own_attribute(owner, node, attribute):
        method = method_around(owner, node)
        how = How.IN_INIT if method is not None and method.name.value == "__init__" else How.IN_METHOD
        return Definition(how, node, *assigned(code, node))
    return None


def assigned(code: Code, target: cst.CSTNode) -> tuple[cst.BaseExpression | None, cst.BaseExpression | None]:
    """Value and annotation that a plain assignment gives its target."""
    up = code.parent(target)
    if isinstance(up, cst.AnnAssign):
        return up.value, up.annotation.annotation
    statement = code.parent(up)
    if isinstance(up, cst.AssignTarget) and isinstance(statement, cst.Assign):
        return statement.value, None
    return None, None


def _own_class(code: Code, name: str) -> Class | None:
    """The class that the module itself defines under a name that it binds only once."""
    own = [node for node in code.module.body if isinstance(node, cst.ClassDef) and node.name.value == name]
    return Class(code, own[0]) if len(own) == 1 and code.global_bindings(name) == 1 else None


def imports_in(code: Code) -> Iterator[tuple[str, str]]:
    """(name bound, dotted name it stands for) of each import in the file."""
    for node in code.nodes():
        if isinstance(node, cst.Import):
            for alias in node.names:
                module = dotted(alias.name) or ""
                if alias.asname is None:
                    yield module.partition(".")[0], module.partition(".")[0]
                else:
                    yield dotted(alias.asname.name) or "", module
        elif isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                bound = dotted(alias.asname.name) if alias.asname is not None else dotted(alias.name)
                yield bound or "", f"{module_named(code, node)}.{dotted(alias.name)}"


def module_named(code: Code, node: cst.ImportFrom) -> str:
    """The module that ``from … import`` names, as ``imported_as`` writes it."""
    named = dotted(node.module) if node.module is not None else None
    if not node.relative:
        return named or ""
    folder = PurePosixPath(code.source.path).parent
    for _ in node.relative[1:]:
        folder = folder.parent
    steps = [part for part in folder.parts if part != "."]
    return ".".join(["/", *steps, *([named] if named else [])])


def _files_of(module: str) -> tuple[str, ...]:
    return (f"{module}.py", f"{module}/__init__.py") if module else ("__init__.py",)
