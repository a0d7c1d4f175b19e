"""What a model may change: rules on the edits, whatever it was asked or told."""

from pathlib import Path

import pytest

from selfimprover.domain import Edit
from selfimprover.drafting import policy
from selfimprover.drafting.added_tests import faults_of_test
from selfimprover.drafting.answers import NewTest
from selfimprover.drafting.imports import unknown_imports
from selfimprover.drafting.network import reached
from selfimprover.drafting.weakening import weakened
from selfimprover.errors import RefusedError

GOOD = "from shop.box import Box\n\n\ndef test_box() -> None:\n    assert Box().size == 1\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "shop/__init__.py": "",
        "shop/box.py": "import requests\nfrom yaml import safe_load\n",
        "src/inner/deep.py": "try:\n    import orjson.fast as fast\nexcept ImportError:\n    fast = None\n",
        "docs/x.py": "# import evil\ntext = '''\nimport evil\n'''\n",
        "old.py": "print 'import evil'\n",
        "tests/test_box.py": GOOD,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


# --- imports -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        *(
            "import os.path",
            "from asyncio import sleep",
            "import requests",
            "from requests.adapters import HTTPAdapter",
        ),
        *(
            "import yaml",
            "import shop.box",
            "from inner import deep",
            "import inner.deep",
            "import orjson",
            "from . import box",
        ),
        *(
            "from .box import Box",
            "from .. import shop",
            "from ..src.inner.deep import x",
            "from __future__ import annotations",
        ),
    ],
)
def test_what_the_project_has_may_be_imported(tree: Path, line: str) -> None:
    assert unknown_imports([Edit("shop/new.py", "", f"{line}\n")], tree) == ()


@pytest.mark.parametrize(
    "line",
    [
        *(
            "import evil",
            "import reqeusts",
            "from evil.requests import x",
            "def f():\n    import evil",
            "import os, evil",
        ),
        *(
            "if x: import evil",
            "try:\n    import evil\nexcept ImportError: pass",
            "from .evil import x",
            "from ... import x",
        ),
        "from .box.evil import x",
    ],
)
def test_what_nobody_knows_may_not_be_imported(tree: Path, line: str) -> None:
    (fault,) = unknown_imports([Edit("shop/new.py", "", f"{line}\n")], tree)

    assert fault.startswith("shop/new.py:")
    assert "imports" in fault


def test_an_import_that_stood_there_and_a_module_of_the_change_itself_are_known(tree: Path) -> None:
    assert unknown_imports([Edit("shop/a.py", "import evil\n", "import os\nimport evil\n")], tree) == ()
    assert unknown_imports([Edit("a.py", "", "import helper\n"), Edit("helper.py", None, "x = 1\n")], tree) == ()
    assert unknown_imports([Edit("evil.py", None, "import evil\n")], tree) != ()


def test_a_test_may_import_its_runner(tree: Path) -> None:
    assert unknown_imports([Edit("tests/test_x.py", None, "import pytest\n")], tree) == ()
    assert unknown_imports([Edit("shop/x.py", None, "import pytest\n")], tree) != ()


# --- the added test ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "import pytest\n\ndef test_x():\n    with pytest.raises(ValueError):\n        f()\n",
        "import pytest\n\nasync def test_x():\n    pytest.raises(ValueError, f)\n",
        "class TestX(TestCase):\n    def test_x(self):\n        self.assertEqual(f(), 1)\n",
        "def test_x(monkeypatch):\n    monkeypatch.setattr('subprocess.run', fake)\n    fake.assert_called_once()\n",
        "import socket\n\ndef test_x():\n    assert isinstance(f(), socket.timeout)\n",
        "def test_x():\n    try:\n        f()\n    except ValueError as error:\n        assert 'id' in str(error)\n",
        "def check(x):\n    assert x\n\ndef test_x():\n    check(f())\n",
        "def test_x():\n    for skip in f():\n        assert skip\n",
    ],
)
def test_a_test_that_asserts_something_is_fine(text: str) -> None:
    assert faults_of_test("tests/test_x.py", text) == ()


