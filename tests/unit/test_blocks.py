"""Blocks in files: found exactly once or not at all, and every byte that was not meant stays."""

import os
import time
from pathlib import Path

import pytest

from selfimprover import edits
from selfimprover.domain import Edit
from selfimprover.drafting.blocks import Block, FunctionBlock, Misfit, apply_blocks

CODE = """\
import json


class Box:
    def load(self, text):
        try:
            return json.loads(text)
        finally:
            self.count += 1

    def dump(self, thing):
        return json.dumps(thing)
"""


def block(search: str, replace: str, path: str = "box.py") -> Block:
    return Block(path, tuple(search.split("\n")) if search else (), tuple(replace.split("\n")) if replace else ())


def put(tree: Path, text: str | bytes, path: str = "box.py") -> Path:
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def after(tree: Path, *blocks: Block | FunctionBlock) -> str:
    """What becomes of the only file that is changed."""
    found = apply_blocks(blocks, tree)
    assert isinstance(found, tuple), found.why
    (edit,) = found
    assert edit.after is not None
    edits.check_applicable(found, tree)
    return edit.after


def why(tree: Path, *blocks: Block | FunctionBlock, earlier: tuple[Edit, ...] = ()) -> str:
    found = apply_blocks(blocks, tree, earlier)
    assert isinstance(found, Misfit), found
    return found.why


def test_a_block_replaces_the_lines_that_stand_there_once(tmp_path: Path) -> None:
    put(tmp_path, CODE)

    changed = after(
        tmp_path, block("        return json.dumps(thing)", "        return json.dumps(thing, default=str)")
    )

    assert changed == CODE.replace("thing)\n", "thing, default=str)\n").replace(
        "self, thing, default=str)", "self, thing)"
    )


def test_blocks_of_one_file_are_put_in_one_after_the_other(tmp_path: Path) -> None:
    put(tmp_path, "a\nb\n")
    put(tmp_path, "c\n", "d/e.py")

    found = apply_blocks([block("a", "x\ny"), block("y\nb", "z"), block("c", "", "d/e.py"), block("z", "b")], tmp_path)

    assert found == Misfit(found.why if isinstance(found, Misfit) else "", (Edit("box.py", "a\nb\n", "x\nb\n"),))
    assert "nothing would be left" in found.why


@pytest.mark.parametrize(
    ("search", "replace", "expected"),
    [
        # dedented as a whole
        ("try:\n    return json.loads(text)", "try:\n    return json.loads(text or '{}')", "loads(text or '{}')"),
        # indented as a whole, with a new line at the outer level
        (
            "            def dump(self, thing):",
            "            # all\n            def dump(self, thing):",
            "\n    # all\n    def dump",
        ),
        # blank lines around both parts
        ("\n        return json.dumps(thing)\n", "\n        return 1\n", "thing):\n        return 1\n"),
    ],
)
def test_indentation_may_differ_by_one_shift_of_all_lines(
    tmp_path: Path, search: str, replace: str, expected: str
) -> None:
    put(tmp_path, CODE)

    changed = after(tmp_path, block(search, replace))

    assert expected in changed
    assert compile(changed, "box.py", "exec")


def test_tabs_shift_as_tabs_and_lines_that_are_repeated_keep_their_blanks(tmp_path: Path) -> None:
    put(tmp_path, "if a:\n\tif b:  \n\t\tc()\n\n\t\td()\n")

    changed = after(tmp_path, block("if b:\n\tc()\n\n\td()", "if b:\n\tc(1)\n\n\td()\n\te()"))

    assert changed == "if a:\n\tif b:  \n\t\tc(1)\n\n\t\td()\n\t\te()\n"


@pytest.mark.parametrize(
    "search",
    [
        "try:\n  return json.loads(text)",  # not one shift for all lines
        "    try:\n    return json.loads(text)",
        "        return json.dumps( thing )",
        "        return json.dumps(thing) # all",
        "json.dumps(thing)",  # no whole line
        "\t\treturn json.dumps(thing)",
    ],
)
def test_nothing_is_guessed(tmp_path: Path, search: str) -> None:
    put(tmp_path, CODE)

    assert "its SEARCH lines are not in the file. The nearest lines" in why(tmp_path, block(search, "x"))


def test_what_is_shifted_out_of_the_margin_does_not_fit(tmp_path: Path) -> None:
    put(tmp_path, CODE)

    assert "indented less" in why(tmp_path, block("            def dump(self, thing):", "  def dump(self, thing, x):"))


