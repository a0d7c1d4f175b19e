import ast
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.domain import Risk
from selfimprover.drafting.recipes.missing_import import MissingImport
from tests.unit.naming_cases import Files, answers, found_in, imported, undefined
from tests.unit.recipe_cases import after, is_kept, project

RUN = "\n\n\ndef run(text):\n    return json.loads(text)\n"

PLACES = {
    "nothing above": (RUN.lstrip("\n"), "import json\n\n\ndef run"),
    "docstring": ('"""Doc."""' + RUN, '"""Doc."""\n\nimport json\n\n\ndef run'),
    "docstring and future": (
        '"""Doc."""\n\nfrom __future__ import annotations' + RUN,
        "annotations\n\nimport json\n\n\ndef run",
    ),
    "future and others": (
        "from __future__ import annotations\n\nimport os" + RUN,
        "annotations\n\nimport json\nimport os\n\n\ndef run",
    ),
    "first": ("import os\nimport re" + RUN, "import json\nimport os\nimport re\n"),
    "between": ("import asyncio\nimport re" + RUN, "import asyncio\nimport json\nimport re\n"),
    "last": ("import asyncio\nimport io" + RUN, "import asyncio\nimport io\nimport json\n\n\ndef run"),
    "plain before from": (
        "import asyncio\nfrom pathlib import Path" + RUN,
        "import asyncio\nimport json\nfrom pathlib import Path\n",
    ),
    "one order for both": (
        "import abc\nfrom enum import Enum\nimport os" + RUN,
        "from enum import Enum\nimport json\nimport os\n",
    ),
    "no order": ("import re\nimport abc\nimport os" + RUN, "import re\nimport abc\nimport os\nimport json\n"),
    "own group in front": ("import httpx" + RUN, "import json\n\nimport httpx\n"),
    "own group in front, with a comment": (
        "# licence\n\n# web\nimport httpx" + RUN,
        "# licence\n\n# web\nimport json\n\nimport httpx\n",
    ),
    "group before others": (
        "import os\n\nimport httpx" + RUN,
        "import json\nimport os\n\nimport httpx\n",
    ),
    "end of its group": (
        "import asyncio\n\nimport httpx\n\nfrom . import x" + RUN,
        "import asyncio\nimport json\n\nimport httpx\n\nfrom . import x\n",
    ),
    "groups that are not parted": ("import os\nimport httpx" + RUN, "import json\nimport os\nimport httpx\n"),
    "comments stay with their imports": (
        "import asyncio  # loop\n# patterns\nimport re  # all" + RUN,
        "import asyncio  # loop\nimport json\n# patterns\nimport re  # all\n",
    ),
    "above what is checked only": (
        "import os\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import re" + RUN,
        "import json\nimport os\nfrom typing import TYPE_CHECKING\n\nif",
    ),
    "above code between imports": ("import os\n\nx = 1\nimport re" + RUN, "import json\nimport os\n\nx = 1\nimport re"),
    "script": ("#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\nimport os" + RUN, "utf-8 -*-\nimport json\nimport os"),
}


@pytest.mark.parametrize("case", PLACES)
def test_the_import_stands_where_the_file_would_have_it(tmp_path: Path, case: str) -> None:
    text, expected = PLACES[case]

    new = after(imported(tmp_path, {"app.py": text}, "json", "json.loads"))

    assert expected in new
    assert is_kept(text, new)
    assert len(new.splitlines()) <= len(text.splitlines()) + 4


