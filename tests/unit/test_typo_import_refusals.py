from pathlib import Path

import pytest

from selfimprover.errors import RefusedError
from tests.unit.naming_cases import (
    Files,
    corrected,
    in_app,
    lacks,
    unexpected,
)

DATETIME = "import datetime\n\n\ndef run():\n    return datetime.{}\n"
OTHERS: dict[str, tuple[Files, str, str, str]] = {
    "newer Python": (
        in_app(DATETIME.format("UTC")),
        "AttributeError: module 'datetime' has no attribute 'UTC'",
        "UTC",
        "in some versions of Python",
    ),
    "shadowed module": (
        in_app("import json\n\n\ndef run():\n    return json.laods(1)\n", {"json.py": ""}),
        "AttributeError: module 'json' has no attribute 'laods'",
        "laods",
        "may stand in for the module json",
    ),
    "half-imported module": (
        in_app("import lib\n\n\ndef run():\n    return lib.conect()\n", {"lib.py": "def connect(): ...\n"}),
        (
            "AttributeError: partially initialized module 'lib' has no attribute 'conect'"
            " (most likely due to a circular import)"
        ),
        "conect",
        "for want of a name",
    ),
    "another module": (
        in_app("import json\n\n\ndef run():\n    return json.laods(1)\n"),
        "AttributeError: module 'simplejson' has no attribute 'laods'",
        "laods",
        "does not plainly name the module",
    ),
    "module under a local name": (
        in_app("import json\n\n\ndef run(json):\n    return json.laods(1)\n"),
        "AttributeError: module 'json' has no attribute 'laods'",
        "laods",
        "does not plainly name the module",
    ),
    "module that makes up names": (
        in_app(
            "import lib\n\n\ndef run():\n    return lib.conect()\n",
            {"lib.py": "def connect(): ...\n\n\ndef __getattr__(n): ...\n"},
        ),
        "AttributeError: module 'lib' has no attribute 'conect'",
        "conect",
        "makes up its names",
    ),
    "foreign module": (
        in_app("import httpx\n\n\ndef run():\n    return httpx.clinet()\n"),
        "AttributeError: module 'httpx' has no attribute 'clinet'",
        "clinet",
        "neither in the project nor known",
    ),
    "function as a value": (
        in_app("import json\n\n\ndef run():\n    return json.laods\n"),
        "AttributeError: module 'json' has no attribute 'laods'",
        "laods",
        "is not called",
    ),
    "value of objects asked of the class": (
        in_app("class A:\n    def __init__(self): self.value = 1\n\n\ndef run():\n    return A.vlaue\n"),
        "AttributeError: type object 'A' has no attribute 'vlaue'",
        "vlaue",
        "not shown to be there on the class itself",
    ),
    "name bound on a condition": (
        in_app("from lib import conect\n", {"lib.py": "if 1:\n    def connect(): ...\n"}),
        "ImportError: cannot import name 'conect' from 'lib' (/srv/app/lib.py)",
        "conect",
        "not bound exactly once",
    ),
    "circular import": (
        in_app("from lib import conect\n", {"lib.py": "def connect(): ...\n"}),
        (
            "ImportError: cannot import name 'conect' from partially initialized module 'lib' (most likely due to a"
            " circular import) (/srv/app/lib.py)"
        ),
        "conect",
        "for want of a name",
    ),
    "the name is used under its misspelling": (
        in_app("from lib import conect\n\nconect()\n", {"lib.py": "def connect(): ...\n\n\nconnect()\n"}),
        "ImportError: cannot import name 'conect' from 'lib' (/srv/app/lib.py)",
        "from lib import conect",
        "writes conect 2 times",
    ),
    "the right name means something here": (
        in_app("from lib import conect\n\nconnect = 1\n", {"lib.py": "def connect(): ...\n"}),
        "ImportError: cannot import name 'conect' from 'lib' (/srv/app/lib.py)",
        "conect",
        "already means something by connect",
    ),
    "import that may fail": (
        in_app("try:\n    from lib import conect\nexcept ImportError: raise\n", {"lib.py": "def connect(): ...\n"}),
        "ImportError: cannot import name 'conect' from 'lib' (/srv/app/lib.py)",
        "conect",
        "stands in a try",
    ),
    "newer name of a module": (
        in_app("from enum import StrEnum\n"),
        "ImportError: cannot import name 'StrEnum' from 'enum' (/usr/lib/python3.10/enum.py)",
        "StrEnum",
        "in some versions of Python",
    ),
    "foreign package": (
        in_app("import reqeusts\n"),
        "ModuleNotFoundError: No module named 'reqeusts'",
        "reqeusts",
        "none is",
    ),
    "foreign package that others import": (
        in_app("import reqeusts\n", {"lib.py": "import requests\n"}),
        "ModuleNotFoundError: No module named 'reqeusts'",
        "reqeusts",
        "neither a module of the project nor known",
    ),
    "package that is only not installed": (
        in_app("import jsons\n"),
        "ModuleNotFoundError: No module named 'jsons'",
        "jsons",
        "more than a slip",
    ),
    "requirement": (
        in_app("import collectoins\n", {"requirements.txt": "collectoins==1\n"}),
        "ModuleNotFoundError: No module named 'collectoins'",
        "collectoins",
        "2 times",
    ),
    "newer module": (
        in_app("import tomllib\n"),
        "ModuleNotFoundError: No module named 'tomllib'",
        "tomllib",
        "none is",
    ),
    "no package": (
        in_app("import lib.pirces\n", {"lib.py": "prices = 1\n"}),
        "ModuleNotFoundError: No module named 'lib.pirces'; 'lib' is not a package",
        "pirces",
        "for want of a name",
    ),
    "module without what is imported": (
        in_app("from shop.pirces import more\n", {"shop/__init__.py": "prices = 1\n", "shop/prices.py": ""}),
        "ModuleNotFoundError: No module named 'shop.pirces'",
        "pirces",
        "more in shop/prices.py is not bound exactly once",
    ),
    "module beside another root": (
        in_app("import helpres\n", {"tools/helpers.py": "helpers = 1\n"}),
        "ModuleNotFoundError: No module named 'helpres'",
        "helpres",
        "none is|neither a module|more than a slip",
    ),
    "UnboundLocalError": (
        in_app("def run(message):\n    return messsage\n"),
        "UnboundLocalError: cannot access local variable 'messsage' where it is not associated with a value",
        "messsage",
        "for want of a name",
    ),
    "KeyError": (in_app("def run(message):\n    return messsage\n"), "KeyError: 'messsage'", "messsage", "want of"),
    "special name": (
        in_app("class A:\n    __lne__ = 1\n\n\ndef run(a: A):\n    return a.__lenn__\n"),
        lacks("A", "__lenn__"),
        "__lenn__",
        "treats specially",
    ),
    "module of a longer name": (
        in_app("from lib import helpers\n", {"lib/__init__.py": "from x import *\n"}),
        "ImportError: cannot import name 'helpers' from 'lib' (/srv/app/lib/__init__.py)",
        "helpers",
        r"imports `\*`",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_module_a_class_or_an_import_that_is_not_shown_is_refused(tmp_path: Path, case: str) -> None:
    files, error, at, reason = OTHERS[case]
    function = "run" if "def run" in files["app.py"] else "<module>"

    with pytest.raises(RefusedError, match=reason):
        corrected(tmp_path, files, error, at, function)


CALL = "def send(to, timeout=1):\n    return to, timeout\n\n\ndef run():\n    return send(1, timeuot=3)\n"
KEYWORDS: dict[str, tuple[str, str]] = {
    "given twice": (CALL.replace("1, timeuot", "1, 2, timeuot"), "would not take the arguments"),
    "given by both names": (CALL.replace("timeuot=3", "timeuot=3, timeout=1"), "would not take the arguments"),
    "still too few": (CALL.replace("timeout=1", "other, timeout=1"), "would not take the arguments"),
    "starred": (CALL.replace("1, timeuot", "*x, timeuot"), "would not take the arguments"),
    "takes any": (CALL.replace("timeout=1", "timeout=1, **more"), "would not take the arguments"),
    "by position only": (CALL.replace("timeout=1", "timeout, /"), "cannot be given by its name"),
    "the star": (CALL.replace("timeout=1", "*timeout"), "cannot be given by its name"),
    "two are close": (CALL.replace("timeout=1", "timeout=1, timeut=2"), "timeout, timeut"),
    "none is close": (CALL.replace("timeout", "seconds"), "none is"),
    "decorated": ("import x\n\n\n@x.y\n" + CALL, "is decorated"),
    "another function": (CALL.replace("def send", "def post").replace("return send", "return post"), "to call send"),
    "rebound": (CALL + "\n\nsend = 1\n", "not bound exactly once"),
    "local": (CALL.replace("run():", "run(send):"), "is a local name"),
    "foreign": ("from httpx import send\n\n\n" + CALL.partition("\n\n\n")[2], "not in the project"),
    "of an unknown object": (CALL.replace("return send", "return x.send"), "cannot be shown|not in the project"),
    "result of a call": (CALL.replace("return send", "return x()"), "cannot be shown"),
    "class without its own __init__": (
        "class send:\n    timeout = 1\n\n\n" + CALL.partition("\n\n\n")[2],
        "define __init__ themselves|define send themselves",
    ),
}


@pytest.mark.parametrize("case", KEYWORDS)
def test_a_keyword_that_is_not_shown_to_be_a_parameter_is_refused(tmp_path: Path, case: str) -> None:
    text, reason = KEYWORDS[case]

    with pytest.raises(RefusedError, match=reason):
        corrected(tmp_path, in_app(text), unexpected("send", "timeuot"), "timeuot")


FROM_LIB = in_app("from lib import conect\n", {"lib.py": "def connect(): ...\n"})


@pytest.mark.parametrize(
    "path", ["/venv/lib/python3.11/site-packages/lib.py", "/srv/other/lib/core.py", "unknown location"]
)
def test_a_module_that_was_imported_from_another_file_is_refused(tmp_path: Path, path: str) -> None:
    error = f"ImportError: cannot import name 'conect' from 'lib' ({path})"

    with pytest.raises(RefusedError, match="not the file in question"):
        corrected(tmp_path, FROM_LIB, error, "conect", "<module>")


def test_a_method_that_a_subclass_may_replace_is_refused_if_the_error_names_no_class(tmp_path: Path) -> None:
    text = (
        "class A:\n    def send(self, timeout): ...\n\n    def run(self):\n        self.send(timeuot=1)\n\n\n"
        "class B(A):\n    def send(self, to): ...\n"
    )

    with pytest.raises(RefusedError, match="names no class"):
        corrected(tmp_path, in_app(text), unexpected("send", "timeuot"), "timeuot")
