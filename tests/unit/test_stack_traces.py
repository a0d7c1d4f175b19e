"""Tracebacks of all kinds become stacks, the most telling first."""

import asyncio
import textwrap
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.drafting.reading.stack_traces import stacks
from selfimprover.patterns.frames import Raised

PLAIN = """\
Traceback (most recent call last):
  File "/srv/app/a.py", line 1, in outer
    inner()
    ~~~~~^^
  File "/srv/app/b.py", line 22, in inner
    return x["k"]
KeyError: 'k'
"""


def named(stack: Raised) -> str:
    return f"{stack.qualified_type}: {stack.message}".partition("\n")[0]


def calls(stack: Raised) -> list[tuple[str, int, str, str | None]]:
    return [(frame.path, frame.line, frame.function, frame.text) for frame in stack.frames]


OUTER = ("/srv/app/a.py", 1, "outer", "inner()")
INNER = ("/srv/app/b.py", 22, "inner", 'return x["k"]')


def prefixed(prefix: str) -> str:
    return "".join(f"{prefix}{line}\n" for line in PLAIN.splitlines())


def clocked() -> str:
    return "".join(f"2026-02-16 00:17:4{n},{n}23 ERROR mail: {line}\n" for n, line in enumerate(PLAIN.splitlines()))


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        prefixed("worker-1  | "),
        prefixed("ERROR:mail:"),
        clocked(),
        PLAIN.replace("\n", "\\n").replace('"', '\\"'),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("File", "\x1b[1mFile\x1b[0m"),
        "task 7 failed\n" + PLAIN + "see the log\n",
        PLAIN.removeprefix("Traceback (most recent call last):\n"),
    ],
)
def test_frames_their_code_and_the_error_are_read_behind_any_prefix(text: str) -> None:
    (stack,) = stacks(text)

    assert calls(stack) == [OUTER, INNER]
    assert named(stack) == "KeyError: 'k'"


def test_a_text_cut_off_in_the_middle_keeps_what_is_there() -> None:
    (stack,) = stacks(PLAIN[: PLAIN.index("    return")])

    assert [frame.function for frame in stack.frames] == ["outer", "inner"]
    assert (stack.frames[-1].text, stack.qualified_type) == (None, None)


def chained() -> None:
    mail: dict[str, str] = {}
    try:
        mail["k"]
    except KeyError as error:
        raise ValueError("no k") from error


async def grouped() -> None:
    async def fails() -> None:
        raise LookupError("nothing there")

    async with asyncio.TaskGroup() as group:
        group.create_task(fails())


def printed(function: Callable[[], object]) -> str:
    with pytest.raises((Exception, ExceptionGroup)) as caught:
        function()
    return "".join(traceback.format_exception(caught.value))


def test_of_a_chain_the_last_exception_comes_first_and_its_cause_next() -> None:
    assert [named(stack) for stack in stacks(printed(chained))] == ["ValueError: no k", "KeyError: 'k'"]


def test_of_a_group_what_is_inside_comes_first() -> None:
    first, *others = stacks(printed(lambda: asyncio.run(grouped())))

    assert named(first) == "LookupError: nothing there"
    assert first.frames[-1].function == "fails"
    assert first.frames[-1].text == 'raise LookupError("nothing there")'
    assert others


def test_a_syntax_error_has_a_frame_without_a_function() -> None:
    (stack,) = stacks("  File \"/srv/app/a.py\", line 3\n    x = (\n        ^\nSyntaxError: '(' was never closed\n")

    assert calls(stack) == [("/srv/app/a.py", 3, "", "x = (")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "    at send (file:///app/src/send.js:10:5)\n    at /app/index.mjs:2:1",
            [("/app/index.mjs", 2), ("/app/src/send.js", 10)],
        ),
        ("    at async Promise.all (index 0)\n    at new Foo (C:\\app\\x.ts:1:2)", [("C:\\app\\x.ts", 1)]),
        ("\tat com.shop.Mail.read(Mail.java:12)", [("Mail.java", 12)]),
        ("main.fetch(0x1)\n\t/app/cmd/main.go:12 +0x1d", [("/app/cmd/main.go", 12)]),
        ("app/mail.rb:7:in 'read'", [("app/mail.rb", 7)]),
    ],
)
def test_frames_of_other_languages_are_read_outermost_first(text: str, expected: list[tuple[str, int]]) -> None:
    (stack,) = stacks(text)

    assert [(frame.path, frame.line) for frame in stack.frames] == expected


@pytest.mark.parametrize("text", ["", "done", "see https://x.example:80", "nothing: here\n  at all"])
def test_a_text_without_frames_has_no_stacks(text: str) -> None:
    assert stacks(text) == ()


PIECES = ["Traceback (most recent call last):", 'File "a.py", line ', ", in f", "at ", "x.js:", *"\n\n\n  0|+-(:)~^"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read(text: str) -> None:
    assert all(stack.frames for stack in stacks(text))


def test_the_header_of_the_test_is_what_python_prints() -> None:
    assert textwrap.dedent(printed(chained)).startswith(PLAIN.splitlines()[0])
