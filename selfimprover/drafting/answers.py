"""Reads what a model answered: a proposal in blocks, an honest "cannot", or a diagnosis.

The form is that of ``answer_form.ANSWER_FORM``. Read is what models really send: fences, thinking, several tries in one
answer (the last whole one counts), headings in bold. What could mean two things is not guessed at: it comes back as
``Unreadable``, whose ``why`` tells the model what to send instead.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from selfimprover.drafting.answer_form import RISKS, STRICTEST_RISK
from selfimprover.drafting.answer_lines import (
    Fenced,
    Heading,
    MalformedError,
    Marked,
    Piece,
    Plain,
    lines_of,
    path_in,
    pieces,
)
from selfimprover.drafting.blocks import Block, FunctionBlock

MAX_ANSWER = 400_000
MAX_LINES = 20_000
MAX_BLOCKS = 60
_MAX_PROSE = 4_000
_MAX_LINE = 120
_MAX_ITEMS = 20
_MAX_ITEM = 500
_NOTHING = re.compile(r"(?:none|nothing|n/?a|no|-+|not applicable)[.!]?", re.IGNORECASE)
_TEST_NAME = re.compile(r"(?:test_.*|.*_test)\.py", re.IGNORECASE)
_ITEM = re.compile(r"[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+")
_CANNOT = re.compile(r"\b(?:cannot|can't|can not) fix:[ \t]*(\S.*)", re.IGNORECASE)
_DIFF = re.compile(r"(?:diff --git |@@ -\d+|\*\*\* Begin Patch)")
_RESEND = "Send the whole answer again as plain text in the form that was asked for."


@dataclass(frozen=True, slots=True)
class NewTest:
    """The test file that shows the error as long as the fix is missing."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A fix, as the model wants it; nothing of it is checked against the files yet."""

    title: str
    summary: str
    root_cause: str
    evidence: tuple[str, ...]
    effect: str
    risk: str
    """One of ``RISKS``."""
    may_hide: tuple[str, ...]
    blocks: tuple[Block | FunctionBlock, ...]
    reproduction: NewTest | None


@dataclass(frozen=True, slots=True)
class CannotFix:
    """The model says honestly that it has no fix."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotCode:
    """The error is none of this code's: a diagnosis."""

    cause: str
    owner: str
    watch: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The answer cannot be taken; ``why`` goes back to the model."""

    why: str


Answer = Proposal | CannotFix | NotCode | Unreadable


def read_answer(answer: str) -> Answer:
    """What a model's answer says."""
    try:
        return _read(answer)
    except MalformedError as error:
        return Unreadable(f"Not taken: {error}. {_RESEND}")


def _read(answer: str) -> Answer:
    if len(answer) > MAX_ANSWER:
        raise MalformedError(f"the answer is longer than {MAX_ANSWER} characters: change only what the fix needs")
    lines = lines_of(answer)
    if len(lines) > MAX_LINES:
        raise MalformedError(f"the answer is longer than {MAX_LINES} lines: change only what the fix needs")
    sections = _Sections.of(_last_try(list(pieces(lines))))
    if len(sections.blocks) > MAX_BLOCKS:
        raise MalformedError(f"the answer has more than {MAX_BLOCKS} blocks: change only what the fix needs")
    if verdict := _verdict(sections):
        return verdict
    if not sections.blocks:
        raise MalformedError(_without_blocks("\n".join(lines).strip(), sections))
    return _proposal(sections)


def _last_try(found: list[Piece]) -> list[Piece]:
    """The last of several answers in one that has a block or a verdict; all pieces if there is only one."""
    begins = [number for number, piece in enumerate(found) if isinstance(piece, Heading) and piece.name == "cause"]
    for begin in reversed(begins[1:]):
        if any(_decides(piece) for piece in found[begin:]):
            return found[begin:]
    return found


def _decides(piece: Piece) -> bool:
    return isinstance(piece, Marked) or (isinstance(piece, Heading) and piece.name in {"cannot", "notcode"})


# --- sections ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sections:
    """The pieces by section; the first with something in it counts."""

    prose: dict[str, list[str]]
    blocks: tuple[Marked, ...]
    tests: tuple[Marked, ...]
    """Those of the blocks that stand under TEST."""
    code: tuple[tuple[str, Fenced], ...]
    """Code between fences, with the section it stands in."""

    @classmethod
    def of(cls, found: Sequence[Piece]) -> "_Sections":
        prose: dict[str, list[str]] = {"": []}
        blocks, tests, code = [], [], []
        section, path, lines = "", "", prose[""]
        for piece in found:
            if isinstance(piece, Heading):
                path = "" if piece.name == "test" else path
                section, lines = piece.name, [piece.text]
                if not any(line.strip() for line in prose.get(section, ())):
                    prose[section] = lines
            elif isinstance(piece, Plain):
                lines.append(piece.text)
            elif isinstance(piece, Fenced):
                code.append((section, piece))
            else:
                path = piece.path or path
                blocks.append(_in_file(piece, path))
                if section == "test":
                    tests.append(blocks[-1])
        return cls(prose, tuple(dict.fromkeys(blocks)), tuple(dict.fromkeys(tests)), tuple(code))

    def text(self, name: str) -> str:
        """The prose of a section; empty if there is none, or if it says that there is none."""
        text = _shown("\n".join(self.prose.get(name, ()))).strip()[:_MAX_PROSE]
        return "" if _NOTHING.fullmatch(text) else text

    def line(self, name: str) -> str:
        """The first line of a section, without decoration."""
        first = next((line for line in self.text(name).splitlines() if line.strip()), "")
        return " ".join(first.strip(" \t*`-").split())[:_MAX_LINE]

    def items(self, name: str) -> tuple[str, ...]:
        """The points of a list, or the paragraph that stands for it."""
        items: list[str] = []
        for line in self.text(name).splitlines():
            if _ITEM.match(line) or not items:
                items.append(_ITEM.sub("", line, count=1))
            else:
                items[-1] += " " + line
        whole = (" ".join(item.split())[:_MAX_ITEM] for item in items)
        return tuple(item for item in whole if item and not _NOTHING.fullmatch(item))[:_MAX_ITEMS]


