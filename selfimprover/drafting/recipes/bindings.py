"""What a file binds to a name, and whether it certainly does so before the name is used."""

from dataclasses import dataclass
from enum import Enum

import libcst as cst

from selfimprover.drafting.recipes.standard import builtin_names
from selfimprover.drafting.recipes.syntax import Code, last_name
from selfimprover.errors import RefusedError

_REACHES_NAMES = frozenset({"exec", "globals", "locals", "vars"})


class Kind(Enum):
    """What stands behind a name."""

    FUNCTION = "function"
    CLASS = "class"
    IMPORT = "import"
    VALUE = "value"


@dataclass(frozen=True)
class Binding:
    """The one statement that binds a name."""

    code: Code
    name: str
    kind: Kind
    node: cst.CSTNode

    def at(self) -> str:
        """``file:line`` of the statement."""
        return f"{self.code.source.path}:{self.code.line(self.node)}"


def bound_names(code: Code, root: cst.CSTNode | None = None) -> frozenset[str]:
    """Every name that anything below ``root`` (default: the module) binds, in whatever scope."""
    names = set(code.captured_names(root))
    for node in code.nodes(root):
        if isinstance(node, cst.Name) and code.is_store(node):
            names.add(node.value)
        elif isinstance(node, cst.Param | cst.NameItem | cst.FunctionDef | cst.ClassDef | cst.TypeVar):
            names.add(last_name(node.name) or "")
        elif isinstance(node, cst.ImportAlias):
            names.add((node.evaluated_alias or node.evaluated_name).partition(".")[0])
    return frozenset(names)


def module_names(code: Code) -> frozenset[str]:
    """The names that the module binds at its top level, conditionally or not."""
    return code.global_names()


def visible_names(code: Code, use: cst.CSTNode) -> frozenset[str]:
    """Every name that may mean something where a name is used: rather too many than too few."""
    functions = [up for up in code.ancestors(use) if isinstance(up, cst.FunctionDef | cst.Lambda)]
    inside = [bound_names(code, function) for function in functions]
    return frozenset().union(builtin_names(), module_names(code), *inside)


def refuse_unreadable_names(code: Code) -> None:
    """Raises ``RefusedError`` where the names of a module cannot be read off its text."""
    for node in code.nodes():
        if isinstance(node, cst.ImportStar):
            raise RefusedError(f"{code.source.path} imports `*`, so what its names mean cannot be shown")
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _REACHES_NAMES:
            raise RefusedError(f"{code.source.path}:{code.line(node)} calls {node.func.value}, which may bind names")
        if isinstance(node, cst.Attribute) and node.attr.value in {"__dict__", "modules"} and _is_module_table(node):
            raise RefusedError(f"{code.source.path}:{code.line(node)} reaches into the names of a module")
    for statement in code.module.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == "__getattr__":
            raise RefusedError(f"{code.source.path} makes up its names in __getattr__")


def certain_global(code: Code, name: str) -> Binding:
    """The one unconditional statement at the top level that binds a name; raises ``RefusedError`` without one."""
    refuse_unreadable_names(code)
    where = f"{name} in {code.source.path}"
    found = [binding for statement in code.module.body if (binding := _bound_by(code, statement, name)) is not None]
    if len(found) != 1 or code.global_bindings(name) > 1 or name in code.captured_names():
        raise RefusedError(f"{where} is not bound exactly once, unconditionally and at the top level")
    for node in code.nodes():
        if isinstance(node, cst.Name) and node.value == name and _unbinds(code, node):
            raise RefusedError(f"{where} is deleted or bound anew at line {code.line(node)}")
    return found[0]


