from pathlib import Path

import pytest

from selfimprover.errors import RefusedError
from tests.unit.naming_cases import Files, imported

RUN = "\n\n\ndef run(text):\n    return json.loads(text)\n"

REFUSED: dict[str, tuple[Files, str, str]] = {
    "local later": ({"app.py": RUN + "    json = 1\n"}, "json", "is bound somewhere"),
    "local of another function": ({"app.py": RUN + "\n\ndef f(json): ...\n"}, "json", "is bound somewhere"),
    "defined later": ({"app.py": RUN + "\n\njson = 1\n"}, "json", "is bound somewhere"),
    "defined on a condition": ({"app.py": "if 0:\n    json = 1\n" + RUN}, "json", "is bound somewhere"),
    "imported in a try": ({"app.py": "try:\n    import json\nexcept E: ...\n" + RUN}, "json", "is bound somewhere"),
    "imported in another function": ({"app.py": "def f():\n    import json\n" + RUN}, "json", "is bound somewhere"),
    "for type checkers": (
        {"app.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import json\n" + RUN},
        "json",
        "is bound somewhere",
    ),
    "deleted": ({"app.py": RUN + "\n\ndel json\n"}, "json", "is bound somewhere"),
    "global": ({"app.py": "def f():\n    global json\n" + RUN}, "json", "is bound somewhere"),
    "except clause": ({"app.py": "try: ...\nexcept E as json: ...\n" + RUN}, "json", "is bound somewhere"),
    "match": (
        {"app.py": "def f(x):\n    match x:\n        case [json]: ...\n" + RUN},
        "json",
        "is bound somewhere",
    ),
    "walrus": ({"app.py": "def f(x):\n    (json := x)\n" + RUN}, "json", "is bound somewhere"),
    "star import": ({"app.py": "from x import *\n" + RUN}, "json", r"imports `\*`"),
    "exec": ({"app.py": "exec('json = 1')\n" + RUN}, "json", "calls exec"),
    "globals": ({"app.py": "globals().update(x)\n" + RUN}, "json", "calls globals"),
    "module __getattr__": ({"app.py": "def __getattr__(n): ...\n" + RUN}, "json", "makes up its names"),
    "no such attribute": ({"app.py": RUN.replace("loads", "decode")}, "json", "is asked for decode"),
    "another use without": ({"app.py": RUN + "\n\ndef f(): json.decode()\n"}, "json", "is asked for decode"),
    "not asked for a name": ({"app.py": RUN.replace("json.loads(text)", "json")}, "json", "not asked for one"),
    "called": ({"app.py": RUN.replace("json.loads", "json")}, "json", "not asked for one"),
    "newer attribute": (
        {"app.py": "def run(x):\n    return datetime.UTC\n"},
        "datetime",
        "is asked for UTC",
    ),
    "annotation only": (
        {"app.py": "from __future__ import annotations\n\n\ndef run(x: json.JSONDecoder): ...\n"},
        "json",
        "annotation|a lambda, a default",
    ),
    "in a default": (
        {"app.py": "def f(x=json.loads): ...\n\n\ndef run(): ...\n"},
        "json",
        "no longer shows|does not use",
    ),
    "in a lambda": ({"app.py": "def run(x):\n    return (lambda: json.loads(x))()\n"}, "json", "in a lambda"),
    "shadowed": ({"app.py": RUN, "json.py": ""}, "json", "may stand in for the module json"),
    "shadowed by a package": ({"app.py": RUN, "lib/json/__init__.py": ""}, "json", "may stand in for the module"),
    "close name": ({"app.py": RUN.replace("text", "jsno")}, "json", "may be misspelt: jsno"),
    "unknown module": ({"app.py": "def run(x):\n    return httpx.get(x)\n"}, "httpx", "no other file imports httpx"),
    "newer module": ({"app.py": "def run(x):\n    return tomllib.loads(x)\n"}, "tomllib", "no other file imports"),
    "two ways": (
        {"app.py": "def run():\n    return datetime.now()\n", "a.py": "import datetime\n"}
        | {"b.py": "from datetime import datetime\n"},
        "datetime",
        "in several ways: from datetime import datetime; import datetime",
    ),
    "two sources": (
        {"app.py": "def run():\n    return Client()\n", "a.py": "from x import Client\n"}
        | {"b.py": "from y import Client\n"},
        "Client",
        "in several ways",
    ),
    "one relative text, two modules": (
        {"a/app.py": "from .q import z\n\n\ndef run():\n    return Client()\n", "a/lib.py": "from .x import Client\n"}
        | {"b/lib.py": "from .x import Client\n"},
        "Client",
        "means different modules",
    ),
    "relative in another folder": (
        {"app.py": "from .q import z\n\n\ndef run():\n    return Client()\n", "b/lib.py": "from .x import Client\n"},
        "Client",
        "not shown to mean the same",
    ),
    "relative in a script": (
        {"a/app.py": "def run():\n    return Client()\n", "a/lib.py": "from .x import Client\n"},
        "Client",
        "not shown to mean the same",
    ),
    "optional elsewhere": (
        {"app.py": "def run():\n    return Client()\n", "a.py": "try:\n    from x import Client\nexcept E: ...\n"},
        "Client",
        "no file imports Client at its top level",
    ),
    "in tests only": (
        {"app.py": "def run():\n    return Client()\n", "tests/test_a.py": "from x import Client\n"},
        "Client",
        "no file imports Client at its top level",
    ),
    "another definition": (
        {"app.py": RUN, "lib.py": "def json(): ...\n"},
        "json",
        "lib.py defines a json of its own",
    ),
    "another definition beside an import": (
        {
            "app.py": "def run():\n    return Client()\n",
            "a.py": "from x import Client\n",
            "b.py": "class Client: ...\n",
        },
        "Client",
        "b.py defines a Client of its own",
    ),
    "used in another way": (
        {"app.py": "def run():\n    return np.zeros(1)\n", "lib.py": "import numpy as np\n\nnp.array(2)\n"},
        "np",
        r"no other file uses np as app.py does \(.zeros\)",
    ),
    "called in another way": (
        {"app.py": "def run():\n    return discount()\n", "shop.py": "def discount(x): ...\n"}
        | {"lib.py": "from shop import discount\n"},
        "discount",
        "does not take the arguments",
    ),
    "not awaited": (
        {"app.py": "def run():\n    return discount()\n", "shop.py": "async def discount(): ...\n"}
        | {"lib.py": "from shop import discount\n"},
        "discount",
        "do not agree",
    ),
    "no longer there": (
        {"app.py": "def run():\n    return discount()\n", "shop.py": ""} | {"lib.py": "from shop import discount\n"},
        "discount",
        "not bound exactly once",
    ),
    "circle": (
        {"app.py": "def run():\n    return discount()\n", "shop.py": "import more\n\n\ndef discount(): ...\n"}
        | {"lib.py": "from shop import discount\n", "more.py": "def f():\n    from app import run\n"},
        "discount",
        "would close a circle",
    ),
    "circle through a package": (
        {"app.py": "def run():\n    return ALL\n", "shop/__init__.py": "import app\n", "shop/x.py": "ALL = 1\n"}
        | {"lib.py": "from shop.x import ALL\n"},
        "ALL",
        "would close a circle",
    ),
    "circle by computed names": (
        {"app.py": "def run():\n    return ALL\n", "shop.py": "import importlib\nimportlib.import_module(x)\nALL = 1\n"}
        | {"lib.py": "from shop import ALL\n"},
        "ALL",
        "imports by computed names",
    ),
    "from itself": (
        {"a/app.py": "def run():\n    return thing()\n", "a/__init__.py": "", "lib.py": "from a.app import thing\n"},
        "thing",
        "not bound exactly once|circle",
    ),
    "several lines already": (
        {"app.py": "from typing import (\n    Any,\n)\n\n\ndef run():\n    return NewType('a', Any)\n"}
        | {"lib.py": "from typing import NewType\n"},
        "NewType",
        "a list that is written in its own way",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_import_that_is_not_the_only_answer_is_refused(tmp_path: Path, case: str) -> None:
    files, name, reason = REFUSED[case]
    at = "def run(" if case in {"annotation only", "in a default"} else "return"

    with pytest.raises(RefusedError, match=reason):
        imported(tmp_path, files, name, at)
