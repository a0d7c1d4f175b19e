"""ImportError: the close name is one that the module certainly has, or a module that is certainly there."""

import re
import sys
from collections.abc import Iterator

import libcst as cst

from selfimprover.drafting.recipes.bindings import bound_names, certain_global, module_names, refuse_unreadable_names
from selfimprover.drafting.recipes.classes import Project, module_named
from selfimprover.drafting.recipes.place import only_name
from selfimprover.drafting.recipes.spelling import only_close
from selfimprover.drafting.recipes.standard import (
    all_names,
    known_modules,
    names_of,
    refuse_shadowed,
    refuse_uncertain_name,
)
from selfimprover.drafting.recipes.syntax import Code, Place, dotted
from selfimprover.drafting.recipes.typo.attributes import submodules
from selfimprover.drafting.recipes.typo.found import Typo
from selfimprover.errors import RefusedError
from selfimprover.patterns.tracebacks import Frame, in_app

_IMPORT_LINE = re.compile(r"^[ \t]*(?:from|import)[ \t](.*)$", re.MULTILINE)
_PUBLIC_MODULES = frozenset(name for name in sys.stdlib_module_names if name[0] != "_")


def find_imported_name(project: Project, place: Place, module: str, wrong: str, path: str | None) -> Typo:
    """The name that ``from module import …`` means; ``path`` is the module's file as the error tells it."""
    use = only_name(place, wrong)
    alias, statement = _import_around(place, use)
    if not isinstance(statement, cst.ImportFrom) or not isinstance(alias, cst.ImportAlias):
        raise RefusedError(f"{place} does not import {wrong} from {module}")
    target = module_named(place.code, statement)
    if not _means(target, module):
        raise RefusedError(f"{place} does not import from {module}")
    code = project.module(target)
    _refuse_other_file(code, module, path)
    right, defined_at = _exported(project, code, module, wrong)
    _refuse_bound(place.code, alias, right)
    return Typo(place, use, right, f"`{right}` of `{module}` ({defined_at})")


def find_module(project: Project, place: Place, missing: str) -> Typo:
    """The module that an import means."""
    head, _, wrong = missing.rpartition(".")
    use = only_name(place, wrong)
    alias, statement = _import_around(place, use)
    named = _module_in(place.code, alias, statement)
    parts = named.split(".")
    if not any(_means(".".join(parts[:size]), missing) for size in range(1, len(parts) + 1)):
        raise RefusedError(f"{place} does not import {missing}")
    if not head:
        right, defined_at = _top_module(project, place, wrong)
    else:
        right, defined_at = _inner_module(project, head, wrong)
    _refuse_missing_names(project, place, statement, named, wrong, right)
    if isinstance(statement, cst.Import) and isinstance(alias, cst.ImportAlias) and not head:
        _refuse_bound(place.code, alias, right)
    return Typo(place, use, right, f"the module `{f'{head}.' if head else ''}{right}` ({defined_at})")


def _import_around(place: Place, use: cst.Name) -> tuple[cst.ImportAlias | None, cst.Import | cst.ImportFrom]:
    code = place.code
    around = list(code.ancestors(use))
    if any(isinstance(up, cst.Try | cst.TryStar) for up in around):
        raise RefusedError(f"the import at {place} stands in a try: it may be meant to fail")
    statement = next((up for up in around if isinstance(up, cst.Import | cst.ImportFrom)), None)
    alias = next((up for up in around if isinstance(up, cst.ImportAlias)), None)
    if statement is None or (alias is not None and alias.asname is not None and use in list(code.nodes(alias.asname))):
        raise RefusedError(f"{place} does not import {use.value}")
    return alias, statement


def _module_in(code: Code, alias: cst.ImportAlias | None, statement: cst.Import | cst.ImportFrom) -> str:
    if isinstance(statement, cst.ImportFrom):
        return module_named(code, statement)
    return (dotted(alias.name) or "") if alias is not None else ""


def _means(target: str, module: str) -> bool:
    """Whether a name as it was imported is the module that the error names: a relative one knows no package above."""
    return target == module or (target[:1] == "/" and f".{target.lstrip('/.')}".endswith(f".{module}"))


