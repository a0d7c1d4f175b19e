"""From error texts to patterns: what joins, what stays apart, and what must not matter."""

import random
import re
import traceback as traceback_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.patterns.fingerprints import CachedFingerprinter, ErrorFingerprinter
from selfimprover.patterns.masks import template
from selfimprover.patterns.tracebacks import in_app, parse, place

FINGERPRINTER = ErrorFingerprinter()


def value(error: str | None, traceback: str | None = None) -> str:
    return FINGERPRINTER.fingerprint(error, traceback).value


def raised(source: str, filename: str) -> str:
    """The real traceback of running ``source`` as if it stood in ``filename``."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  (whatever the source raises)
        exec(compile(source, filename, "exec"), {})
    return "".join(traceback_module.format_exception(caught.value))


def test_a_real_traceback_is_read() -> None:
    text = raised("def handle(x):\n    return x['a']\n\nhandle({})\n", "/srv/app/agent/mail.py")

    parsed = parse("KeyError: 'a'", text)

    assert (parsed.error_type, parsed.message) == ("KeyError", "'a'")
    assert place(parsed.frames[-1]) == "agent/mail.py:handle"


def test_of_a_chain_the_last_exception_counts() -> None:
    source = "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('no a') from e\n"

    parsed = parse(None, raised(source, "/srv/app/agent/mail.py"))

    assert (parsed.error_type, parsed.message) == ("ValueError", "no a")
    assert [frame.line for frame in parsed.frames if frame.path.endswith("mail.py")] == [4]


def test_the_qualified_type_comes_from_the_traceback() -> None:
    parsed = parse(
        "TimeoutError: late",
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\nasyncio.TimeoutError: late',
    )

    assert (parsed.error_type, parsed.qualified_type) == ("TimeoutError", "asyncio.TimeoutError")


@pytest.mark.parametrize("text", ["gateway said no: nothing", "", None, "done", "{'a': 1}", "see: https://x.example"])
def test_a_text_that_names_no_class_has_no_type(text: str | None) -> None:
    assert parse(text, None).error_type is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/app/agent/mail.py", True),
        ("/usr/lib/python3.11/asyncio/tasks.py", False),
        ("/opt/venv/lib/python3.12/site-packages/httpx/_client.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("C:\\app\\agent\\mail.py", True),
    ],
)
def test_only_the_projects_own_code_is_in_app(path: str, expected: bool) -> None:
    (frame,) = parse(None, f'Traceback (most recent call last):\n  File "{path}", line 1, in f\nValueError: x').frames

    assert in_app(frame) is expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GatewayTimeout: 504 from http://127.0.0.1:41233/v1", "GatewayTimeout: 504 from http://127.0.0.1:50991/v1"),
        (
            "TimeoutError: no greeting from 10.0.0.1:143 within 0.4 s",
            "TimeoutError: no greeting from 10.0.0.2:993 within 5 s",
        ),
        ("OSError: cannot open '/tmp/a1/x.txt'", "OSError: cannot open '/tmp/b2/y.txt'"),
        ("ApiError: request req_011CTabcdef98 failed", "ApiError: request req_999XYabcdef12 failed"),
        ("E: token [REDACTED:secret:aaaaaa] refused", "E: token [REDACTED:secret:bbbbbb] refused"),
    ],
)
def test_texts_that_differ_in_values_are_one_pattern(one: str, other: str) -> None:
    assert value(one) == value(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HttpError: HTTP 404 for user 1", "HttpError: HTTP 503 for user 1"),
        ("CalledProcessError: exit status 1", "CalledProcessError: exit status 137"),
        ("OSError: [Errno 2] failed", "OSError: [Errno 13] failed"),
        ("AttributeError: 'A' object has no attribute 'x'", "AttributeError: 'A' object has no attribute 'y'"),
        ("UnicodeError: not utf-8", "UnicodeError: not utf-16"),
    ],
)
def test_numbers_and_names_that_mean_something_keep_patterns_apart(one: str, other: str) -> None:
    assert value(one) != value(other)


def test_a_bug_is_told_by_its_place_whatever_the_line() -> None:
    here = raised("def handle():\n    return {}['a']\nhandle()\n", "/srv/one/agent/mail.py")
    moved = raised("\n\n\ndef handle():\n    return {}['a']\nhandle()\n", "/home/other/agent/mail.py")
    elsewhere = raised("def other():\n    return {}['a']\nother()\n", "/srv/one/agent/mail.py")

    assert value("KeyError: 'a'", here) == value("KeyError: 'a'", moved)
    assert value("KeyError: 'a'", here) != value("KeyError: 'a'", elsewhere)


def test_a_redacted_home_folder_gives_the_same_place_everywhere() -> None:
    frame = '  File "/home/[REDACTED:user:{}]/mail.py", line 3, in handle\nKeyError: 1'
    text = "Traceback (most recent call last):\n" + frame

    assert value("KeyError: 1", text.format("aaaaaa")) == value("KeyError: 1", text.format("bbbbbb"))


def test_the_fingerprint_is_the_same_on_every_machine() -> None:
    assert value("GatewayTimeout: 504 Gateway Timeout") == "5799309396140549"


def test_the_cache_changes_nothing() -> None:
    cached = CachedFingerprinter(FINGERPRINTER, size=1)
    for text in ("ValueError: a", "ValueError: b", "ValueError: a"):
        assert cached.fingerprint(text, None) == FINGERPRINTER.fingerprint(text, None)


def test_texts_that_differ_in_digits_are_remembered_together_and_rightly() -> None:
    cached = CachedFingerprinter(FINGERPRINTER)
    pieces = ["took 12 s", "status 404", "[Errno 2]", "utf-8", "at 10.0.0.1:80", "S3Error: 7", "IMAP4.error: 9", "0x7f"]
    pieces += [
        "404 Not Found",
        "id 3f9a2c1d",
        "req_8f3a2c1d99ee",
        "/tmp/3f9a2c1d",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "exit code 137",
        "2026-02-01T03:04:05Z",
        "step2",
        "sha256",
        "5.1.1 no",
    ]
    numbers = random.Random(7)
    for first in pieces:
        for second in pieces:
            for _ in range(4):
                text = re.sub(r"\d", lambda _: str(numbers.randrange(10)), f"{first} {second}")
                text = re.sub(
                    r"[0-9a-f]{7,}", lambda run: "".join(numbers.choices("0123456789abcdef", k=len(run[0]))), text
                )
                logged = f'{{"level": "error", "msg": "\\u001b[31m{text}"}}'
                for error in (text, f"{first} {second}", f"ValueError: {text}", f"KeyError: '{text}'", logged):
                    wanted = FINGERPRINTER.fingerprint(error, None)
                    found = cached.fingerprint(error, None)
                    assert (found, found.template, found.error_type) == (wanted, wanted.template, wanted.error_type)


@given(st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text()))
def test_any_text_has_a_fingerprint_and_always_the_same(error: str | None, traceback: str | None) -> None:
    found = FINGERPRINTER.fingerprint(error, traceback)

    assert len(found.value) == 16
    assert found == FINGERPRINTER.fingerprint(error, traceback)


@given(st.integers(10, 10**9), st.integers(10, 10**9))
def test_plain_numbers_never_matter(one: int, other: int) -> None:
    assert template(f"took {one} of {other} ms") == "took <n> of <n>"


def test_a_version_is_no_code_of_a_mail_server() -> None:
    assert template("status unpacked gpgsm:amd64 2.2.40-1.1+deb12u1") == template(
        "status unpacked gpgsm:amd64 2.4.7-1.2+deb12u3"
    )
    assert template("refused: 550 5.1.1 no such user") != template("refused: 550 5.7.1 no such user")


@given(st.text())
def test_masking_twice_changes_no_mask(text: str) -> None:
    assert "\x00" not in template(text)