@pytest.mark.parametrize(
    "line",
    [
        *(
            "pass",
            "f()",
            "assert True",
            "assert 1",
            "assert 'text'",
            "assert (f(), 1)",
            "assert x == x",
            "assert not None",
        ),
        *(
            "assert f() or True",
            "assert 1 == 1",
            "self.assertTrue(True)",
            "assert [f()]",
            "assert f'{f()}'",
            "pytest.raises()",
        ),
        "try:\n        assert f() == 1\n    except Exception:\n        pass",
        "try:\n        assert f() == 1\n    except AssertionError:\n        return",
    ],
)
def test_a_test_that_asserts_nothing_is_told(line: str) -> None:
    (fault,) = faults_of_test("tests/test_x.py", f"def test_x():\n    {line}\n")

    assert "asserts nothing in test_x" in fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def helper():\n    assert f()\n", "has no test"),
        ("def test_x(:\n", "cannot be read"),
        ("x = 1\n" * 500, "more than 400 lines"),
        (GOOD + "    pytest.skip('later')\n", "uses skip"),
        (GOOD.replace("def test", "@pytest.mark.xfail\ndef test"), "uses xfail"),
        (GOOD + "    raise unittest.SkipTest\n", "uses SkipTest"),
        (GOOD + "    from pytest import importorskip\n", "skips tests"),
        ("import subprocess\n" + GOOD, "other programs"),
        ("from multiprocessing import Process\n" + GOOD, "other programs"),
        (GOOD + "    os.system('ls')\n", "calls os.system"),
        (GOOD + "    requests.get(url)\n", "calls requests.get: put a fake"),
        (GOOD + "    socket.create_connection(x)\n", "calls socket.create_connection"),
        (GOOD + "    assert 'x' in inspect.getsource(Box)\n", "reads the text of the code"),
        (GOOD + "    assert 'x' in Path('shop/box.py').read_text()\n", "reads the text of the code"),
    ],
)
def test_a_test_that_shows_nothing_or_reaches_out_is_told(text: str, said: str) -> None:
    assert said in "\n".join(faults_of_test("tests/test_x.py", text))


@pytest.mark.parametrize("path", ["tests/box.py", "tests/conftest.py", "tests/test_x.txt", "tests/test_x/box.py"])
def test_a_test_has_the_name_of_one(path: str) -> None:
    assert "no test by its name" in faults_of_test(path, GOOD)[0]


# --- existing tests ------------------------------------------------------------------------------------

