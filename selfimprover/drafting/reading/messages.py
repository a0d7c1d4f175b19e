"""Finds the code that builds an error message: the string constants whose literal parts the message holds."""

import ast
import re
from collections.abc import Iterator

from selfimprover.drafting.reading.files import Files
from selfimprover.drafting.reading.neighbours import Use
from selfimprover.drafting.reading.python_code import PythonFile
from selfimprover.drafting.recipes.source import is_test

_WORD = re.compile(r"[^\W\d_]{4,40}")
_FIELD = re.compile(r"%[-#0 +]{0,3}\d{0,3}(?:\.\d{1,3})?[sdrifgxa]|\{[^{}]{0,80}\}")
_MAX_WORDS = 24
_MAX_FILES = 20
_MIN_PIECE = 3
_MIN_TOTAL = 9
_MAX_MESSAGE = 4_000


def builders(files: Files, message: str) -> list[Use]:
    """The places whose strings make up most of a message, the best first; outside of tests."""
    message = " ".join(message[:_MAX_MESSAGE].split())
    scored: dict[tuple[str, int], tuple[int, Use]] = {}
    for path in _holding_words(files, message):
        code = files.code(path)
        if code is not None:
            for line, length in _strings(code, message):
                scored[path, line] = (length, Use(path, line, code.around(line)))
    best = max((length for length, _ in scored.values()), default=0)
    good = [each for each in scored.values() if each[0] * 2 > best]
    return [use for _, use in sorted(good, key=lambda each: (-each[0], each[1].path, each[1].line))]


def _holding_words(files: Files, message: str) -> list[str]:
    """The files that hold most words of the message, each word counting more the fewer files hold it."""
    words = list(dict.fromkeys(_WORD.findall(message)))[:_MAX_WORDS]
    weight: dict[str, float] = {}
    for word in words:
        needle = word.encode()
        holding = [path for path, raw in files.python.items() if needle in raw and not is_test(path)]
        for path in holding:
            weight[path] = weight.get(path, 0.0) + 1 / len(holding)
    return sorted(weight, key=lambda path: (-weight[path], path))[:_MAX_FILES]


def _strings(code: PythonFile, message: str) -> Iterator[tuple[int, int]]:
    """``(line, length)`` of each string that the message may have been made from."""
    inside = {id(part) for node in code.nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in code.nodes:
        if isinstance(node, ast.JoinedStr):
            texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            texts = [node.value]
        else:
            continue
        length = _length([text for text in texts if isinstance(text, str)], message)
        if length:
            assert isinstance(node, ast.expr)
            yield node.lineno, length


def _length(texts: list[str], message: str) -> int:
    """How much of the message these pieces make up, if they come in it in this order; else 0."""
    position = total = 0
    for text in texts:
        for piece in (" ".join(each.split()) for each in _FIELD.split(text)):
            if len(piece) < _MIN_PIECE:
                continue
            found = message.find(piece, position)
            if found < 0:
                return 0
            position = found + len(piece)
            total += len(piece)
    return total if total >= _MIN_TOTAL else 0