def _refuse_other_file(code: Code | None, module: str, path: str | None) -> None:
    """Raises ``RefusedError`` if the module was imported from elsewhere than from the project or from Python."""
    if path is None or (path == "unknown location" and code is None):
        return
    posix, name = path.replace("\\", "/"), module.replace(".", "/")
    own = posix.endswith((f"/{name}.py", f"/{name}/__init__.py"))
    if not in_app(Frame(path, 0, "", None)):
        own = code is None and "-packages/" not in posix
    if not own and not (code is None and posix.endswith(f"/{module.rpartition('.')[2]}.py")):
        raise RefusedError(f"{module} was imported from {path}, which is not the file in question")


def _exported(project: Project, code: Code | None, module: str, wrong: str) -> tuple[str, str]:
    """The close name of a module, and where it is defined."""
    if code is None:
        refuse_uncertain_name(module, wrong)
        refuse_shadowed(project.paths, module)
        right = only_close(wrong, all_names(module), f"in the module {module}")
        if right not in names_of(module):
            raise RefusedError(f"{module}.{right} is not known in every version of Python")
        return right, "standard library"
    refuse_unreadable_names(code)
    inner = submodules(project, code)
    right = only_close(wrong, module_names(code) | inner, f"in {code.source.path}")
    if right in inner and right not in module_names(code):
        return right, "a module of the package"
    return right, certain_global(code, right).at()


def _top_module(project: Project, place: Place, wrong: str) -> tuple[str, str]:
    own = _top_modules(project)
    others = frozenset(_imported_words(project)) - {wrong}
    right = only_close(wrong, own | others | known_modules() | _PUBLIC_MODULES, f"of a module at {place}")
    module = None if right in sys.stdlib_module_names else project.module(right)
    if right in own and module is not None and place.code.source.path.startswith(_root_of(module)):
        return right, module.source.path
    if right in known_modules() and right not in own:
        return right, "standard library"
    raise RefusedError(f"{right} is neither a module of the project nor known in every version of Python")


def _imported_words(project: Project) -> Iterator[str]:
    """Every word of every line that begins like an import: rather too many than too few."""
    for path in project.paths:
        for line in _IMPORT_LINE.findall(project.text(path)):
            yield from re.findall(r"\w+", line)


def _root_of(module: Code) -> str:
    """The folder from which a module is imported, with the slash behind it."""
    path = module.source.path.removesuffix("/__init__.py")
    return path[: path.rfind("/") + 1]


def _top_modules(project: Project) -> frozenset[str]:
    """Every name under which a module of the project may be imported without a package."""
    names = (path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2] for path in project.paths)
    return frozenset(names)


def _inner_module(project: Project, head: str, wrong: str) -> tuple[str, str]:
    package = project.module(head)
    if package is None:
        raise RefusedError(f"the package {head} is not in the project")
    refuse_unreadable_names(package)
    right = only_close(wrong, submodules(project, package), f"in the package {head}")
    module = project.module(f"{head}.{right}")
    if module is None:
        raise RefusedError(f"{head}.{right} is not shown to be a module")
    return right, module.source.path


def _refuse_missing_names(
    project: Project, place: Place, statement: cst.Import | cst.ImportFrom, named: str, wrong: str, right: str
) -> None:
    """What is imported from the right module must be there as well, with all modules that were named behind it."""
    parts = [right if part == wrong else part for part in named.split(".")]
    target = ".".join(parts)
    code = project.module(target)
    if code is None and target not in known_modules():
        raise RefusedError(f"{target} is not shown to be a module, as the import at {place} needs it")
    aliases = statement.names if isinstance(statement, cst.ImportFrom) else ()
    if isinstance(aliases, cst.ImportStar):
        raise RefusedError(f"{place} imports `*`")
    for alias in aliases:
        name = alias.evaluated_name
        if code is not None and name not in submodules(project, code):
            certain_global(code, name)
        elif code is None and name not in names_of(target):
            raise RefusedError(f"{target}.{name} is not known in every version of Python")


def _refuse_bound(code: Code, alias: cst.ImportAlias, right: str) -> None:
    """The right name must be free where it is bound from now on."""
    if alias.asname is None and right in bound_names(code):
        raise RefusedError(f"{code.source.path} already means something by {right}")