def _in_file(block: Marked, path: str) -> Marked:
    if not path:
        raise MalformedError(
            f"the block that begins in line {block.line} of the answer names no file: put its path above it"
        )
    # the same block sent twice is one block, wherever it stands
    return replace(block, path=path, line=0)


def _shown(text: str) -> str:
    """The text without what nobody sees."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


# --- verdicts ------------------------------------------------------------------------------------------


def _verdict(sections: _Sections) -> CannotFix | NotCode | None:
    """What the answer says instead of proposing a change; raises ``MalformedError`` if it does both."""
    cannot, notcode = sections.text("cannot"), sections.text("notcode")
    found: CannotFix | NotCode | None = None
    if notcode:
        found = NotCode(notcode, sections.line("owner"), sections.text("watch"))
    elif cannot:
        found = CannotFix(cannot)
    elif not sections.blocks and (inline := _CANNOT.search(_shown("\n".join(_all_prose(sections))))):
        return CannotFix(inline[1].strip()[:_MAX_PROSE])
    if found and sections.blocks:
        raise MalformedError(
            "the answer has blocks and says as well that it cannot be fixed here: decide for one of them"
        )
    return found


def _all_prose(sections: _Sections) -> Iterator[str]:
    return (line for lines in sections.prose.values() for line in lines)


def _without_blocks(text: str, sections: _Sections) -> str:
    """Why there is no block, as far as it can be told."""
    if not text:
        return "the answer is empty"
    if text.lstrip("`json \n").startswith(("{", "[")):
        return "the answer is JSON: code must not be put into JSON"
    if any(_DIFF.match(line) for line in text.split("\n")) or any(
        _DIFF.match(line) for _, code in sections.code for line in code.lines
    ):
        return "the answer has a diff: line numbers are not asked for, SEARCH/REPLACE blocks are"
    if any(section in {"changes", ""} or code.path for section, code in sections.code):
        return "the answer has whole code without markers: send SEARCH/REPLACE blocks, or FUNCTION blocks for functions"
    return "the answer has no block, and neither says CANNOT FIX: nor NOT A CODE PROBLEM:"


# --- proposals -----------------------------------------------------------------------------------------


def _proposal(sections: _Sections) -> Proposal:
    whole = next((code for section, code in sections.code if section == "changes" and code.path), None)
    if whole and all(block.path != whole.path for block in sections.blocks):
        raise MalformedError(f"{whole.path[:200]} is given as a whole: send SEARCH/REPLACE blocks for it")
    test = _reproduction(sections)
    changes = tuple(block for block in sections.blocks if test is None or block.path != test.path)
    if not changes:
        raise MalformedError("the answer has a test, but no block that changes the code")
    cause = sections.text("cause") or sections.text("")
    if not cause:
        raise MalformedError("the answer has no ROOT CAUSE")
    summary = sections.line("summary")
    return Proposal(
        title=sections.line("title") or summary or f"Change {changes[0].path}"[:_MAX_LINE],
        summary=summary or sections.line("title") or "change of code",
        root_cause=cause,
        evidence=sections.items("evidence"),
        effect=sections.text("effect"),
        risk=_risk(sections.line("risk")),
        may_hide=sections.items("hides"),
        blocks=tuple(_block(block) for block in changes),
        reproduction=test,
    )


def _block(block: Marked) -> Block | FunctionBlock:
    if block.function:
        return FunctionBlock(block.path, block.function, block.replace)
    return Block(block.path, block.search, block.replace)


def _risk(text: str) -> str:
    named = {
        risk for risk in RISKS if re.search(rf"(?<![\w-]){risk}(?![\w-])", text.lower().replace(" check", "-check"))
    }
    return named.pop() if len(named) == 1 else STRICTEST_RISK


def _reproduction(sections: _Sections) -> NewTest | None:
    """The new test file: the block under TEST, the code between fences there, or the block that makes a test file."""
    makes = [block for block in sections.tests or sections.blocks if not _text(block.search) and not block.function]
    named = [block for block in makes if sections.tests or _TEST_NAME.fullmatch(block.path.rpartition("/")[2])]
    if not sections.tests:
        fenced = [(_named(code), code.lines) for section, code in sections.code if section == "test"]
        named.extend(Marked(path, "", (), lines, 0) for path, lines in fenced if path)
    if sections.tests and len(makes) < len(sections.tests):
        raise MalformedError(
            "a block under TEST changes a file that exists: the test must be one new file (empty SEARCH)"
        )
    if len(named) > 1:
        raise MalformedError("the answer has several new test files: put the whole reproduction into one")
    if not named:
        return None
    return NewTest(named[0].path, _text(named[0].replace))


def _named(code: Fenced) -> str:
    """The file of fenced code: named before it, or in a comment that begins it."""
    return code.path or (path_in(code.lines[0]) if code.lines and code.lines[0].startswith("#") else "")


def _text(lines: Sequence[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return text + "\n" if text.strip() else ""
