"""Whatever a file is made of, a block changes the lines it replaces and not one byte else."""

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from selfimprover.drafting import matching
from selfimprover.drafting.blocks import Block, FunctionBlock, Misfit, apply_blocks

_bare = st.text(
    st.sampled_from([*"ab \t(){}", "\u2028", "\x0b", "\x0c", "\x85", "\x1c", "é", "\U0001f600", "\ufeff", "\u200b"]),
    max_size=6,
)
_newline = st.sampled_from(["\n", "\r\n", "\r", "\n", "\n"])
_mark = st.sampled_from(["", "", "\ufeff"])


def written(folder: Path, lines: list[tuple[str, str]], mark: str, *, final: bool) -> list[str]:
    """Writes a file of the lines and returns them with their newlines."""
    whole = [text + newline for text, newline in lines]
    if not final:
        whole[-1] = lines[-1][0]
    (folder / "f.txt").write_bytes((mark + "".join(whole)).encode())
    return whole


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(_bare, _newline), min_size=1, max_size=12),
    _mark,
    st.booleans(),
    st.lists(_bare, max_size=5),
    st.data(),
)
def test_bytes_outside_of_the_replaced_lines_stay(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[str, str]],
    mark: str,
    final: bool,
    new: list[str],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    whole = written(folder, lines, mark, final=final)
    assume(whole[-1] and not whole[0].startswith("\ufeff"))
    assume("".join(whole).count("\r\n") == sum(line.endswith("\r\n") for line in whole))
    begin = data.draw(st.integers(0, len(lines) - 1))
    end = data.draw(st.integers(begin + 1, len(lines)))
    search = tuple(text for text, _ in lines[begin:end])

    found = apply_blocks([Block("f.txt", search, tuple(new))], folder)

    if isinstance(found, Misfit):
        single = matching.exact(whole, search) == [begin] if any(line.strip() for line in search) else False
        refusals = ("nothing would be left", "change nothing", "lone carriage returns")
        assert not single or any(refusal in found.why for refusal in refusals)
        return
    (edit,) = found
    assert edit.after is not None
    head, tail = mark + "".join(whole[:begin]), "".join(whole[end:])
    assert edit.before == head + "".join(whole[begin:end]) + tail
    assert edit.after.startswith(head)
    assert edit.after.endswith(tail)
    middle = matching.split(edit.after[len(head) : len(edit.after) - len(tail)])
    if new and (tail or final):
        assert [matching.bare(line) for line in middle] == new
    newlines = {line[len(matching.bare(line)) :] for line in whole[begin:end]} - {""}
    assert {line[len(matching.bare(line)) :] for line in middle} - {""} <= (newlines or {"\n", "\r", "\r\n"})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["x = 1", "  ", "", "# \u2028", "'''", "y = '\x0c'"]), max_size=3),
    st.lists(st.sampled_from(["x = 2", "", "# end", "def g(): pass"]), max_size=3),
    st.sampled_from(["\n", "\r\n", "\r"]),
    _mark,
    st.booleans(),
)
def test_bytes_outside_of_a_replaced_function_stay(
    tmp_path_factory: pytest.TempPathFactory, above: list[str], below: list[str], newline: str, mark: str, final: bool
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    body = ["@a", "async def f(x):", "\tif x:", "\t\treturn '''", "q'''", "\treturn 1"]
    head = mark + "".join(line + newline for line in above)
    tail = newline + newline.join(below) + (newline if final and below else "") if below else newline if final else ""
    text = head + newline.join(body) + tail
    (folder / "f.py").write_bytes(text.encode())
    try:
        ast.parse(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    except SyntaxError:
        assume(False)

    found = apply_blocks([FunctionBlock("f.py", "f", ("async def f(x):", "\treturn 2"))], folder)

    assert isinstance(found, tuple)
    (edit,) = found
    assert edit.before == text
    assert edit.after == head + newline.join(["@a", "async def f(x):", "\treturn 2"]) + tail


@given(st.text(st.sampled_from("a\r\n\u2028\x0b\x85 "), max_size=30))
def test_lines_joined_are_the_text(text: str) -> None:
    lines = matching.split(text)

    assert "".join(lines) == text
    assert all("\n" not in matching.bare(line) and "\r" not in matching.bare(line) for line in lines)