OTHERS: dict[str, tuple[Files, str, str]] = {
    "class of the standard library": (
        {"app.py": "def run():\n    return Path('x').name\n", "lib.py": "from pathlib import Path\n"},
        "Path",
        "from pathlib import Path\n\n\ndef run",
    ),
    "class with the name of its module": (
        {"app.py": "def run():\n    return datetime.now()\n", "lib.py": "from datetime import datetime\n"},
        "datetime",
        "from datetime import datetime\n",
    ),
    "package under another name": (
        {"app.py": "def run():\n    return np.array(1)\n", "lib.py": "import numpy as np\n\nnp.array(2)\n"},
        "np",
        "import numpy as np\n",
    ),
    "name of a package": (
        {"app.py": "def run():\n    return Client()\n", "lib.py": "from httpx import Client\n\nClient()\n"},
        "Client",
        "from httpx import Client\n",
    ),
    "name of the project": (
        {"app.py": "import os\n\nimport httpx\n\n\ndef run():\n    return discount(1)\n"}
        | {"shop.py": "def discount(x): ...\n", "lib.py": "from shop import discount\n"},
        "discount",
        "import httpx\n\nfrom shop import discount\n",
    ),
    "module of the project": (
        {"a/app.py": "def run():\n    return prices.ALL\n", "a/__init__.py": "", "a/prices.py": "ALL = 1\n"}
        | {"a/lib.py": "from a import prices\n"},
        "prices",
        "from a import prices\n",
    ),
    "relative": (
        {
            "a/app.py": "from .x import y\n\n\ndef run():\n    return ALL\n",
            "a/x.py": "y = 1\n",
            "a/prices.py": "ALL = 1\n",
        }
        | {"a/__init__.py": "", "a/lib.py": "from .prices import ALL\n"},
        "ALL",
        "from .prices import ALL\nfrom .x import y\n",
    ),
    "joined with what is imported from there": (
        {"app.py": "from typing import Any, cast  # types\n\n\ndef run():\n    return NewType('a', Any)\n"}
        | {"lib.py": "from typing import NewType\n"},
        "NewType",
        "from typing import Any, NewType, cast  # types\n\n",
    ),
    "joined at the end": (
        {"app.py": "from shop import b, a\n\n\ndef run():\n    return c(1)\n", "lib.py": "from shop import c\n"}
        | {"shop.py": "a = b = 1\n\n\ndef c(x): ...\n"},
        "c",
        "from shop import b, a, c\n\n",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_other_files_import_in_one_way_is_imported_in_that_way(tmp_path: Path, case: str) -> None:
    files, name, expected = OTHERS[case]

    draft = imported(tmp_path, files, name, "return")

    assert expected in after(draft)
    ast.parse(after(draft))


def test_the_draft_says_cause_change_proof_and_what_it_may_hide(tmp_path: Path) -> None:
    draft = imported(tmp_path, {"app.py": "import os" + RUN}, "json", "json.loads")

    assert (draft.drafter, draft.risk) == ("recipe:missing-import", Risk.MISSING_IMPORT)
    assert draft.title == "Import json in app.py"
    assert draft.root_cause == "`app.py:5` uses `json`, which `app.py` neither imports nor defines."
    assert draft.change == "`import json` now stands among the imports of `app.py`."
    assert len(draft.may_hide) == 2
    assert "`json` is a module of the standard library." in draft.proof


def test_the_files_that_show_the_way_are_named(tmp_path: Path) -> None:
    files = {"app.py": "def run():\n    return Path('x')\n", "lib.py": "from pathlib import Path\n"}

    draft = imported(tmp_path, files, "Path", "Path('x')")

    assert "Every file that has `Path` gets it by `from pathlib import Path`: `lib.py`." in draft.proof


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["", "\n"])
@pytest.mark.parametrize("unit", ["\t", "  "])
def test_newlines_byte_order_mark_and_missing_final_newline_survive(
    tmp_path: Path, newline: str, mark: str, ending: str, unit: str
) -> None:
    text = "import os\n\n\ndef run(text):\n    return json.loads(text)" + ending
    found = found_in(tmp_path, {"app.py": text}, undefined("json"), "json.loads")
    text = mark + text.replace("    ", unit).replace("\n", newline)
    project(tmp_path, {"app.py": text})

    assert after(MissingImport().apply(found, tmp_path)) == text.replace("import os", f"import json{newline}import os")


groups = st.lists(
    st.sampled_from(["import os", "import re", "from abc import ABC", "import httpx", "# note", "", "from . import x"]),
    max_size=7,
)


@settings(max_examples=100, deadline=None)
@given(head=groups, newline=st.sampled_from(["\n", "\r\n"]))
def test_whatever_stands_above_every_line_stays_and_only_the_import_is_new(head: list[str], newline: str) -> None:
    text = newline.join([*head, "def run(text):", "    return json.loads(text)", ""])
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        found = found_in(tree, {"app.py": text.replace("\r\n", "\n")}, undefined("json"), "json.loads")
        project(tree, {"app.py": text.lstrip("\r\n")})
        new = after(MissingImport().apply(found, tree))

    ast.parse(new)
    assert is_kept(text.lstrip("\r\n"), new)
    old, now = text.split(newline), new.split(newline)
    assert sorted(filter(None, now)) == sorted([*filter(None, old), "import json"])
    assert "\n" not in new.replace(newline, "")


BOTH: dict[str, tuple[Files, str, list[str]]] = {
    "misspelt only": ({"app.py": "def run(message):\n    return messsage.id\n"}, "messsage", ["recipe:typo"]),
    "missing only": ({"app.py": RUN}, "json", ["recipe:missing-import"]),
    "a module and a close name": ({"app.py": RUN.replace("text", "jsno")}, "json", []),
    "imported elsewhere and a close name": (
        {"app.py": "def run(clinet):\n    return client.x\n", "lib.py": "from y import client\n\nclient.x\n"},
        "client",
        [],
    ),
    "neither": ({"app.py": "def run(a):\n    return something.x\n"}, "something", []),
}


@pytest.mark.parametrize("case", BOTH)
def test_never_do_both_recipes_answer(tmp_path: Path, case: str) -> None:
    files, name, expected = BOTH[case]

    assert answers(found_in(tmp_path, files, undefined(name), f"return {name}"), tmp_path) == expected


stems = st.sampled_from(["json", "jsno", "client", "clinet", "logging", "loggin", "message", "messsage", "Path"])


@settings(max_examples=80, deadline=None)
@given(wrong=stems, parameter=stems, other=stems, way=st.sampled_from(["import {}", "from x import {}", "{} = 1"]))
def test_of_two_recipes_at_most_one_answers_whatever_is_defined(
    wrong: str, parameter: str, other: str, way: str
) -> None:
    text = f"def run({parameter}):\n    return {wrong}.loads\n"
    with TemporaryDirectory() as folder:
        files = {"app.py": text, "lib.py": textwrap.dedent(way.format(other) + f"\nprint({other}.loads)\n")}
        found = found_in(Path(folder), files, undefined(wrong), "return")

        assert len(answers(found, Path(folder))) <= 1
