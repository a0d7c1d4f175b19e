"""No text is too odd to be fingerprinted, and none takes long: a megabyte of anything is read in passing."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.patterns.fingerprints import CachedFingerprinter, ErrorFingerprinter
from selfimprover.patterns.grouping import group

FINGERPRINTER = ErrorFingerprinter()
MEGABYTE = 1_000_000
PIECES = [
    *"a1./:-_<[({\"'\\=@\n \t#,|+é",
    *(
        "\x1b",
        "\x1b[1",
        "\u202e",
        "\0",
        "\ud800",
        "\ue004",
        "a.",
        "a/",
        "1.",
        "a:",
        "0:",
        "'a ",
        "a-",
        "a1",
        "a@",
        "b'",
    ),
    *("/a", "\n ", "2026-11-02 03:12:11 ", "ERROR ", "Aa: ", "| ", '{"level":', "[REDACTED:"),
    *('  File "a.py", line 1, in f\n', "    at a (b:1:2)\n", "Traceback (most recent call last):\n"),
    *(
        "\n[cause]: E: x\n    at a (b:1:2)",
        "x\n, input_value=",
        "Call log:\n",
        "status 404 ",
        "1 validation error for X\n",
    ),
]
"""Each is one that some rule begins with: repeated, a rule that can backtrack would never come back."""


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_a_megabyte_of_one_thing_is_read_in_passing(piece: str) -> None:
    text = piece * (MEGABYTE // len(piece))

    for error, traceback in ((text, None), (None, text), (f"ValueError: {text}", text)):
        found = FINGERPRINTER.fingerprint(error, traceback)
        assert len(found.value) == 16
        assert len(found.template) <= 40 * 220


def test_deep_nesting_is_no_recursion() -> None:
    for text in ("[" * 100_000, '{"a":' * 100_000, "(" * 100_000 + ")" * 100_000):
        assert FINGERPRINTER.fingerprint(text, text).value


def test_many_different_templates_are_grouped_in_one_go() -> None:
    words = [f"{first}{second}{third}" for first in string.ascii_lowercase for second in "abcde" for third in "xyz"]
    seen = [
        FINGERPRINTER.fingerprint(f"E: {one} has lost {other} today", None) for one in words[:60] for other in words
    ]

    assert len({pattern.fingerprint.value for pattern in group(seen).values()}) == 1


LETTERS = st.text(string.ascii_lowercase, min_size=3, max_size=8)
IDS = st.one_of(
    st.integers(10**6, 10**12).map(str), st.uuids().map(str), st.integers(16**8, 16**15).map("{:x}a1".format)
)


@given(
    LETTERS, IDS, IDS, st.integers(1, 9_999), st.integers(1, 9_999), st.sampled_from(["/srv/a", "/home/x/y", "C:\\w"])
)
def test_ids_lines_and_machines_never_matter(
    word: str, one_id: str, other_id: str, one_line: int, other_line: int, root: str
) -> None:
    def failure(number: str, line: int, root: str) -> tuple[str, str]:
        error = f"RuntimeError: the {word} of task {number} was lost on its way"
        path = f"{root}/agent/mail.py".replace("/", "\\" if "\\" in root else "/")
        return error, f'Traceback (most recent call last):\n  File "{path}", line {line}, in read\n    go()\n{error}\n'

    one = FINGERPRINTER.fingerprint(*failure(one_id, one_line, "/opt/b"))
    other = FINGERPRINTER.fingerprint(*failure(other_id, other_line, root))

    assert one == other
    assert CachedFingerprinter(FINGERPRINTER).fingerprint(*failure(one_id, other_line, root)) == one
