"""Finds the frames of a traceback in the files of the tree, wherever their lines have moved since."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from selfimprover.drafting.reading.files import Files
from selfimprover.drafting.reading.python_code import Definition, PythonFile
from selfimprover.drafting.recipes.source import SourceFile
from selfimprover.patterns.tracebacks import Frame, in_app

MAX_FRAMES = 16
_INSTALLED = re.compile(r"(?:^|/)(?:site|dist)-packages/")
_FOREIGN = re.compile(r"(?:^|/)node_modules/|^node:|^<")


@dataclass(frozen=True, slots=True)
class Located:
    """A frame and where it stands now."""

    frame: Frame
    path: str
    line: int | None
    """``None`` where the code no longer has the line that the traceback shows."""
    definition: Definition | None
    """The function it ran in; ``None`` at module level, and outside Python."""
    note: str = ""
    """What a reader should know: the line has moved, is gone …"""


def locate(files: Files, frame: Frame) -> Located | None:
    """Where a frame stands now; ``None`` if its file is not in the tree."""
    candidates = _candidates(files, frame)
    located = [_locate_in(files, path, frame) for path in candidates]
    if not located:
        return None
    best = max(located, key=_trust)  # the first of equals
    if _is_guess(candidates[0], frame) and _trust(best) == 0:
        return None
    equals = sum(_trust(each) == _trust(best) for each in located)
    if equals > 1:
        note = f"{best.note}; " if best.note else ""
        return Located(frame, best.path, best.line, best.definition, f"{note}one of {equals} files that fit the frame")
    return best


def chosen(located: Sequence[Located], limit: int = MAX_FRAMES) -> tuple[Located, ...]:
    """At most ``limit`` frames, half from each end of the stack, in the order of the calls; repeated ones once."""
    places: dict[tuple[str, int | None, str], Located] = {}
    for each in reversed(located):  # of a recursion the innermost call is the one to keep
        places.setdefault((each.path, each.line, each.frame.function), each)
    distinct = list(reversed(places.values()))
    if len(distinct) <= limit:
        return tuple(distinct)
    outer = limit // 2
    return (*distinct[:outer], *distinct[outer - limit :])


def _candidates(files: Files, frame: Frame) -> list[str]:
    """The files whose paths share most trailing parts with the frame's; those that it names whole come before all."""
    path = frame.path.replace("\\", "/")
    if _FOREIGN.search(path):
        return []
    parts = PurePosixPath(path).parts
    name = parts[-1] if parts else ""
    ending = f"/{name}"
    shared = {each: _shared(each.split("/"), parts) for each in files.paths if each == name or each.endswith(ending)}
    whole = [each for each, count in shared.items() if count == len(each.split("/"))]
    if not in_app(frame):
        return _installed(path, shared)
    longest = max(shared.values(), default=0)
    exact = [each for each in whole if shared[each] == longest]
    return exact or [each for each, count in shared.items() if count == longest]


def _installed(path: str, shared: dict[str, int]) -> list[str]:
    """The project itself may run as an installed package: then everything below site-packages must fit."""
    split = list(_INSTALLED.finditer(path))
    if not split:
        return []
    below = len(path[split[-1].end() :].split("/"))
    return [each for each, count in shared.items() if count >= max(2, below)]


def _shared(left: Sequence[str], right: Sequence[str]) -> int:
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count


def _is_guess(path: str, frame: Frame) -> bool:
    """Whether only the name of the file agrees."""
    parts = PurePosixPath(frame.path.replace("\\", "/")).parts
    return "/" in path and len(parts) > 1 and _shared(path.split("/"), parts) == 1


def _locate_in(files: Files, path: str, frame: Frame) -> Located:
    code = files.code(path)
    if code is None:
        text = files.text(path)
        lines = 0 if text is None else text.count("\n") + 1
        return Located(frame, path, frame.line if frame.line <= lines else None, None)
    definitions = code.named(frame.function.rpartition(".")[2]) if not frame.function.startswith("<") else []
    line = _line(code, definitions, frame)
    around = code.around(line) if line is not None else (definitions[0] if definitions else None)
    while around is not None and around.is_class:  # the frame is the body of a class
        around = None
    return Located(frame, path, line, around, _note(frame, line))


def _line(code: PythonFile, definitions: list[Definition], frame: Frame) -> int | None:
    """The frame's own line if it still fits, else the nearest that does: in its function, then in the file."""
    inside = [each for each in definitions if each.first <= frame.line <= each.last]
    if frame.text is None:
        known = not frame.function or frame.function.startswith("<")
        return frame.line if 1 <= frame.line <= len(code.lines) and (inside or known) else None
    source = SourceFile(code.path, code.text)
    if source.shows(frame.line, frame.text) and (inside or not definitions):
        return frame.line
    spans = [range(each.first, each.last + 1) for each in definitions]
    for lines in (*spans, range(1, len(code.lines) + 1)):
        fitting = [line for line in lines if source.shows(line, frame.text)]
        if fitting:
            return min(fitting, key=lambda line: abs(line - frame.line))
    return None


def _note(frame: Frame, line: int | None) -> str:
    if line is None and frame.line:
        return "the code has changed: the line that the traceback shows is no longer there"
    if line is not None and line != frame.line:
        return f"the line has moved since, from {frame.line}"
    return ""


def _trust(located: Located) -> int:
    """How surely this is the place: its line and its function agree."""
    shown = located.line is not None and located.frame.text is not None
    return 2 * shown + (located.definition is not None and located.frame.function == located.definition.name)
