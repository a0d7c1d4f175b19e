"""Makes foreign text harmless where a person or a forge reads it: error texts are written by strangers."""

import re

from selfimprover.characters import visible

__all__ = ["code", "fenced", "one_line", "prose", "visible"]

_CODE_SPAN = re.compile(r"((?<!`)`[^`]+`(?!`))")
_JOINER = "\u2060"
"""An invisible word joiner: it keeps a forge from reading ``@name`` or ``#12``."""


def one_line(text: str, limit: int = 160) -> str:
    """The visible text on one line, cut with an ellipsis."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def code(text: str, limit: int = 160) -> str:
    """A Markdown code span: nothing in it links, mentions or renders."""
    line = one_line(text, limit)
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def prose(text: str, limit: int = 2_000) -> str:
    """Our own sentences with foreign words in them: code spans stay, nothing outside them links or mentions."""
    pieces = _CODE_SPAN.split(one_line(text, limit))
    pieces[::2] = [_defused(piece) for piece in pieces[::2]]
    return "".join(pieces)


def fenced(text: str, limit: int = 4_000) -> str:
    """A Markdown code block; a long text keeps its end, where a traceback says most."""
    body = visible(text).strip("\n")
    if len(body) > limit:
        body = "…\n" + body[-limit:].partition("\n")[2]
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}text\n{body}\n{fence}"


def _defused(text: str) -> str:
    text = re.sub(r"([\\`*_\[\]<>|~!&])", r"\\\1", text)
    return re.sub(r"(?i)(@|#(?=\d)|(?<=[a-z]):(?=//)|\bwww(?=\.))", f"\\1{_JOINER}", text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
