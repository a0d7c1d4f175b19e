"""Cuts the text of an answer into pieces: headings, blocks, fenced code and plain lines.

Models wrap what they write in thinking tags, control tokens and fences; none of it means anything here. Lines
are what a newline, a carriage return or both end. Nothing is looked for inside a block but the marker that ends it.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_OPEN = re.compile(r" {0,3}(?P<marks><{5,9}|-{5,9}) ?(?P<kind>SEARCH|ORIGINAL|FUNCTION)\b(?P<rest>.*)", re.IGNORECASE)
_DIVIDE = re.compile(r"(?P<marks>={5,9})[ \t]*")
_CLOSE = re.compile(
    r" {0,3}(?P<marks>>{5,9}|\+{5,9})(?P<word> ?(?:REPLACE|UPDATED|FUNCTION|END)\b.*)?[ \t]*", re.IGNORECASE
)
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)")
_TOKEN = re.compile(r"<[|｜][\w▁./-]{1,40}[|｜]>|</s>|<end_of_turn>|<eos>|\[/?INST\]")
_TURN_ENDS = re.compile(
    r"<[|｜](?:im_end|eot_id|endoftext|end▁of▁sentence|return|eom_id|end_of_text)[|｜]>|</s>|<end_of_turn>|<eos>"
)
_FINAL_CHANNEL = re.compile(r"<\|channel\|>final(?: [^<\n]{0,80})?<\|message\|>")
_THOUGHT_ENDS = re.compile(r"</(?:think|thinking|thought|reasoning|reflection)>", re.IGNORECASE)
_THOUGHT_BEGINS = re.compile(r"\s*<(?:think|thinking|thought|reasoning|reflection)>", re.IGNORECASE)
_NAMES = {
    "root cause": "cause",
    "evidence": "evidence",
    "title": "title",
    "summary": "summary",
    "effect": "effect",
    "risk": "risk",
    "risk class": "risk",
    "may hide": "hides",
    "what it may hide": "hides",
    "changes": "changes",
    "change": "changes",
    "edits": "changes",
    "fix": "changes",
    "patch": "changes",
    "search/replace blocks": "changes",
    "test": "test",
    "reproduction": "test",
    "reproduction test": "test",
    "cannot fix": "cannot",
    "can't fix": "cannot",
    "can not fix": "cannot",
    "not a code problem": "notcode",
    "not code": "notcode",
    "owner": "owner",
    "watch": "watch",
}
_HEADING = re.compile(
    r" {0,3}(?P<hash>#{1,6}[ \t]*)?(?:[-*][ \t]+(?=\*\*))?(?:\d{1,2}[.)][ \t]*)?(?P<bold>\*\*|__)?[ \t]*"
    rf"(?P<name>{'|'.join(sorted(map(re.escape, _NAMES), key=len, reverse=True))})"
    r"[ \t]*(?P<colon>:)?[ \t]*(?:\*\*|__)?[ \t]*(?P<late>:)?[ \t]*(?P<rest>.*)",
    re.IGNORECASE,
)
_ENDS_TRIED = 10
_HEADING_LENGTH = 5_000
_PATH_LENGTH = 5_000
_LABEL = re.compile(r"^(?:new )?(?:file|path|filename|in)\s*:\s*", re.IGNORECASE)
_NUMBER = re.compile(r"^\d{1,2}[.)]\s+")
_SETTING = re.compile(r"(?:title|path|file|filename)=", re.IGNORECASE)
_FILE = re.compile(r"[^\s`]*(?:/[^\s`]*|\.[A-Za-z]\w{0,9})")
_QUOTED = re.compile(r"`([^`\n]{1,300})`")
_PROSE = frozenset({"e.g.", "i.e."})


class MalformedError(ValueError):
    """The answer cannot be cut into pieces; the message is for the model."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The beginning of a section, with what stands behind the colon."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Plain:
    """A line of prose."""

    text: str


@dataclass(frozen=True, slots=True)
class Fenced:
    """Code between fences that holds no block."""

    path: str
    """What the fence or the line above it names as file; empty if nothing does."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A block between markers."""

    path: str
    """The file named in or above the block; empty if none is."""
    function: str
    """The name of the function to replace; empty for SEARCH/REPLACE."""
    search: tuple[str, ...]
    replace: tuple[str, ...]
    line: int
    """The line of the answer on which the block begins, from 1."""