TESTS = """\
import pytest


@pytest.mark.parametrize("x", [1, 2, 3])
def test_a(x):
    assert f(x) == x
    assert g(x)


def test_b():
    with pytest.raises(ValueError):
        f(None)
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    assert g(x)\n", "", "deletes `assert g(x)` in test_a"),
        ("    assert g(x)\n", "    assert True\n", "deletes `assert g(x)`"),
        ("assert f(x) == x", "assert f(x) in (x, None)", "loosens `assert f(x) == x` in test_a"),
        ("assert f(x) == x", "assert f(x) is not None", "loosens"),
        ("assert f(x) == x", "assert f(x) == pytest.approx(x, abs=9)", "loosens"),
        ("assert f(x) == x", "assert f(x) == None", "changes what is expected"),
        ("raises(ValueError)", "raises(Exception)", "loosens"),
        ("    assert g(x)\n", "    if x:\n        assert g(x)\n", "loosens"),
        ("    assert g(x)\n", "    try:\n        assert g(x)\n    except AssertionError:\n        pass\n", "loosens"),
        ("[1, 2, 3]", "[1]", "has fewer cases in test_a"),
        ("def test_b", "@pytest.mark.skip\ndef test_b", "adds skip"),
        ("def test_b", "@pytest.mark.xfail(strict=False)\ndef test_b", "adds xfail"),
        ("    f(None)", "    pytest.skip()", "adds skip"),
        ("def test_b", "def check_b", "loses test_b"),
        ("    assert f(x) == x\n", "    return\n    assert f(x) == x\n", "returns before its end in test_a"),
        (TESTS, "def (", "cannot be read"),
    ],
)
def test_a_weakened_test_is_told(old: str, new: str, said: str) -> None:
    assert TESTS.count(old) == 1
    assert said in "\n".join(weakened([Edit("tests/test_f.py", TESTS, TESTS.replace(old, new))]))


def test_a_test_that_is_deleted_is_told_and_one_that_grows_is_fine() -> None:
    more = TESTS.replace("    assert g(x)\n", "    assert g(x)\n    assert h(x) == 1\n").replace(
        "[1, 2, 3]", "[1, 2, 3, 4]"
    )

    assert weakened([Edit("tests/test_f.py", TESTS, None)]) == ("tests/test_f.py is deleted: tests must stay",)
    assert weakened([Edit("tests/test_f.py", TESTS, more + "\n\ndef test_c():\n    assert f(4)\n")]) == ()
    assert weakened([Edit("shop/f.py", TESTS, "")]) == ()


# --- the network ---------------------------------------------------------------------------------------


CALLING = "import requests\nSERVER = 'https://api.shop.test/v1'\nrequests.get(SERVER)\n"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "import socket\n", "the module socket"),
        ("", "def f():\n    from urllib import request\n", "the module urllib.request"),
        ("", "import http.client as h\n", "the module http.client"),
        ("", "import httpx\n", "the module httpx"),
        ("import asyncio\n", "import asyncio\nasyncio.open_connection('x', 1)\n", "open_connection()"),
        (CALLING, CALLING + "requests.post('http://192.0.2.1/', data=1)\n", "the address of 192.0.2.1"),
        (CALLING, CALLING.replace("api.shop.test", "api.shop.test.evil.test"), "the address of api.shop.test.evil"),
        (CALLING, CALLING.replace("https://", "https://evil@"), "the address of evil@api.shop.test"),
    ],
)
def test_a_change_may_not_reach_over_the_network_where_its_file_did_not(before: str, after: str, said: str) -> None:
    (fault,) = reached([Edit("shop/box.py", before, after)])

    assert fault == f"shop/box.py brings in {said}: a change may not reach over the network" or said in fault


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("shop/box.py", CALLING, CALLING.replace("requests.get(SERVER)", "requests.get(SERVER, timeout=5)")),
        ("shop/box.py", CALLING, CALLING.replace("/v1'", "/v2'")),
        ("shop/box.py", "", "import urllib.error\nfrom urllib.parse import quote\nfrom http import HTTPStatus\n"),
        ("tests/test_box.py", "", "def test():\n    assert host_of('https://example.test/x') == 'example.test'\n"),
        ("notes.md", "", "See https://example.test\n"),
    ],
)
def test_what_reaches_no_further_than_before_is_free(path: str, before: str, after: str) -> None:
    assert reached([Edit(path, before, after)]) == ()


# --- all together --------------------------------------------------------------------------------------


def test_a_plain_fix_with_its_test_is_permitted(tree: Path) -> None:
    change = (Edit("shop/box.py", "import requests\n", "import requests\n\nx = 1\n"),)
    test = NewTest("tests/test_new.py", GOOD)

    policy.check_permitted(change, test, allow=["shop/**"])

    assert policy.faults(change, test, tree) == policy.faults(change, None, tree) == ()


@pytest.mark.parametrize(
    ("change", "test", "said"),
    [
        (Edit("shop/box.py", "x\n", None), None, "needs a person: shop/box.py would be deleted"),
        (Edit(".github/workflows/x.yml", "x\n", "y\n"), None, "needs a person"),
        (Edit("lib/x.py", "x\n", "y\n"), None, "needs a person"),
        (Edit("shop/x.py", "x\n", "y\u202e\n"), None, "nobody would see"),
        (Edit("shop/x.py", "x\n", "y\0\n"), None, "nobody would see"),
        (Edit("shop/x.py", "x\n", "y\n"), NewTest("tests/conftest.py", "x\n"), "needs a person"),
        (Edit("shop/x.py", "x\n", "y\n"), NewTest("../test_x.py", "x\n"), "path"),
        (Edit("shop/x.py", "x\n", "y\n"), NewTest("tests/test_x.py", "\u200b\n"), "nobody would see"),
        (Edit("shop/x.py", "x\n", "y\n"), NewTest("Shop/X.py", "x\n"), "same file"),
    ],
)
def test_what_a_machine_may_not_propose_is_refused(change: Edit, test: NewTest | None, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        policy.check_permitted([change], test, allow=["shop/**", ".github/**"])


@pytest.mark.parametrize(
    ("after", "test", "said"),
    [
        ("def f(:\n", None, "shop/box.py cannot be read as Python any more"),
        ("import evil\n", None, "shop/box.py:1 imports evil"),
        ("import socket\n", None, "brings in the module socket"),
        ("KEY = '[REDACTED:github-token:0a1b2c]'\n", None, "leave such lines as they are"),
        ("x = 1\n", NewTest("tests/test_new.py", "import socket\n" + GOOD), "brings in the module socket"),
        ("try:\n    f()\nexcept Exception:\n    pass\n", None, "swallows"),
        ("x = 1\n", NewTest("tests/test_box.py", GOOD), "tests/test_box.py exists"),
        ("x = 1\n", NewTest("tests/test_new.py", "import evil\n" + GOOD), "tests/test_new.py:1 imports evil"),
        ("x = 1\n", NewTest("tests/test_new.py", "x = 1\n"), "has no test"),
        ("x = 1\n", NewTest("tests/TEST_box.py", GOOD), "capitals"),
    ],
)
def test_what_the_model_has_to_do_otherwise_is_told(tree: Path, after: str, test: NewTest | None, said: str) -> None:
    assert said in "\n".join(policy.faults([Edit("shop/box.py", "f()\n", after)], test, tree))


def test_changing_tests_alone_is_no_fix(tree: Path) -> None:
    assert "only tests are changed" in policy.faults([Edit("tests/test_box.py", GOOD, GOOD + "\n")], None, tree)[-1]


@pytest.mark.parametrize("terms", [600, 2000, 3000, 90_000])
def test_code_that_is_nested_too_deeply_is_not_waved_through(tree: Path, terms: int) -> None:
    deep = "try:\n    x = " + "+".join("1" * terms) + "\nexcept Exception:\n    pass\n"

    assert policy.faults([Edit("shop/box.py", "x = 1\n", deep)], None, tree) != ()