def test_a_misfit_quotes_the_nearest_lines_and_the_first_difference(tmp_path: Path) -> None:
    put(tmp_path, CODE)

    text = why(tmp_path, block("    def dump(self, value):\n        return json.dumps(thing)", "x"))

    assert text == (
        "Block 1 (box.py): its SEARCH lines are not in the file. The nearest lines (the file has"
        " '    def dump(self, thing):' where you wrote '    def dump(self, value):'):\n"
        "    9|             self.count += 1\n"
        "   10| \n"
        "   11|     def dump(self, thing):\n"
        "   12|         return json.dumps(thing)\n\n"
        "Send corrected blocks for these places only, copied from the lines quoted here or from the file."
        " A FUNCTION block needs no copied lines: it takes the place of the whole function."
    )
    assert "Nothing in it is like them" in why(tmp_path, block("zzzzzzzzzzzzzzzzzzzzzzzzzzzz", "x"))
    assert "   12|         return json.dumps(thing)" in why(tmp_path, block("return json.dump(things)", "x"))


def test_a_block_that_fits_twice_quotes_both_places(tmp_path: Path) -> None:
    put(tmp_path, "a\nx\nb\nx\nc\n")

    text = why(tmp_path, block("x", "y"))

    assert "stand 2 times in the file (lines 2-2, 4-4)" in text
    assert "    1| a\n    2| x\n    3| b\n" in text
    assert "    3| b\n    4| x\n    5| c" in text
    assert "stand 2 times" in why(tmp_path, block("    x", "    y"))


def test_blocks_that_fit_are_kept_and_need_not_be_sent_again(tmp_path: Path) -> None:
    put(tmp_path, "alpha beta gamma\nx\n")
    good, bad = block("alpha beta gamma", "alpha beta delta"), block("wrong", "z")

    first = apply_blocks([good, bad], tmp_path)
    assert isinstance(first, Misfit)
    assert "The other 1 of the 2 blocks are in place: don't resend them." in first.why
    assert first.fitting == (Edit("box.py", "alpha beta gamma\nx\n", "alpha beta delta\nx\n"),)

    for second in ([block("x", "z")], [good, block("x", "z")]):
        assert apply_blocks(second, tmp_path, first.fitting) == (
            Edit("box.py", "alpha beta gamma\nx\n", "alpha beta delta\nz\n"),
        )


def test_what_is_in_place_already_is_said_and_what_changes_nothing_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, CODE)
    same = block("import json", "import json")

    assert "in place already, don't resend it" in why(
        tmp_path, block("return loads(text)", "            return json.loads(text)")
    )
    assert "change nothing" in why(tmp_path, same)
    assert "import orjson" in after(tmp_path, same, block("import json", "import orjson"))


def test_lines_that_a_block_repeats_keep_their_own_newlines(tmp_path: Path) -> None:
    put(tmp_path, "a\r\nb\nc\r\nd\ne")

    assert after(tmp_path, block("a\nb\nc\nd", "b\nx\nc\ny\nd")) == "b\nx\r\nc\r\ny\r\nd\ne"
    assert after(tmp_path, block("d\ne", "d\ne\nf")) == "a\r\nb\nc\r\nd\ne\nf"


def test_lone_carriage_returns_never_become_part_of_another_newline(tmp_path: Path) -> None:
    put(tmp_path, "a\rb\r\nc\n\n")

    assert "lone carriage returns" in why(tmp_path, block("a\nb\nc", "a"))
    assert after(tmp_path, block("a\nb", "a\nz")).endswith("c\n\n")


def test_only_a_file_that_is_not_there_is_made_by_an_empty_search(tmp_path: Path) -> None:
    put(tmp_path, CODE)
    put(tmp_path, b"", "pkg/__init__.py")

    assert apply_blocks([block("", "x = 1", "new/a.py")], tmp_path) == (Edit("new/a.py", None, "x = 1\n"),)
    assert apply_blocks([block("\n ", "x = 1\n", "pkg/__init__.py")], tmp_path) == (
        Edit("pkg/__init__.py", "", "x = 1\n"),
    )
    assert "the file exists" in why(tmp_path, block("", "x = 1"))
    earlier = (Edit("new/a.py", None, "x = 1\n"),)
    assert apply_blocks([block("", "x = 1", "new/a.py")], tmp_path, earlier) == earlier
    assert "the file exists" in why(tmp_path, block("", "x = 2", "new/a.py"), earlier=earlier)
    assert "neither" in why(tmp_path, block("", "", "new/a.py"))
    assert "there is no such file; there is box.py. Write paths" in why(
        tmp_path, block("import json", "x", "shop/box.py")
    )


