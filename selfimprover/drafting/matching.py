"""Where lines of a block stand in a file: exactly, or with another indentation throughout, and never nearly.

A file is a list of lines that keep their own newline (LF, CR LF or CR); other separators of Unicode are part of a line,
as they are for Python.
"""

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NEWLINES = "\r\n"
_COMMON = 50
_CONTEXT = 2
_QUOTED_LINES = 40
_QUOTED_WIDTH = 200
_SCANNED = 3_000
_ALIGNED = 40_000


@dataclass(frozen=True, slots=True)
class Shift:
    """How much deeper (``added``) or less deep (``removed``) the file is indented than the block."""

    added: str = ""
    removed: str = ""

    def moved(self, line: str) -> str | None:
        """The line as the file would indent it; ``None`` if it is not indented deeply enough for that."""
        if not line.strip():
            return line if not self.removed else line[len(self.removed) :]
        if not line.startswith(self.removed):
            return None
        return self.added + line[len(self.removed) :]


def split(text: str) -> list[str]:
    """The lines of a text with their newlines; joined they are the text."""
    return _LINE.findall(text)


def bare(line: str) -> str:
    """A line without its newline."""
    return line.rstrip(_NEWLINES)


def exact(lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where the wanted lines begin (from 0)."""
    return _places([bare(line) for line in lines], list(wanted))


def _places(lines: list[str], wanted: list[str]) -> list[int]:
    """Where one list is part of another; looked for by its rarest line."""
    counts = Counter(lines)
    anchor = min(range(len(wanted)), key=lambda number: counts[wanted[number]])
    if not counts[wanted[anchor]]:
        return []
    starts = (number - anchor for number, line in enumerate(lines) if line == wanted[anchor])
    return [at for at in starts if at >= 0 and lines[at : at + len(wanted)] == wanted]


def shifted(lines: Sequence[str], wanted: Sequence[str]) -> list[tuple[int, Shift]]:
    """Where the wanted lines begin if all are indented by as much more or less; blanks at their ends do not count."""
    plain = [bare(line).rstrip() for line in lines]
    aimed = [line.strip() for line in wanted]
    lead = next((number for number, line in enumerate(aimed) if line), None)
    if lead is None:
        return []
    found = []
    for at in _places([line.strip() for line in plain], aimed):
        shift = _shift(_indent(plain[at + lead]), _indent(wanted[lead]))
        if shift and all(
            not line.strip() or shift.moved(line.rstrip()) == plain[at + number] for number, line in enumerate(wanted)
        ):
            found.append((at, shift))
    return found


def _shift(real: str, written: str) -> Shift | None:
    if real.endswith(written):
        return Shift(added=real[: len(real) - len(written)])
    if written.endswith(real):
        return Shift(removed=written[: len(written) - len(real)])
    return None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def exchanged(old: Sequence[str], new: Sequence[str], *, last: bool, newline: str) -> list[str]:
    """``new`` (bare lines) in place of ``old`` (lines with newlines): what both have keeps its bytes.

    ``last``: ``old`` ends the file, so that a missing final newline stays missing. ``newline`` ends what is new.
    """
    plain = [bare(line) for line in old]
    ending = _usual_newline(old) or newline
    result: list[str] = []
    for keeps, begin, end, new_begin, new_end in _steps(plain, list(new)):
        result.extend(old[begin:end] if keeps else [line + ending for line in new[new_begin:new_end]])
    for number, line in enumerate(result[:-1]):
        if bare(line) == line:
            result[number] = line + ending
    if result:
        without = last and old and bare(old[-1]) == old[-1]
        tail = bare(result[-1])
        result[-1] = tail if without else result[-1] if tail != result[-1] else tail + ending
    return result


def _steps(old: list[str], new: list[str]) -> list[tuple[bool, int, int, int, int]]:
    """What stays and what is exchanged, in order."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    old_end, new_end = len(old) - tail, len(new) - tail
    steps = [(True, 0, head, 0, head)]
    if (old_end - head) * (new_end - head) > _ALIGNED:
        steps.append((False, head, old_end, head, new_end))
    else:
        matcher = difflib.SequenceMatcher(None, old[head:old_end], new[head:new_end], autojunk=False)
        steps.extend(
            (kind == "equal", head + a, head + b, head + c, head + d) for kind, a, b, c, d in matcher.get_opcodes()
        )
    return [*steps, (True, old_end, len(old), new_end, len(new))]


def _usual_newline(lines: Sequence[str]) -> str:
    """The newline that most of the lines end with; empty if none has one."""
    counted = Counter(line[len(bare(line)) :] for line in lines)
    counted.pop("", None)
    return counted.most_common(1)[0][0] if counted else ""


def newline_of(lines: Sequence[str]) -> str:
    """The newline of most lines of a file."""
    return _usual_newline(lines) or "\n"


# --- for the model -------------------------------------------------------------------------------------


def nearest(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Where the file is most like the wanted lines; ``None`` if nothing is like them."""
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if line.strip():
            places.setdefault(line.strip(), []).append(number)
    votes: Counter[int] = Counter()
    for number, line in enumerate(wanted):
        same = places.get(line.strip(), [])
        for place in same[:_COMMON]:
            votes[place - number] += _COMMON // len(same) + 1
    if votes:
        best = max(votes.values())
        return max(0, min(start for start, count in votes.items() if count == best))
    return _likest(lines[:_SCANNED], wanted)


def _likest(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The place of the line that is most like the longest wanted one."""
    number, longest = max(enumerate(wanted), key=lambda one: len(one[1].strip()))
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(longest.strip()[:_QUOTED_WIDTH])
    best, at = 0.6, None
    for place, line in enumerate(lines):
        matcher.set_seq1(line.strip()[:_QUOTED_WIDTH])
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, at = ratio, max(0, place - number)
    return at


def quoted(lines: Sequence[str], start: int, count: int) -> str:
    """Lines of a file with their numbers, and a few around them."""
    begin = max(0, start - _CONTEXT)
    end = min(len(lines), start + min(count, _QUOTED_LINES) + _CONTEXT)
    return "\n".join(f"{number + 1:>5}| {bare(lines[number])[:_QUOTED_WIDTH]}" for number in range(begin, end))


def first_difference(lines: Sequence[str], start: int, wanted: Sequence[str]) -> str:
    """The first line that differs from the wanted, both as Python writes them; empty if the file ends before."""
    for line, aimed in zip(lines[start:], wanted, strict=False):
        if bare(line) != aimed:
            return f"the file has {bare(line)[:_QUOTED_WIDTH]!r} where you wrote {aimed[:_QUOTED_WIDTH]!r}"
    return ""
