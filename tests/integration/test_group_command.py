"""``selfimprover group``, ``findings split`` and ``findings join`` as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from selfimprover.cli.app import app
from tests.place import Place


def grouped(*lines: str) -> list[dict[str, str | None]]:
    result = CliRunner().invoke(app, ["group"], input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_line_has_one_answer_in_the_same_order() -> None:
    found = grouped(
        "KeyError: 'user'",
        "",
        "[1, 2]",
        '{"error": "ValueError: took 12 s", "traceback": null}',
        '{"message": "no error key"}',
        "ValueError: took 9 s",
        '{"error": null}',
    )

    assert len(found) == 7
    assert [one["error_type"] for one in found] == ["KeyError", None, None, "ValueError", None, "ValueError", None]
    assert found[3] == found[5] == {**found[3], "pattern": "took <n>"}
    assert found[1]["fingerprint"] == found[6]["fingerprint"]
    assert all(list(one) == ["fingerprint", "error_type", "pattern"] for one in found)


def test_joined_patterns_have_the_smallest_of_their_fingerprints() -> None:
    words = ("amber", "birch", "cedar", "delta", "ember")
    lines = [f"WorkerError: worker {word} stalled in its work" for word in words]

    alone = [grouped(line)[0]["fingerprint"] for line in lines]
    together = {one["fingerprint"] for one in grouped(*lines)}

    assert together == {min(str(value) for value in alone)}


def test_a_traceback_beside_the_error_tells_the_place() -> None:
    stack = 'Traceback (most recent call last):\n  File "/srv/app/{}.py", line 1, in run\n    x\nKeyError: 1'
    rows = [json.dumps({"error": "KeyError: 1", "traceback": stack.format(name)}) for name in ("mail", "chat", "mail")]

    first, second, third = grouped(*rows)

    assert first == third != second


def test_bytes_of_any_kind_are_taken_and_no_state_is_touched(tmp_path: Path) -> None:
    file = tmp_path / "errors.log"
    file.write_bytes(
        b"\xff\xfe\x00 odd\r\n" + b"A" * 1_000_000 + b"\n" + b'{"error": "\\ud800 lone"}\n{"error": [1]}\n{"error"\n'
    )

    result = subprocess.run(
        [sys.executable, "-m", "selfimprover", "group", file],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )

    assert result.returncode == 0, result.stderr
    assert len(result.stdout.decode().splitlines()) == 5
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_read_is_one_line_and_exit_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["group", str(tmp_path / "missing.log")])

    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "No such file" in result.stderr


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=["Cs"]), max_size=60), max_size=6)
)
def test_any_lines_get_as_many_answers(lines: list[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    result = CliRunner().invoke(app, ["group"], input=data)

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(lines)


def fails(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.stdout
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_cannot_be_split_or_joined_is_said_in_one_line(place: Place) -> None:
    (finding,) = place.night()["findings"]
    name = finding["id"]
    shown = json.loads(place.run("findings", "show", name, "--json").stdout)

    fails(place.run("findings", "split", name, shown["fingerprints"][0]), "named after")
    fails(place.run("findings", "split", name, "ffff"), "not one of its fingerprints")
    fails(place.run("findings", "join", name, name), "to itself")
    fails(place.run("findings", "join", name, "0000"), "there is no finding")