def test_no_block_empties_a_file(tmp_path: Path) -> None:
    put(tmp_path, "\ufeff" + CODE)

    assert "nothing would be left of the file" in why(tmp_path, block(CODE.rstrip("\n"), ""))
    assert "nothing would be left of the file" in why(tmp_path, block(CODE.rstrip("\n"), "\n\n"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *[
            (path, "path")
            for path in ("/etc/passwd", "../box.py", "a/../box.py", ".git/config", ".GIT/x", "a\0b.py", "nul")
        ],
        *[
            (path, "path")
            for path in ("./box.py", "a\\box.py", "C:/x.py", "a/CON.py", "x" * 256, "a/" * 2048 + "x", "")
        ],
        ("link.py", "symbolic link"),
        ("folder/inside.py", "symbolic link"),
        ("pipe", "no plain file"),
        ("sub", "no plain file"),
        ("Box.py", "capitals"),
        ("SUB/new.py", "capitals"),
        ("box.py/new.py", "no folder"),
        ("latin.py", "UTF-8"),
        ("binary.dat", "NUL"),
        ("large.txt", "larger than"),
    ],
)
def test_only_plain_small_text_inside_of_the_tree_is_touched(tmp_path: Path, path: str, said: str) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    put(outside, "a\n", "inside.py")
    put(tree, "a\n")
    put(tree, "a\n", "sub/x.py")
    put(tree, b"a\n\xe9\n", "latin.py")
    put(tree, b"a\n\0\n", "binary.dat")
    put(tree, b"a\n" * 600_000, "large.txt")
    (tree / "link.py").symlink_to(outside / "inside.py")
    (tree / "folder").symlink_to(outside)
    os.mkfifo(tree / "pipe")

    assert said in why(tree, block("a", "b", path))
    assert said in why(tree, block("", "b", path))


def test_sizes_are_bounded_and_nothing_takes_long(tmp_path: Path) -> None:
    put(tmp_path, "x\n" * 100_000 + "y\n")
    begun = time.perf_counter()

    assert "more than 3000 lines" in why(tmp_path, block("x\n" * 5_000, "y"))
    assert "larger than" in why(tmp_path, block("y", "z" * 1_000_000))
    assert "stand 100000 times" in why(tmp_path, block("x", "z"))
    assert "not in the file" in why(tmp_path, block("x\n" * 2_900 + "z", "w"))
    text = why(tmp_path, *[block(f"q{number}", "w") for number in range(60)])
    assert len(text) < 13_000
    assert text.endswith("The blocks after block 20 were not looked at.")
    assert time.perf_counter() - begun < 10


# --- functions -----------------------------------------------------------------------------------------

METHODS = '''\
class Box:
    @property
    @cached(
        1
    )
    def size(self) -> int:
        """How large.

        Really.
        """
        return 1  # one

    async def load(self):
        return """
unindented
    indented
"""


@decorated
def size(): return 2
# after
'''


def function(name: str, code: str) -> FunctionBlock:
    return FunctionBlock("box.py", name, tuple(code.split("\n")))


def test_a_function_is_replaced_with_its_decorators(tmp_path: Path) -> None:
    put(tmp_path, METHODS)

    changed = after(tmp_path, function("Box.size", "@property\ndef size(self) -> int:\n    return 3\n"))

    head, tail = METHODS.index("    @property"), METHODS.index("\n    async def")
    assert changed == METHODS[:head] + "    @property\n    def size(self) -> int:\n        return 3\n" + METHODS[tail:]


def test_a_function_keeps_its_decorators_if_none_are_sent(tmp_path: Path) -> None:
    put(tmp_path, METHODS)

    assert after(tmp_path, function("size", "def size():\n    return 3")) == METHODS.replace(
        "def size(): return 2", "def size():\n    return 3"
    )


def test_an_async_method_is_found_and_texts_at_the_margin_stay_there(tmp_path: Path) -> None:
    put(tmp_path, METHODS)

    changed = after(tmp_path, function("Box.load", 'async def load(self):\n    return """\nunindented\n    x\n"""'))

    assert changed == METHODS.replace("\n    indented\n", "\n        x\n")
    compile(changed, "box.py", "exec")


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("Box.gone", "def gone(self): pass", "no function 'Box.gone'. Its functions: Box.size, Box.load, size"),
        ("load", "def load(): pass", "no function 'load'"),
        ("size", "def other(): pass", "exactly one function of the name size"),
        ("size", "def size(): pass\nx = 1", "exactly one function"),
        ("size", "def size(): pass\ndef size2(): pass", "exactly one function"),
        ("size", "    return 3", "exactly one function"),
        ("size", "def size(:", "exactly one function"),
        ("size", "", "exactly one function"),
        ("size", "class size: pass", "exactly one function"),
    ],
)
def test_a_function_that_does_not_fit_says_why(tmp_path: Path, name: str, code: str, said: str) -> None:
    put(tmp_path, METHODS)

    assert said in why(tmp_path, function(name, code))


def test_of_several_functions_of_a_name_none_is_chosen(tmp_path: Path) -> None:
    put(tmp_path, "if a:\n    def f(): pass\nelse:\n    def f(): return 1\n")

    text = why(tmp_path, function("f", "def f(): return 2"))

    assert "2 functions f" in text
    assert "    2|     def f(): pass" in text


def test_functions_are_for_python_that_can_be_read(tmp_path: Path) -> None:
    put(tmp_path, "def f(:\n")
    put(tmp_path, "def f(): pass\n", "a.txt")

    assert "use SEARCH/REPLACE" in why(tmp_path, function("f", "def f(): pass"))
    assert "use SEARCH/REPLACE" in why(tmp_path, FunctionBlock("a.txt", "f", ("def f(): return 1",)))
