"""How a model asks to look further: as tool calls where the server knows them, else by lines of plain text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_LOOKS = 8
"""More requests in one answer are not read."""

_TEXT = {"type": "string"}
_LINE = {"type": "integer", "minimum": 1}
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`|(\S+)")
_LOOK = re.compile(r"^(?P<before>[ \t>*`-]{0,8})LOOK[ \t]+(?P<name>\w{1,40})(?P<rest>[^\n]{0,600})$", re.MULTILINE)
_RANGE = re.compile(r"^(\d{1,7})(?:-(\d{1,7}))?$")

PLAIN_TEXT = """\
LOOK read_file <path> <first>-<last>
LOOK search "<literal text>" <glob>
LOOK list_files <glob>
LOOK find_definition <name>"""
"""The same requests as lines, one for each tool, as a prompt shows them."""


@dataclass(frozen=True, slots=True)
class Look:
    """One request, as it was made: not yet checked."""

    name: str
    arguments: Mapping[str, object]


def _tool(name: str, description: str, properties: Mapping[str, object], required: list[str]) -> dict[str, object]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS: tuple[Mapping[str, object], ...] = (
    _tool(
        "read_file",
        "Lines of a text file of the project. Without lines, its beginning.",
        {"path": _TEXT, "first_line": _LINE, "last_line": _LINE},
        ["path"],
    ),
    _tool(
        "search",
        "Lines of the project that hold a literal text (no regular expression). The glob narrows the files.",
        {"pattern": _TEXT, "glob": _TEXT, "whole_word": {"type": "boolean"}},
        ["pattern"],
    ),
    _tool("list_files", "Paths of the project's files. A glob: * in a name, ** over folders.", {"glob": _TEXT}, []),
    _tool(
        "find_definition",
        "The source of a function or class, by its name or as Class.method.",
        {"name": _TEXT},
        ["name"],
    ),
)
"""The tools in the form of the OpenAI API."""


def parse_looks(answer: str) -> tuple[Look, ...]:
    """The ``LOOK`` lines of an answer, in order, at most ``MAX_LOOKS``. Whether they make sense, the looker says."""
    found = _LOOK.finditer(answer)
    return tuple(_look(match) for _, match in zip(range(MAX_LOOKS), found, strict=False))


def _look(match: re.Match[str]) -> Look:
    name = match["name"]
    rest = match["rest"].rstrip().removesuffix("`") if "`" in match["before"] else match["rest"]
    words = [next(group for group in word.groups() if group is not None) for word in _QUOTED.finditer(rest)]
    if name == "read_file":
        return Look(name, _file(words))
    if name == "search":
        return Look(name, dict(zip(("pattern", "glob"), words, strict=False)) | _unread(words[2:]))
    keys = {"list_files": "glob", "find_definition": "name"}
    if name in keys and words:
        return Look(name, {keys[name]: words[0]} | _unread(words[1:]))
    return Look(name, {})


def _file(words: list[str]) -> dict[str, object]:
    if not words:
        return {}
    lines = _RANGE.match(" ".join(words[1:]).replace(" ", "")) if words[1:] else None
    if lines is None:
        return {"path": words[0]} | _unread(words[1:])
    return {"path": words[0], "first_line": int(lines[1]), "last_line": int(lines[2] or lines[1])}


def _unread(words: list[str]) -> dict[str, object]:
    """What was said too much, under a name that no tool has, so that the answer can say so."""
    return {" ".join(words): ""} if words else {}
