"""The sealed record of a run: only a whole one, from start to finish and under our key, is believed."""

import hashlib
import hmac
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.verification.witness import read_record

KEY = b"k" * 32
START: dict[str, object] = {"kind": "start"}
FINISH: dict[str, object] = {"kind": "finish", "status": 0}


def phase(test: str, when: str, outcome: str = "passed", text: str = "") -> dict[str, object]:
    return {"kind": "phase", "id": test, "when": when, "outcome": outcome, "text": text}


def whole(test: str, **outcomes: str) -> list[dict[str, object]]:
    """The phases of one test, passed unless told otherwise."""
    return [phase(test, when, outcomes.get(when, "passed")) for when in ("setup", "call", "teardown")]


def sealed(*facts: dict[str, object], key: bytes = KEY) -> bytes:
    seal, lines = hmac.new(key, digestmod=hashlib.sha256), []
    for fact in facts:
        line = json.dumps(fact).encode()
        seal.update(line)
        lines.append(seal.copy().hexdigest().encode() + b" " + line + b"\n")
    return b"".join(lines)


def passed(folder: Path, content: bytes) -> Counter[str] | None:
    (folder / "record").write_bytes(content)
    report = read_record(folder, KEY)
    return None if report is None else report.passed


def test_a_whole_record_is_read(tmp_path: Path) -> None:
    facts: list[dict[str, object]] = [
        START,
        *whole("t.py::a"),
        *whole("t.py::b", call="failed"),
        *whole("t.py::c", teardown="failed"),
        *whole("t.py::d", call="rerun"),
        *whole("t.py::d"),
        phase("t.py::e", "setup", "skipped"),
        phase("t.py::e", "teardown"),
        {"kind": "collection", "id": "u.py", "when": "", "outcome": "failed", "text": "ImportError: x"},
        FINISH,
    ]
    (tmp_path / "record").write_bytes(sealed(*facts))

    report = read_record(tmp_path, KEY)

    assert report is not None
    assert report.passed == Counter(["t.py::a", "t.py::d"])
    assert report.failed == Counter(["t.py::b", "t.py::c", "u.py"])
    assert report.skipped == Counter(["t.py::e"])
    assert report.texts == {"u.py": "ImportError: x"}


def test_a_test_that_began_and_was_not_called_did_not_pass(tmp_path: Path) -> None:
    (tmp_path / "record").write_bytes(sealed(START, phase("t.py::a", "setup"), FINISH))

    report = read_record(tmp_path, KEY)

    assert report is not None
    assert (report.passed, report.failed) == (Counter(), Counter(["t.py::a"]))


@pytest.mark.parametrize(
    "facts",
    [
        [START, *whole("a")],
        [*whole("a"), FINISH],
        [START, START, *whole("a"), FINISH],
        [START, FINISH, *whole("a")],
        [START, *whole("a"), FINISH, FINISH],
        [],
    ],
    ids=["no finish", "no start", "two starts", "after the finish", "two finishes", "nothing"],
)
def test_a_record_that_is_not_whole_counts_as_none(tmp_path: Path, facts: list[dict[str, object]]) -> None:
    assert passed(tmp_path, sealed(*facts)) is None


def test_a_record_under_another_key_counts_as_none(tmp_path: Path) -> None:
    facts = [START, *whole("a"), FINISH]

    assert passed(tmp_path, sealed(*facts)) == Counter("a")
    assert passed(tmp_path, sealed(*facts, key=b"x" * 32)) is None


@given(st.data())
def test_no_byte_of_a_record_can_be_changed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(sealed(START, *whole("a"), *whole("b", call="failed"), FINISH))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))

    assert passed(tmp_path_factory.mktemp("record"), bytes(content)) is None


@given(st.data())
def test_no_line_of_a_record_can_be_left_out_or_moved(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = sealed(START, *whole("a"), *whole("b", call="failed"), FINISH).splitlines(keepends=True)
    order = data.draw(st.lists(st.sampled_from(range(len(lines))), max_size=len(lines)))

    kept = passed(tmp_path_factory.mktemp("record"), b"".join(lines[number] for number in order))

    assert (kept is not None) == (order == list(range(len(lines))))


def test_a_link_or_a_pipe_in_place_of_the_record_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(sealed(START, *whole("a"), FINISH))
    (tmp_path / "record").symlink_to(tmp_path / "real")
    linked = read_record(tmp_path, KEY)
    (tmp_path / "record").unlink()
    os.mkfifo(tmp_path / "record")

    assert (linked, read_record(tmp_path, KEY)) == (None, None)