Piece = Heading | Plain | Fenced | Marked


def lines_of(answer: str) -> list[str]:
    """The lines of an answer without thinking, framing and control tokens around it.

    Raises ``MalformedError`` if nothing but thinking is left.
    """
    finals = list(_FINAL_CHANNEL.finditer(answer))
    text = answer[finals[-1].end() :] if finals else answer
    return _split(_without_thinking(text.removeprefix("\ufeff")))


def _split(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def _without_thinking(text: str) -> str:
    """What stands behind the last end of thinking that an answer follows."""
    ends = [found.end() for found in _THOUGHT_ENDS.finditer(text)]
    for end in reversed(ends[-_ENDS_TRIED:]):
        if any(_begins(line) for line in _split(text[end:])) and not _in_block(_split(text[:end])):
            return text[end:]
    if not _THOUGHT_BEGINS.match(text):
        return text
    if not ends:
        raise MalformedError("the answer ends inside the thinking: think less, and give the answer itself")
    return text[ends[0] :]


def _in_block(lines: list[str]) -> bool:
    """Whether a block is open behind these lines."""
    for line in reversed(lines):
        if _CLOSE.fullmatch(line):
            return False
        if _OPEN.fullmatch(line):
            return True
    return False


def pieces(lines: list[str]) -> Iterator[Piece]:
    """The pieces of an answer in order; raises ``MalformedError`` at a block that has no clear end or middle."""
    at, above, wrappers, fences = 0, "", 0, _Fences(lines)
    while at < len(lines):
        line = lines[at]
        if opened := _OPEN.fullmatch(line):
            end = _block_end(lines, at, opened)
            yield _marked(lines, at, end, opened, above)
            at, above, line = end, "", lines[end]
        elif fence := _FENCE.fullmatch(line):
            named = _in_info(fence["info"])
            closes_wrapper = wrappers and not fence["info"].strip()
            end = 0 if closes_wrapper else fences.end(at, fence["marks"])
            if end:
                yield Fenced(named or above, tuple(lines[at + 1 : end]))
            else:
                wrappers += -1 if closes_wrapper else 1
            at, above = max(at, end), "" if end else named or above
        else:
            piece = _prose(line)
            yield piece
            above = path_in(piece.text) or ("" if isinstance(piece, Heading) else above)
        if _TURN_ENDS.search(line):
            return
        at += 1


def _prose(line: str) -> Heading | Plain:
    ended = _TURN_ENDS.search(line)
    line = _TOKEN.sub("", line[: ended.start()] if ended else line)
    return heading(line) or Plain(line)


def heading(line: str) -> Heading | None:
    """The heading that a line is: with a colon, in bold, behind ``#``, or alone in capitals."""
    match = _HEADING.fullmatch(line[:_HEADING_LENGTH])
    if match is None:
        return None
    colon, rest = match["colon"] or match["late"], match["rest"].strip()
    alone = not rest and (match["hash"] or match["bold"] or match["name"].isupper())
    return Heading(_NAMES[match["name"].lower()], rest) if colon or alone else None


def path_in(line: str) -> str:
    """The path that a line names as the file of what follows; empty if it names none, or several."""
    plain = _NUMBER.sub("", line.strip().lstrip("#*->").strip()).rstrip(":").strip().strip("*").strip()[:_PATH_LENGTH]
    labelled = _LABEL.sub("", plain).strip("*").strip()
    if labelled != plain or (labelled[:1] == "`" == labelled[-1:] and labelled.count("`") == 2):  # noqa: PLR2004 - a pair
        return _cleaned(labelled)
    if _FILE.fullmatch(plain):
        return _cleaned(plain)
    quoted = [one for one in _QUOTED.findall(plain) if _FILE.fullmatch(one) and "." in one.rpartition("/")[2]]
    return _cleaned(quoted[0]) if len(set(quoted)) == 1 else ""


def _cleaned(path: str) -> str:
    path = path.strip().strip("`'\"").strip()
    while path.startswith("./"):
        path = path[2:]
    return "" if path.lower() in _PROSE else path


def _in_info(info: str) -> str:
    """The path in the line that opens a fence: ```` ```python:a/b.py````, ```` ```a/b.py````, ``title="a/b.py"``."""
    for word in info.split():
        name = _SETTING.sub("", word).strip("\"'{}")
        name = name.partition(":")[2] or name
        if _FILE.fullmatch(name):
            return _cleaned(name)
    return ""


def _begins(line: str) -> bool:
    found = heading(line)
    return found is not None and found.name in {"cause", "cannot", "notcode"}


# --- blocks --------------------------------------------------------------------------------------------


def _block_end(lines: list[str], at: int, opened: re.Match[str]) -> int:
    """The line of the marker that ends the block: one as long as the first, else the next of any length."""
    count = len(opened["marks"])
    last = at + 1
    closers: list[tuple[int, re.Match[str]]] = []
    while last < len(lines):
        another = _OPEN.fullmatch(lines[last])
        if another and len(another["marks"]) == count:
            break
        if closed := _CLOSE.fullmatch(lines[last]):
            closers.append((last, closed))
            if closed["word"] and len(closed["marks"]) == count:
                return last
        last += 1
    for number, closed in closers:
        if closed["word"] or len(closed["marks"]) == count:
            return number
    where = f"the block that begins in line {at + 1} of the answer"
    raise MalformedError(
        f"{where} has no end: the line {'>' * count} REPLACE is missing"
        + (f" before the next block in line {last + 1}" if last < len(lines) else "")
    )


def _marked(lines: list[str], at: int, end: int, opened: re.Match[str], above: str) -> Marked:
    body, rest = lines[at + 1 : end], _TOKEN.sub("", opened["rest"]).strip(" \t:`*")
    if opened["kind"].upper() == "FUNCTION":
        path, _, name = rest.rpartition("::")
        code = _unfenced(tuple(body), path or above)
        return Marked(_cleaned(path) or above, name.strip().removesuffix("()"), (), code, at + 1)
    path = path_in(rest) or above
    middle = _divider(body, at, len(opened["marks"]))
    search, replace = tuple(body[:middle]), tuple(body[middle + 1 :])
    return Marked(path, "", _unfenced(search, path), _unfenced(replace, path), at + 1)


def _divider(body: list[str], at: int, count: int) -> int:
    found = [number for number, line in enumerate(body) if _DIVIDE.fullmatch(line)]
    exact = [number for number in found if len(body[number].rstrip()) == count]
    candidates = exact or found
    where = f"the block that begins in line {at + 1} of the answer"
    if not candidates:
        raise MalformedError(f"{where} has no line {'=' * count} between what is searched and what replaces it")
    if len(candidates) > 1:
        raise MalformedError(
            f"{where} has {len(candidates)} lines that could divide it: write its three markers with"
            f" {9 if count != 9 else 8} characters"  # noqa: PLR2004 - the longest markers
        )
    return candidates[0]


def _unfenced(lines: tuple[str, ...], path: str) -> tuple[str, ...]:
    """The lines without the fences that some models put around each part of a block."""
    fenced = len(lines) > 1 and lines[0].startswith("```") and lines[-1].strip() == "```"
    return lines[1:-1] if fenced and path.endswith(".py") else lines


# --- fences --------------------------------------------------------------------------------------------


class _Fences:
    """Where fences of an answer end, found out once for all lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._stops = [number for number, line in enumerate(lines) if _OPEN.fullmatch(line) or _begins(line)]
        fences = ((number, _FENCE.fullmatch(line)) for number, line in enumerate(lines))
        bare = [(number, fence["marks"]) for number, fence in fences if fence and not fence["info"].strip()]
        self._at = [number for number, _ in bare]
        self._marks = [marks for _, marks in bare]

    def end(self, at: int, marks: str) -> int:
        """The line that closes the fence which opens at ``at``; 0 if it wraps headings or blocks, or is left open."""
        after = bisect(self._stops, at)
        stop = self._stops[after] if after < len(self._stops) else None
        first = bisect(self._at, at)
        for number, closing in zip(
            self._at[first : first + _ENDS_TRIED], self._marks[first : first + _ENDS_TRIED], strict=False
        ):
            if closing.startswith(marks):
                return number if stop is None or number < stop else 0
        return 0
