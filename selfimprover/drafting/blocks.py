"""Puts the blocks of an answer into the files of a tree, or says to the model why they do not fit.

A block fits where its lines stand exactly once, else where they stand exactly once with another indentation throughout.
Nothing is guessed beyond that: what does not fit is told with the nearest real lines. Everything outside of the
replaced lines keeps its bytes, and so does every line that the block repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from selfimprover.domain import Edit
from selfimprover.drafting import functions, hidden, matching
from selfimprover.drafting.tree_text import MAX_BYTES, of_the_same_name, read_text
from selfimprover.errors import RefusedError

MAX_BLOCK_LINES = 3_000
_MAX_TEXT = 12_000
_BYTE_ORDER_MARK = "\ufeff"
_MAX_FAULTS = 20
_QUOTED_PLACES = 3
_QUOTED_AT_ALL = 20
_NAMES = 30


@dataclass(frozen=True, slots=True)
class Block:
    """Lines to find in a file, and those that take their place."""

    path: str
    search: tuple[str, ...]
    """Without newlines; nothing, or only blank lines: the block makes a new file."""
    replace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FunctionBlock:
    """A Python function that takes the place of the one of its name."""

    path: str
    name: str
    """Dotted, with the classes and functions around it."""
    code: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Blocks that do not fit."""

    why: str
    """What goes back to the model: each block that failed and why, and which ones need not be sent again."""
    fitting: tuple[Edit, ...] = ()
    """What the other blocks make: to be handed in as ``earlier`` with the next answer."""


class _UnfitError(Exception):
    """One block does not fit; the message is for the model."""


def apply_blocks(
    blocks: Sequence[Block | FunctionBlock], tree: Path, earlier: Sequence[Edit] = ()
) -> tuple[Edit, ...] | Misfit:
    """The edits that the blocks make of the files under ``tree``, one after the other.

    ``earlier``: edits of an answer before that stand already. A block that is among them is passed over.
    """
    files = _Files(tree, earlier)
    faults: list[str] = []
    for number, block in enumerate(blocks, start=1):
        try:
            files.put(block)
        except _UnfitError as error:
            faults.append(f"Block {number} ({block.path[:200]}): {error}")
        if len(faults) == _MAX_FAULTS:
            return Misfit(
                f"{_told(faults, number)}\n\nThe blocks after block {number} were not looked at.", files.edits()
            )
    edits = files.edits()
    if not faults and not edits:
        faults.append("The blocks change nothing: what they put in is what is there.")
    return Misfit(_told(faults, len(blocks)), edits) if faults else edits


def _told(faults: list[str], count: int) -> str:
    """All faults in one text for the model."""
    fine = count - len(faults)
    rest = f"The other {fine} of the {count} blocks are in place: don't resend them." if fine > 0 else ""
    ask = (
        "Send corrected blocks for these places only, copied from the lines quoted here or from the file."
        " A FUNCTION block needs no copied lines: it takes the place of the whole function."
    )
    text = "\n\n".join(faults)
    if len(text) > _MAX_TEXT:
        text = text[:_MAX_TEXT] + "\n(the rest is cut off)"
    return "\n\n".join(part for part in (text, rest, ask) if part)