def certain_local(code: Code, function: cst.FunctionDef, use: cst.CSTNode, name: str) -> Binding:
    """The parameter or statement by which a name of the function surely has a value where it is used."""
    for node in code.nodes(function):
        if isinstance(node, cst.Name) and node.value == name and _unbinds(code, node):
            raise RefusedError(f"{name} is deleted, global or bound by an except clause in {function.name.value}")
    for param in all_params(function.params):
        if param.name.value == name:
            return Binding(code, name, Kind.VALUE, param)
    inner = use
    for up in code.ancestors(use):
        if up is function:
            break
        binding = _bound_around(code, up, inner, name) or _bound_before(code, up, inner, name)
        if binding is not None:
            return binding
        inner = up
    raise RefusedError(
        f"{name} is not shown to have a value at {code.source.path}:{code.line(use)}:"
        " it is set elsewhere or on conditions"
    )


def all_params(params: cst.Parameters) -> list[cst.Param]:
    """Every parameter, ``*args`` and ``**kwargs`` included."""
    stars = [each for each in (params.star_arg, params.star_kwarg) if isinstance(each, cst.Param)]
    return [*params.posonly_params, *params.params, *params.kwonly_params, *stars]


def _bound_by(code: Code, statement: cst.CSTNode, name: str) -> Binding | None:
    """What a plain statement certainly binds to the name."""
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        kind = Kind.FUNCTION if isinstance(statement, cst.FunctionDef) else Kind.CLASS
        return Binding(code, name, kind, statement) if statement.name.value == name else None
    for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
        if isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
            for alias in small.names:
                if (alias.evaluated_alias or alias.evaluated_name).partition(".")[0] == name:
                    return Binding(code, name, Kind.IMPORT, small)
        if _assigns(small, name):
            return Binding(code, name, Kind.VALUE, small)
    return None


def _assigns(small: cst.BaseSmallStatement, name: str) -> bool:
    if isinstance(small, cst.AnnAssign):
        return small.value is not None and last_name(small.target) == name and isinstance(small.target, cst.Name)
    return isinstance(small, cst.Assign) and any(_targets(each.target, name) for each in small.targets)


def _targets(target: cst.CSTNode, name: str) -> bool:
    if isinstance(target, cst.Tuple | cst.List):
        return any(_targets(element.value, name) for element in target.elements)
    return isinstance(target, cst.Name) and target.value == name


def _bound_around(code: Code, up: cst.CSTNode, inner: cst.CSTNode, name: str) -> Binding | None:
    """The loop, ``with`` or comprehension around a use that binds the name for it."""
    if isinstance(up, cst.For) and inner is up.body and _targets(up.target, name):
        return Binding(code, name, Kind.VALUE, up.target)
    if isinstance(up, cst.With) and inner is up.body:
        for item in up.items:
            if item.asname is not None and _targets(item.asname.name, name):
                return Binding(code, name, Kind.VALUE, item)
    if isinstance(up, cst.BaseComp) and inner is not up.for_in and _targets(up.for_in.target, name):
        return Binding(code, name, Kind.VALUE, up.for_in.target)
    return None


def _bound_before(code: Code, up: cst.CSTNode, inner: cst.CSTNode, name: str) -> Binding | None:
    """A statement of the same block, before the one that holds the use, that binds the name."""
    if isinstance(up, cst.IndentedBlock):
        for statement in up.body:
            if statement is inner:
                break
            binding = _bound_by(code, statement, name)
            if binding is not None:
                return binding
    return None


def _unbinds(code: Code, node: cst.Name) -> bool:
    """Whether the name is deleted here, declared global or nonlocal, or bound by an except clause, which unbinds it."""
    up = code.parent(node)
    if isinstance(up, cst.Del | cst.NameItem):
        return True
    if isinstance(up, cst.Element) and isinstance(code.parent(code.parent(up)), cst.Del):
        return True
    return isinstance(up, cst.AsName) and isinstance(code.parent(up), cst.ExceptHandler | cst.ExceptStarHandler)


def _is_module_table(node: cst.Attribute) -> bool:
    return node.attr.value == "modules" and last_name(node.value) == "sys"
