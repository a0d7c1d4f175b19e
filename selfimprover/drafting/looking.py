"""What a model may look at by itself: files, searches and definitions inside the tree, and nothing else.

Reading only. Whatever is asked, the answer is a text of bounded size; what is wrong with a request is said in one line.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from selfimprover.characters import visible
from selfimprover.drafting import hidden
from selfimprover.drafting.look_requests import TOOLS, Look, parse_looks
from selfimprover.drafting.reading.excerpts import excerpt
from selfimprover.drafting.reading.files import MAX_BYTES, Files
from selfimprover.drafting.reading.globs import matches
from selfimprover.drafting.reading.neighbours import by_nearness, definitions
from selfimprover.drafting.reading.python_code import PythonFile

__all__ = ["TOOLS", "Look", "Looker", "parse_looks"]

MAX_ANSWER = 16_000
"""Characters of one answer."""
_MAX_LINES = 400
_USUAL_LINES = 200
_MAX_HITS = 60
_MAX_HITS_A_FILE = 10
_MAX_SEARCHED = 64_000_000
_MAX_PATHS = 200
_MAX_DEFINITIONS = 4
_MAX_ARGUMENT = 300
_MAX_LINE = 300


class _BadRequestError(Exception):
    """A request that cannot be answered; its text says why, in one line."""


class Looker:
    """Answers the requests of a model about the files under ``tree``. ``redact`` takes secrets out of all."""

    def __init__(self, tree: Path, redact: Callable[[str], str]) -> None:
        self._files = Files(tree)
        self._redact = redact
        self._tools: Mapping[str, Callable[[Mapping[str, object]], str]] = {
            "read_file": self._read_file,
            "search": self._search,
            "list_files": self._list_files,
            "find_definition": self._find_definition,
        }

    def answer(self, name: str, arguments: Mapping[str, object]) -> str:
        """The answer to one request; never raises, whatever is asked."""
        try:
            _check(name, arguments)
            return self._sized(self._tools[name](arguments))
        except _BadRequestError as problem:
            return self._sized(" ".join(visible(f"Not possible: {problem}").split()))

    def _sized(self, text: str) -> str:
        text = self._redact(text)
        notes = f"\n[{hidden.NOTE}]" if hidden.PLACEHOLDER.search(text) else ""
        if len(text) + len(notes) <= MAX_ANSWER:
            return text + notes
        notes += "\n[cut here: ask for less]"
        return text[: MAX_ANSWER - len(notes)].rpartition("\n")[0] + notes

    def _read_file(self, arguments: Mapping[str, object]) -> str:
        path = _text(arguments, "path").removeprefix("./")
        if path not in self._files.known:
            raise _BadRequestError(f"{path} is no file of the project that may be read{self._like(path)}")
        text = self._files.text(path)
        if text is None:
            raise _BadRequestError(f"{path} is binary or larger than {MAX_BYTES} bytes")
        lines = text.removesuffix("\n").split("\n")
        first = _number(arguments, "first_line", 1)
        last = min(_number(arguments, "last_line", first + _USUAL_LINES - 1), len(lines))
        if first > last:
            raise _BadRequestError(f"{path} has {len(lines)} lines; {first} to {last} are none of them")
        end = min(last, first + _MAX_LINES - 1)
        shown = excerpt(lines, first, end)
        room = MAX_ANSWER - _MAX_ARGUMENT
        while len(shown) > room and end > first:
            end = first + (end - first) // 2
            shown = excerpt(lines, first, end)
        cut = "" if end == last else f", not further to {last}: ask for the rest by its lines"
        return f"{path}, lines {first} to {end} of {len(lines)}{cut}\n{shown}"

    def _search(self, arguments: Mapping[str, object]) -> str:
        pattern = _text(arguments, "pattern")
        if "\n" in pattern or not pattern.strip():
            raise _BadRequestError("a search is for a text within one line")
        glob = _text(arguments, "glob", "**")
        whole = arguments.get("whole_word") is True
        hits: list[str] = []
        for files, (path, found) in enumerate(self._hits(pattern, glob, whole=whole), start=1):
            hits += [f"{path}:{line}: {text}" for line, text in found[:_MAX_HITS_A_FILE]]
            if len(found) > _MAX_HITS_A_FILE:
                hits.append(f"{path}: {len(found) - _MAX_HITS_A_FILE} more lines")
            if len(hits) > _MAX_HITS:
                return "\n".join([*hits[:_MAX_HITS], f"[cut after {files} files: narrow the glob or the text]"])
        if not hits:
            return f"No line holds {pattern!r} in files of {glob!r}. (It is literal text, upper and lower case differ.)"
        return "\n".join(hits)

    def _list_files(self, arguments: Mapping[str, object]) -> str:
        glob = _text(arguments, "glob", "**")
        found = [path for path in self._files.paths if matches(path, glob)]
        if not found:
            return f"No file of the project fits {glob!r}."
        more = f"\n[{len(found) - _MAX_PATHS} more: narrow the glob]" if len(found) > _MAX_PATHS else ""
        return "\n".join(found[:_MAX_PATHS]) + more

    def _find_definition(self, arguments: Mapping[str, object]) -> str:
        name = _text(arguments, "name").strip().removesuffix("()")
        if not all(part.isidentifier() for part in name.split(".")):
            raise _BadRequestError("a definition is asked for by a name, or as Class.method")
        found = definitions(self._files, name, "", too_common=None)
        pieces: list[str] = []
        for each in found[:_MAX_DEFINITIONS]:
            code = self._files.code(each.path)
            if code is not None:
                text = _class(code, each.first, each.last) if each.is_class else ""
                text = text or excerpt(code.lines, each.first, min(each.last, each.first + _MAX_LINES // 2))
                pieces.append(f"{each.path}, lines {each.first} to {each.last}: {each.qualified}\n{text}")
        if not pieces:
            return f"No Python function or class is called {name!r}. (Search finds other names.)"
        if len(found) > _MAX_DEFINITIONS:
            others = ", ".join(f"{each.path}:{each.first}" for each in found[_MAX_DEFINITIONS : _MAX_DEFINITIONS + 20])
            pieces.append(f"[also defined in {others}]")
        return "\n\n".join(pieces)

    def _hits(self, pattern: str, glob: str, *, whole: bool) -> Iterator[tuple[str, list[tuple[int, str]]]]:
        """The lines that hold the text, file by file; what is a secret in them cannot be found by looking for it."""
        wanted = pattern.encode("utf-8", "replace")
        searched = 0
        for path in self._files.paths:
            if not matches(path, glob) or searched > _MAX_SEARCHED:
                continue
            raw = self._files.python[path] if path in self._files.python else self._files.raw(path)
            searched += len(raw or b"")
            if raw is None or wanted not in raw:
                continue
            lines = enumerate((self._files.text(path) or "").split("\n"), start=1)
            holding = [(number, line) for number, line in lines if _holds(line, pattern, whole=whole)]
            shown = [(number, self._redact(line)) for number, line in holding[:_MAX_HITS]]
            if kept := [(number, _short(line)) for number, line in shown if pattern in line]:
                yield path, kept

    def _like(self, path: str) -> str:
        """Files of the same name, as a hint."""
        name = path.rpartition("/")[2]
        same = [each for each in self._files.paths if each.rpartition("/")[2] == name]
        return f"; there is {', '.join(by_nearness(same, path)[:3])}" if same else ""


_PARAMETERS: Mapping[str, Mapping[str, type]] = {
    "read_file": {"path": str, "first_line": int, "last_line": int},
    "search": {"pattern": str, "glob": str, "whole_word": bool},
    "list_files": {"glob": str},
    "find_definition": {"name": str},
}
"""What each tool may be given."""


def _check(name: str, arguments: Mapping[str, object]) -> None:
    parameters = _PARAMETERS.get(name)
    if parameters is None:
        raise _BadRequestError(f"there is no tool {name[:40]!r}; there are {', '.join(_PARAMETERS)}")
    for key, value in arguments.items():
        expected = parameters.get(key)
        if expected is None:
            raise _BadRequestError(f"{name} takes {', '.join(parameters)}, and no {str(key)[:80]!r}")
        if value is not None and (not isinstance(value, expected) or isinstance(value, bool) is not (expected is bool)):
            raise _BadRequestError(f"{key} of {name} must be {_KINDS[expected]}")


_KINDS = {str: "a text", int: "a whole number", bool: "true or false"}


def _text(arguments: Mapping[str, object], key: str, default: str | None = None) -> str:
    value = arguments.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not value:
        raise _BadRequestError(f"{key} is missing")
    if len(value) > _MAX_ARGUMENT:
        raise _BadRequestError(f"{key} is longer than {_MAX_ARGUMENT} characters")
    return value


def _number(arguments: Mapping[str, object], key: str, default: int) -> int:
    value = arguments.get(key)
    if not isinstance(value, int):
        return default
    if value < 1:
        raise _BadRequestError(f"{key} counts from 1")
    return value


def _holds(line: str, pattern: str, *, whole: bool) -> bool:
    at = line.find(pattern)
    while at >= 0 and whole:
        before, after = line[at - 1 : at], line[at + len(pattern) : at + len(pattern) + 1]
        if not _is_word(before) and not _is_word(after):
            return True
        at = line.find(pattern, at + 1)
    return at >= 0


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}… [{len(line) - _MAX_LINE} more characters]"


def _class(code: PythonFile, first: int, last: int) -> str:
    """A class that is too long to be shown whole, as its skeleton; else empty."""
    long = last - first > _USUAL_LINES
    return next(
        (code.skeleton(each) for each in code.definitions if long and each.first == first and each.is_class), ""
    )