class _Files:
    """The files that blocks touch, as they are and as they become."""

    def __init__(self, tree: Path, earlier: Sequence[Edit]) -> None:
        self._tree = tree
        self._before = {edit.path: edit.before for edit in earlier}
        self._now = {edit.path: edit.after for edit in earlier}
        self._earlier = frozenset(self._now)
        self._quoted = 0

    def edits(self) -> tuple[Edit, ...]:
        """What became of the files that differ now."""
        return tuple(
            Edit(path, self._before[path], now) for path, now in self._now.items() if now != self._before[path]
        )

    def put(self, block: Block | FunctionBlock) -> None:
        """Puts one block in; raises ``_UnfitError`` and changes nothing if it does not fit."""
        present = self._read(block.path)
        code = block.code if isinstance(block, FunctionBlock) else block.replace
        if len(code) > MAX_BLOCK_LINES or (isinstance(block, Block) and len(block.search) > MAX_BLOCK_LINES):
            raise _UnfitError(f"it has more than {MAX_BLOCK_LINES} lines: use smaller blocks")
        search = block.search if isinstance(block, Block) else ()
        if (unseen := hidden.fault(search, code, present)) is not None:
            raise _UnfitError(unseen)
        if isinstance(block, FunctionBlock):
            after = self._with_function(block, present)
        elif any(line.strip() for line in block.search):
            after = self._with_block(block, present)
        else:
            after = self._new(block, present)
        if len(after.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise _UnfitError(f"the file would be larger than {MAX_BYTES} bytes")
        if present and present.strip(_BYTE_ORDER_MARK).strip() and not after.strip(_BYTE_ORDER_MARK).strip():
            raise _UnfitError("nothing would be left of the file: to delete or empty a file needs a person")
        self._now[block.path] = after

    def _read(self, path: str) -> str | None:
        if path not in self._now:
            try:
                text = read_text(self._tree, path)
            except RefusedError as error:
                raise _UnfitError(f"{error}.") from None
            self._before[path] = self._now[path] = text
        return self._now[path]

    def _new(self, block: Block, present: str | None) -> str:
        text = "\n".join(block.replace).strip("\n") + "\n"
        if not text.strip():
            raise _UnfitError("it has neither lines to find nor lines to put there")
        if not present:
            return text
        if present == text and block.path in self._earlier:
            return text
        raise _UnfitError(
            "the file exists, and only a new file has an empty SEARCH: quote the lines to replace, all of them if the"
            " whole file changes"
        )

    def _existing(self, path: str, present: str | None) -> tuple[str, list[str]]:
        """A byte-order mark, if there is one, and the lines behind it."""
        if present is None:
            alike = of_the_same_name(self._tree, path)
            hint = f"; there is {', '.join(alike)}" if alike else ""
            raise _UnfitError(f"there is no such file{hint}. Write paths from the root of the project.")
        mark = _BYTE_ORDER_MARK if present.startswith(_BYTE_ORDER_MARK) else ""
        return mark, matching.split(present.removeprefix(_BYTE_ORDER_MARK))

    def _with_block(self, block: Block, present: str | None) -> str:
        mark, lines = self._existing(block.path, present)
        if block.search == block.replace:
            return present or ""
        for search, replace in _variants(block):
            starts = matching.exact(lines, search)
            if starts:
                at = self._single(lines, starts, len(search))
                return mark + _spliced(lines, at, at + len(search), replace)
            found = matching.shifted(lines, search)
            if found:
                at = self._single(lines, [start for start, _ in found], len(search))
                moved = _moved(replace, found[0][1])
                kept = _kept(lines[at : at + len(search)], search, replace, moved)
                return mark + _spliced(lines, at, at + len(search), kept)
        if block.path in self._earlier and _is_there(lines, block.replace):
            return present or ""
        raise _UnfitError(self._not_found(lines, block))

    def _single(self, lines: Sequence[str], starts: Sequence[int], count: int) -> int:
        if len(starts) == 1:
            return starts[0]
        places = ", ".join(f"{start + 1}-{start + count}" for start in starts[:_QUOTED_AT_ALL])
        quotes = "\n...\n".join(self._quote(lines, start, count) for start in starts[:_QUOTED_PLACES])
        raise _UnfitError(
            f"its SEARCH lines stand {len(starts)} times in the file (lines {places}). Add lines around the place"
            f" you mean until they are found once:\n{quotes}"
        )

    def _not_found(self, lines: Sequence[str], block: Block) -> str:
        if _is_there(lines, block.replace):
            return (
                "its REPLACE lines are in the file, its SEARCH lines are not: it is in place already, don't resend it."
            )
        text = "its SEARCH lines are not in the file."
        at = matching.nearest(lines, block.search)
        if at is None:
            return f"{text} Nothing in it is like them: read the file again."
        difference = matching.first_difference(lines, at, block.search)
        quote = self._quote(lines, at, len(block.search))
        return f"{text} The nearest lines{f' ({difference})' if difference else ''}:\n{quote}"

    def _with_function(self, block: FunctionBlock, present: str | None) -> str:
        mark, lines = self._existing(block.path, present)
        module = functions.parse(lines) if block.path.endswith((".py", ".pyi")) else None
        if module is None:
            raise _UnfitError("FUNCTION is for files that can be read as Python: use SEARCH/REPLACE here")
        found = functions.spans(module, block.name)
        if not found:
            others = ", ".join(functions.names(module)[:_NAMES]) or "none"
            raise _UnfitError(f"it has no function {block.name[:200]!r}. Its functions: {others}")
        if len(found) > 1:
            quotes = "\n...\n".join(self._quote(lines, span.begin, 1) for span in found[:_QUOTED_PLACES])
            raise _UnfitError(
                f"it has {len(found)} functions {block.name}: use SEARCH/REPLACE for the one you mean:\n{quotes}"
            )
        code = functions.replacement(block.code, block.name, lines, found[0])
        if isinstance(code, str):
            raise _UnfitError(code)
        return mark + _spliced(lines, found[0].begin, found[0].end, code)

    def _quote(self, lines: Sequence[str], start: int, count: int) -> str:
        self._quoted += 1
        return matching.quoted(lines, start, count) if self._quoted <= _QUOTED_AT_ALL else "(enough quoted)"


# --- lines ---------------------------------------------------------------------------------------------


def _variants(block: Block) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The block as it is, and without the blank lines that both of its parts begin or end with."""
    search, replace = block.search, block.replace
    while search and replace and not search[0].strip() and not replace[0].strip():
        search, replace = search[1:], replace[1:]
    while search and replace and not search[-1].strip() and not replace[-1].strip():
        search, replace = search[:-1], replace[:-1]
    return [(block.search, block.replace)] + ([(search, replace)] if search != block.search else [])


def _spliced(lines: Sequence[str], begin: int, end: int, new: Sequence[str]) -> str:
    last, newline = end == len(lines), matching.newline_of(lines)
    exchanged = matching.exchanged(lines[begin:end], new, last=last, newline=newline)
    around = [*lines[max(0, begin - 1) : begin], *exchanged, *lines[end : end + 1]]
    if any(one.endswith("\r") and other.startswith("\n") for one, other in pairwise(around)):
        raise _UnfitError("lines here end with lone carriage returns: it takes a person to change them")
    return "".join([*lines[:begin], *exchanged, *lines[end:]])


def _moved(replace: Sequence[str], shift: matching.Shift) -> list[str]:
    moved = [shift.moved(line) for line in replace]
    if None in moved:
        raise _UnfitError(
            "its REPLACE lines are indented less than its SEARCH lines allow: indent both as the file does"
        )
    return [line for line in moved if line is not None]


def _kept(old: Sequence[str], search: Sequence[str], replace: Sequence[str], moved: Sequence[str]) -> list[str]:
    """The new lines; where a line of the search is repeated, it is the file's own, with the blanks at its end."""
    own: dict[str, list[str]] = {}
    for line, written in zip(old, search, strict=True):
        own.setdefault(written, []).append(matching.bare(line))
    pairs = zip(replace, moved, strict=True)
    return [own[written].pop(0) if own.get(written) else line for written, line in pairs]


def _is_there(lines: Sequence[str], replace: Sequence[str]) -> bool:
    """Whether the lines stand in the file, exactly once; too little to tell them by does not count."""
    wanted = _variants(Block("", tuple(replace), tuple(replace)))[-1][0]
    return sum(len(line.strip()) for line in wanted) > 10 and len(matching.exact(lines, wanted)) == 1  # noqa: PLR2004
