"""Which names the retry may use: what is imported here, and what means something else."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import libcst as cst

from selfimprover.drafting.recipes.retry_connect.site import Site
from selfimprover.drafting.recipes.source import mentioning
from selfimprover.drafting.recipes.syntax import Code, dotted, last_name
from selfimprover.errors import RefusedError

_BUILTINS = frozenset({"ConnectionError", "TimeoutError", "min"})
_OTHER_LOOPS = frozenset({"anyio", "curio", "trio"})


def names_read(site: Site) -> frozenset[str]:
    """Every name in the expression, and the receiver."""
    names = {node.value for node in site.code.nodes(site.whole) if isinstance(node, cst.Name)}
    return frozenset(names | {site.receiver or ""})


def imported_modules(code: Code, name: str) -> list[str]:
    """The names under which ``import name`` binds the module at the top of the file, if nothing else binds them."""
    aliases = [alias for imported, alias in _top_imports(code) if imported == name]
    return [alias for alias in aliases if code.global_bindings(alias) == aliases.count(alias)]


def module_names(site: Site, modules: Sequence[str]) -> dict[str, str]:
    """Module → the name to use for it in the helper, imported or not; raises ``RefusedError`` if none is free."""
    return {module: _name_for(site, module) for module in modules}


def refuse_taken_names(tree: Path, site: Site) -> None:
    """Raises ``RefusedError`` if the helper exists, or a builtin that the helper needs means something else here."""
    path, bound = site.code.source.path, site.code.global_names()
    for name in sorted(_OTHER_LOOPS & bound if site.is_async else ()):
        raise RefusedError(f"{path} imports {name}, whose event loop `asyncio.sleep` may not run in")
    if any(isinstance(node, cst.ImportStar) for node in site.code.nodes()):
        raise RefusedError(f"{path} imports `*`, so what its names mean cannot be shown")
    for name in sorted(_BUILTINS & (bound | names_read(site))):
        raise RefusedError(f"`{name}` means something else than the builtin in {path}")
    for source in mentioning(tree, site.helper):
        if source.path == path or site.owner is not None:  # a class far up or down the line of bases may define it
            raise RefusedError(f"{source.path} already has {site.helper}")


def _name_for(site: Site, module: str) -> str:
    inside = frozenset(site.locals)
    for alias in imported_modules(site.code, module):
        if alias not in inside:
            return alias
    taken = inside | site.code.global_names()
    for alias in (module, f"_{module}"):
        if alias not in taken:
            return alias
    raise RefusedError(f"`{module}` and `_{module}` mean something else in {site.code.source.path}")


def _top_imports(code: Code) -> Iterator[tuple[str, str]]:
    """(module, name bound) of each plain import that stands alone at the top level."""
    for statement in code.module.body:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            for alias in small.names if isinstance(small, cst.Import) else ():
                module = dotted(alias.name) or ""
                if alias.asname is None:
                    yield module.partition(".")[0], module.partition(".")[0]
                else:
                    yield module, last_name(alias.asname.name) or ""
