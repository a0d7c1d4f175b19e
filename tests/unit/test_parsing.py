"""Many threads may parse at once: CPython 3.11 by itself fails at that now and then."""

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from selfimprover import parsing

SOURCE = Path(parsing.__file__).with_name("edits.py").read_text()


def test_threads_that_parse_at_once_do_not_disturb_one_another() -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        trees = list(pool.map(lambda _: parsing.parse(SOURCE), range(64)))
        codes = list(pool.map(lambda _: parsing.compiled(SOURCE, "edits.py"), range(16)))

    assert {ast.dump(tree) for tree in trees} == {ast.dump(ast.parse(SOURCE))}
    assert {code.co_filename for code in codes} == {"edits.py"}


def test_what_is_no_python_is_said_as_ever() -> None:
    with pytest.raises(SyntaxError):
        parsing.parse("def f(:")
