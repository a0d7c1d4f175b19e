"""Tracebacks as languages print them: what is the error, where is it, and what did it come from."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.patterns.frames import innermost_in_app
from selfimprover.patterns.prefixes import without_prefixes
from selfimprover.patterns.tracebacks import parse

FINGERPRINTER = ErrorFingerprinter()


def printed(source: str, folder: Path) -> str:
    """What Python itself prints when a program of the project ends by an exception."""
    (folder / "agent").mkdir(exist_ok=True)
    program = folder / "agent" / "work.py"
    program.write_text(textwrap.dedent(source))
    return subprocess.run([sys.executable, program], capture_output=True, text=True, check=False).stderr


def test_the_root_of_a_chain_is_the_first_exception(tmp_path: Path) -> None:
    text = printed(
        """
        def load():
            return {}["user"]

        def work():
            try:
                load()
            except KeyError as error:
                raise RuntimeError("the step did not end well") from error

        work()
        """,
        tmp_path,
    )

    parsed = parse(None, text)

    assert (parsed.error_type, parsed.message) == ("RuntimeError", "the step did not end well")
    assert innermost_in_app(parsed.frames) == "agent/work.py:work"
    assert parsed.root is not None
    assert (parsed.root.error_type, innermost_in_app(parsed.root.frames)) == ("KeyError", "agent/work.py:load")
    assert FINGERPRINTER.fingerprint(None, text).root == "KeyError agent/work.py:load"


def test_of_a_group_the_exceptions_inside_tell_whatever_their_order(tmp_path: Path) -> None:
    source = """
        def fail(error):
            raise error

        def caught(error):
            try:
                fail(error)
            except Exception as raised:
                return raised

        def work():
            raise ExceptionGroup("unhandled errors in a TaskGroup", [{}])

        work()
    """
    first = printed(source.format("caught(ValueError('no date')), caught(TypeError('no text'))"), tmp_path)
    second = printed(source.format("caught(TypeError('no text')), caught(ValueError('no date'))"), tmp_path)
    other = printed(source.format("caught(OSError('the disk is full'))"), tmp_path)

    parsed = parse(None, first)

    assert parsed.error_type == "ExceptionGroup"
    assert parsed.root is not None
    assert (parsed.root.error_type, innermost_in_app(parsed.root.frames)) == ("TypeError", "agent/work.py:fail")
    values = [FINGERPRINTER.fingerprint(None, text).value for text in (first, second, other)]
    assert values[0] == values[1] != values[2]


def test_a_traceback_inside_the_error_text_is_read(tmp_path: Path) -> None:
    text = printed("def work():\n    return [][1]\n\nwork()\n", tmp_path)

    assert FINGERPRINTER.fingerprint(text, None) == FINGERPRINTER.fingerprint(
        "IndexError: list index out of range", text
    )
    assert FINGERPRINTER.fingerprint(f"Task 17 failed\n{text}", None).place == "agent/work.py:work"


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-02 03:12:11,123 ERROR agent.worker: ",
        "2026-11-02T03:12:11.123456Z [error] agent.worker: ",
        "[2026-11-02 03:12:11 +0000] [1234] [ERROR] ",
        "ERROR:agent.worker:",
        "Nov  2 03:12:11 box assistant[771]: ",
        "assistant-1  | ",
        "assistant-1  | 2026-11-02 03:12:11 ERROR ",
        "03:12:11 | ERROR | agent.worker:run:77 - ",
    ],
)
def test_what_a_log_puts_before_every_line_does_not_matter(prefix: str, tmp_path: Path) -> None:
    text = printed("def work():\n    return [][1]\n\nwork()\n", tmp_path)
    logged = "".join(f"{prefix}{line}" for line in text.splitlines(keepends=True))

    assert without_prefixes(f"{prefix}KeyError: 'a'") == "KeyError: 'a'"
    assert FINGERPRINTER.fingerprint(None, logged) == FINGERPRINTER.fingerprint(None, text)


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'a'",
        "agent.worker: no answer",
        "12 errors",
        "ERRORS were found",
        "[Errno 2] No such file",
        "(535, b'no')",
    ],
)
def test_an_error_is_not_taken_for_the_prefix_of_a_log(text: str) -> None:
    assert without_prefixes(text) == text


NODE = """TypeError: Cannot read properties of undefined (reading 'text')
    at replyTo (/srv/assistant/src/mail.js:12:34)
    at async Promise.all (index 0)
    at async Agent.step (file:///srv/assistant/src/agent.js:88:7)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
"""


def test_a_stack_of_javascript_is_read_from_its_innermost_frame() -> None:
    parsed = parse(None, NODE)

    assert (parsed.error_type, parsed.message) == ("TypeError", "Cannot read properties of undefined (reading 'text')")
    assert [frame.function for frame in parsed.frames] == [
        "process.processTicksAndRejections",
        "Agent.step",
        "replyTo",
    ]
    assert innermost_in_app(parsed.frames) == "src/mail.js:replyTo"


def test_the_cause_of_an_error_of_node_is_its_root() -> None:
    text = (
        "Error: the tool did not answer\n    at call (/srv/assistant/src/tools.js:5:9) {\n"
        "  [cause]: Error: connect ECONNREFUSED 127.0.0.1:5432\n"
        "      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16) {\n    errno: -111,\n"
        "    code: 'ECONNREFUSED'\n  }\n}"
    )

    assert FINGERPRINTER.fingerprint(text, None).root == "Error connect ECONNREFUSED <host>"


def test_what_node_prints_above_an_uncaught_error_is_no_message() -> None:
    text = f"/srv/assistant/src/mail.js:12\n    return mail.text\n                ^\n\n{NODE}\nNode.js v22.1.0\n"

    assert FINGERPRINTER.fingerprint(text, None) == FINGERPRINTER.fingerprint(None, NODE)


def test_a_build_of_the_same_code_is_the_same_place() -> None:
    stack = "TypeError: x is null\n    at https://app.example.org/assets/index-{}.js:1:{}\n"

    one, other = (FINGERPRINTER.fingerprint(stack.format(*build), None) for build in (("2702e386", 7), ("c363ebb9", 9)))

    assert one == other
    assert one.place is not None


@pytest.mark.parametrize(
    ("text", "error_type", "message"),
    [
        ("panic: runtime error: index out of range [5]\n\ngoroutine 1 [running]:\nmain.go", None, "index out of range"),
        (
            "java.io.IOException: Broken pipe\n\tat com.example.Tool.run(Tool.java:12)\n\t... 3 more",
            "IOException",
            "Broken",
        ),
        (
            "System.TimeoutException: The operation has timed out.\n   at Tools.Run() in /src/T.cs:line 3",
            "TimeoutException",
            "The",
        ),
        ("TimeoutError('no greeting')", "TimeoutError", "no greeting"),
        ("KeyError('user')", "KeyError", "'user'"),
        ('{"level": "error", "msg": "it failed", "error": "ValueError: no date"}', "ValueError", "no date"),
        ("\x1b[31mValueError: no date\x1b[0m", "ValueError", "no date"),
    ],
)
def test_other_forms_fall_back_to_the_message_before_the_stack(text: str, error_type: str | None, message: str) -> None:
    parsed = parse(text, None)

    assert parsed.error_type == error_type
    assert message in parsed.message
    assert "goroutine" not in parsed.message
    assert "at " not in parsed.message


@given(
    st.text(
        alphabet=st.sampled_from(
            ' \n\tFile "x.py", line 1, in f\nTraceback (most recent call last):|+-{}at (a:1:2)^~:E'
        )
    )
)
def test_no_text_that_looks_like_a_stack_breaks_the_readers(text: str) -> None:
    assert FINGERPRINTER.fingerprint(text, text) == FINGERPRINTER.fingerprint(text, text)
