"""The code that raises or builds the error, and what the message names: all there is without a traceback."""

import re
from collections.abc import Iterator

from selfimprover.drafting.reading.failing import FAILING
from selfimprover.drafting.reading.messages import builders
from selfimprover.drafting.reading.neighbours import Use, by_nearness, definitions
from selfimprover.drafting.reading.parts import Candidate
from selfimprover.drafting.reading.scene import Scene
from selfimprover.drafting.reading.suspects import named_class, quoted

RAISER = 26
_MENTION = 12
_MAX_BUILDERS = 3
_MAX_RAISES = 3
_MAX_NAMES = 4
_IDENTIFIER = re.compile(r"\b(?=\w*[a-z])(?:[A-Za-z]\w*_\w+|_\w{3,}|[A-Z][a-z]+[A-Z]\w+)\b")

_INTERPRETER = re.compile(
    r"has no attribute |is not subscriptable|support item |unsupported operand|not supported between|is not defined"
    r"|required (?:positional|keyword-only) argument|unexpected keyword argument|is not callable|is not iterable"
    r"|(?:list|tuple|string) index out of|positional arguments? but|can't be used in 'await'|No module named"
    r"|cannot import name|object is not an iterator|indices must be|values to unpack|invalid literal for"
)


def raisers(scene: Scene) -> Iterator[Candidate]:
    """Where the message is built, and the class of the error with the places that raise it, if it is the project's."""
    near = scene.site.path if scene.site else ""
    rank = RAISER if scene.site else FAILING + 1
    for use in builders(scene.files, scene.message)[:_MAX_BUILDERS] if _is_built_by_code(scene) else ():
        yield from scene.use(use, "raiser", rank, "builds the message")
    if not scene.error_type.isidentifier():
        return
    for each in definitions(scene.files, scene.error_type, near, classes=True)[:1]:
        yield from scene.definition(each, "raiser", RAISER, "the class of the error")
        for use in _raises(scene, near)[:_MAX_RAISES]:
            yield from scene.use(use, "raiser", rank + 1, "raises it")


def mentions(scene: Scene) -> Iterator[Candidate]:
    """Without a traceback: the definitions and uses of the names in the message."""
    if scene.site is not None:
        return
    names = [*quoted(scene.message), *_IDENTIFIER.findall(scene.message), named_class(scene.message) or ""]
    known = [name for name in dict.fromkeys(names) if name.rpartition(".")[2].isidentifier()]
    for name in known[:_MAX_NAMES]:
        for each in definitions(scene.files, name, "")[:2]:
            yield from scene.definition(each, "class" if each.is_class else "mention", _MENTION)
        for use in _uses(scene, name.rpartition(".")[2])[:2]:
            yield from scene.use(use, "mention", _MENTION + 1, f"uses {name}")


def _is_built_by_code(scene: Scene) -> bool:
    """Whether the message is somebody's own, and not one that the interpreter gives when it raises by itself."""
    raising = scene.site is not None and (scene.site.frame.text or "").startswith("raise")
    return raising or not _INTERPRETER.search(scene.message)


def _raises(scene: Scene, near: str) -> list[Use]:
    name = scene.error_type.encode()
    pattern = re.compile(rb"(?m)^[ \t]*raise[ \t]+(?:\w+\.){0,4}" + re.escape(name) + rb"(?!\w)")
    return _found(scene, pattern, name, near)


def _uses(scene: Scene, name: str) -> list[Use]:
    word = name.encode("utf-8", "replace")
    return _found(scene, re.compile(rb"(?<!\w)" + re.escape(word) + rb"(?!\w)"), word, "")


def _found(scene: Scene, pattern: re.Pattern[bytes], holding: bytes, near: str) -> list[Use]:
    """The first match in each file as a use, the nearest files first."""
    found: list[Use] = []
    for path in by_nearness(scene.files.matching(pattern, holding=holding), near)[:_MAX_RAISES]:
        code = scene.files.code(path)
        match = pattern.search(scene.files.python[path])
        if code is not None and match is not None:
            line = scene.files.python[path].count(b"\n", 0, match.start(0)) + 1
            found.append(Use(path, line, code.around(line)))
    return found
