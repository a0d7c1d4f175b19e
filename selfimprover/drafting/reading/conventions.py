"""How the project answers bad input near the failing code: exception types, guards of siblings, what the docs say."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from selfimprover.characters import without_comments
from selfimprover.drafting.reading.files import Files
from selfimprover.drafting.reading.neighbours import by_nearness
from selfimprover.drafting.reading.parts import Candidate, Part
from selfimprover.drafting.reading.python_code import Definition, Function, PythonFile, first_sentence, functions_in
from selfimprover.drafting.reading.scene import Scene
from selfimprover.drafting.recipes.source import is_test

CONVENTION = 27
_CLASS = re.compile(rb"(?m)^[ \t]*class[ \t]+(\w{1,100})[ \t]*\(([^)\n]{1,300})\)")
_EXCEPTION = re.compile(r"(?:Error|Exception|Warning|Exit|Interrupt|Timeout)$")
_BAD_INPUT = re.compile(
    r"(?i)\b(?:rais(?:e[sd]?|ing)|invalid|malformed|missing|unknown|empty|none|bad|corrupt|broken|not found|fallback"
    r"|default(?:s)? to|ignore[sd]?|skip(?:s|ped)?|never)\b"
)
_MAX_TYPES = 25
_MAX_SIBLINGS = 8
_MAX_GUARDS = 4
_MAX_GUARD_LINES = 6
_MAX_PARAGRAPHS = 4
_MAX_PARAGRAPH = 700
_MAX_DOCS = 60
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class _ErrorClass:
    name: str
    bases: str
    path: str
    line: int


def conventions(scene: Scene) -> Iterator[Candidate]:
    """Up to three parts: guards of siblings, exception types, paragraphs of the documentation."""
    near = scene.site.path if scene.site else ""
    types = [each for path in by_nearness_of(error_classes(scene.files), near) for each in path]
    if guards := _guards(scene):
        yield Candidate(Part("convention", "how functions beside it answer bad input", guards, CONVENTION))
    if types:
        text = "\n".join(_line(scene.files, each) for each in types[:_MAX_TYPES])
        if len(types) > _MAX_TYPES:
            text += f"\n… and {len(types) - _MAX_TYPES} more"
        yield Candidate(Part("convention", "exception types that the project defines", text, CONVENTION + 1))
    if words := _documented(scene, types):
        yield Candidate(Part("convention", "what the documentation says near it", words, CONVENTION + 2))


def error_classes(files: Files) -> list[_ErrorClass]:
    """The exception classes of the project, outside of tests: those that derive from one, over any number of steps."""
    every: list[_ErrorClass] = []
    for path, raw in files.python.items():
        if not is_test(path):
            for match in _CLASS.finditer(raw):
                name, bases = (match[number].decode("utf-8", "replace") for number in (1, 2))
                every.append(_ErrorClass(name, bases, path, raw.count(b"\n", 0, match.start()) + 1))
    known: set[str] = set()
    for _ in range(_ROUNDS):
        known |= {each.name for each in every if any(_is_error(base, known) for base in each.bases.split(","))}
    return [each for each in every if each.name in known]


def by_nearness_of(types: list[_ErrorClass], near: str) -> list[list[_ErrorClass]]:
    """The classes by file, the nearest file first."""
    paths = by_nearness(list(dict.fromkeys(each.path for each in types)), near)
    return [[each for each in types if each.path == path] for path in paths]


def _is_error(base: str, known: set[str]) -> bool:
    name = base.strip().rpartition(".")[2]
    return name in known or _EXCEPTION.search(name) is not None


def _line(files: Files, each: _ErrorClass) -> str:
    code = files.code(each.path)
    found = [one for one in code.named(each.name) if one.is_class] if code is not None else []
    said = first_sentence(found[0].node) if found else ""
    return f"{each.path}:{each.line} class {each.name}({each.bases})" + (f": {said}" if said else "")


def _guards(scene: Scene) -> str:
    """The guards and handlers of the functions beside the failing one, those with the same parameters first."""
    site = scene.site
    code = scene.files.code(site.path) if site is not None else None
    if code is None or site is None:
        return ""
    wanted = _names(site.definition)
    beside = [
        (each, node)
        for each, node in functions_in(code.definitions)
        if site.definition is None or (each.name != site.definition.name and each.owner == site.definition.owner)
    ]
    others = [(each, node) for each, node in functions_in(code.definitions) if site.definition != each]
    pieces: dict[str, None] = {}
    for each, node in (*sorted(beside, key=lambda item: -len(wanted & _names(item[0]))), *others):
        if len(pieces) < _MAX_SIBLINGS and (text := _answers(code, each, node)):
            pieces.setdefault(text)
    return "\n\n".join(pieces)


def _answers(code: PythonFile, definition: Definition, node: Function) -> str:
    found = list(_guard_lines(code, node))[:_MAX_GUARDS]
    said = [line.strip() for line in (ast.get_docstring(node) or "").splitlines() if _BAD_INPUT.search(line)]
    if not found and not said:
        return ""
    head = f"{code.path}:{definition.first} {definition.qualified}"
    return "\n".join([head, *(f"    says: {line}" for line in said[:3]), *found])


def _guard_lines(code: PythonFile, node: Function) -> Iterator[str]:
    for statement in ast.walk(node):
        if isinstance(statement, ast.ExceptHandler) or _is_guard(statement):
            last = statement.body[-1].end_lineno or statement.lineno
            if last - statement.lineno < _MAX_GUARD_LINES:
                yield code.between(statement.lineno, last)


def _is_guard(statement: ast.AST) -> TypeGuard[ast.If]:
    leaving = ast.Raise | ast.Return | ast.Continue
    return isinstance(statement, ast.If) and isinstance(statement.body[-1], leaving)


def _names(definition: Definition | None) -> set[str]:
    node = definition.node if definition is not None else None
    if node is None or isinstance(node, ast.ClassDef):
        return set()
    return {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)} - {"self", "cls"}


def _documented(scene: Scene, types: list[_ErrorClass]) -> str:
    """What the docstrings around the failing code and the project's texts say about bad input."""
    site = scene.site
    pieces: list[str] = []
    code = scene.files.code(site.path) if site is not None else None
    if code is not None and site is not None and code.tree is not None:
        owner = code.owner_of(site.definition) if site.definition is not None else None
        for name, node in ((code.path, code.tree), (owner.qualified, owner.node) if owner else ("", None)):
            said = (ast.get_docstring(node) or "") if isinstance(node, ast.Module | ast.ClassDef) else ""
            pieces += [f"{name}: {each}" for each in _paragraphs(said) if _BAD_INPUT.search(each)]
    wanted = {each.name for each in types[:_MAX_TYPES]} | ({scene.error_type} - {""})
    if site is not None and site.definition is not None:
        wanted |= set(site.definition.qualified.split(".")) - {"__init__", "main", "run"}
    for path in [each for each in scene.files.paths if each.endswith((".md", ".rst"))][:_MAX_DOCS]:
        for each in _paragraphs(without_comments(scene.files.text(path) or "")):
            if wanted & set(re.findall(r"\w+", each)) and _BAD_INPUT.search(each):
                pieces.append(f"{path}: {each}")
    return "\n\n".join(each[:_MAX_PARAGRAPH] for each in pieces[:_MAX_PARAGRAPHS])


def _paragraphs(text: str) -> list[str]:
    return [" ".join(each.split()) for each in re.split(r"\n[ \t]*\n", text) if each.strip()]
