from pathlib import Path

import pytest

from selfimprover.domain import Risk
from selfimprover.drafting.recipes.typo import MisspeltName
from tests.unit.naming_cases import Files, corrected, found_in, lacks, undefined, unexpected
from tests.unit.recipe_cases import after, project

SHOP = """
# amounts in a currency: fetch them
class Base:
    currency = "EUR"

    def amounts(self, first, *, limit=3):
        return [first, limit]


class Basket(Base):
    def __init__(self, client):
        self.client = client
        self.response: object = None

    async def fetch(self, *parts):
        return parts

    @property
    def title(self):
        return "title"

    @staticmethod
    def rounded(number):
        return number

    def run(self):
        HERE
        return self.response
"""


def shop(line: str) -> Files:
    text = SHOP.replace("HERE", line)
    return {"shop.py": text.replace("def run", "async def run") if "await" in line else text}


NAMES = {
    "parameter": ("def run(message):\n    return messsage.id\n", "messsage", "message"),
    "local value": ("def run():\n    result = [1]\n    return reslut[0]\n", "reslut", "result"),
    "in an inner block": ("def run(x):\n    total = 1\n    if x:\n        return totla + 1\n", "totla", "total"),
    "unpacked": ("def run(x):\n    first, second = x\n    return secnod  # the second one\n", "secnod", "second"),
    "loop variable": (
        "def run(x):\n    for element in x:\n        print(elemnet)  # each element\n",
        "elemnet",
        "element",
    ),
    "with": ("def run(x):\n    with x as stream:\n        return steram.name\n", "steram", "stream"),
    "comprehension": ("def run(x):\n    return [ietm.id for item in x]  # each item\n", "ietm", "item"),
    "global function": (
        "def connect(host):\n    return host\n\n\ndef run():\n    return conect('h')\n",
        "conect",
        "connect",
    ),
    "defined below": (
        "def run():\n    return conect('h')\n\n\ndef connect(host):\n    return host\n",
        "conect",
        "connect",
    ),
    "async function": (
        "async def connect(h):\n    return h\n\n\nasync def run():\n    return await conect('h')\n",
        "conect",
        "connect",
    ),
    "global value": ("TIMEOUT = 3\n\n\ndef run():\n    return 2 * TIMOEUT\n", "TIMOEUT", "TIMEOUT"),
    "class": (
        "class Message:\n    def __init__(self, text): ...\n\n\ndef run():\n    return Messgae('x')\n",
        "Messgae",
        "Message",
    ),
    "imported module": ("import asyncio\n\n\nasync def run():\n    await asycnio.sleep(1)\n", "asycnio", "asyncio"),
    "imported function": (
        "from os.path import basename\n\n\ndef run(p):\n    return basenmae(p)\n",
        "basenmae",
        "basename",
    ),
    "Python's own": ("def run(x):\n    return isinstnace(x, str)\n", "isinstnace", "isinstance"),
    "Python's own error": ("def run(x):\n    raise ValueEror(x)\n", "ValueEror", "ValueError"),
    "one word of several": ("def run(user_name, other):\n    return usre_name\n", "usre_name", "user_name"),
    "two steps in a long word": (
        "def run(configuration):\n    return confgiuraton.x  # configuration\n",
        "confgiuraton",
        "configuration",
    ),
    "in an f-string": ("def run(width):\n    return f'{1:>{widht}}'\n", "widht", "width"),
    "over several lines": ("def run(value):\n    return max(\n        valeu,\n        1,\n    )\n", "valeu", "value"),
    "at module level": ("value = 1\nprint(valeu)\n", "valeu", "value"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_misspelt_name_becomes_the_one_that_is_certainly_bound(tmp_path: Path, case: str) -> None:
    text, wrong, right = NAMES[case]
    function = "run" if "def run" in text else "<module>"

    draft = corrected(tmp_path, {"app.py": text}, undefined(wrong), wrong, function)

    assert after(draft) == text.replace(wrong, right)


ATTRIBUTES = {
    "value of __init__": ("print(self.clinet)", "clinet", "client"),
    "annotated value": ("print(self.respnose)", "respnose", "response"),
    "method with its arguments": ("self.amuonts(1, limit=2)", "amuonts", "amounts"),
    "awaited method": ("await self.fecth(1, 2)", "fecth", "fetch"),
    "property": ("print(self.ttile)", "ttile", "title"),
    "static method": ("self.ruonded(1)", "ruonded", "rounded"),
    "value of a base": ("print(self.curency)", "curency", "currency"),
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_a_misspelt_attribute_becomes_the_one_that_every_object_of_the_class_has(tmp_path: Path, case: str) -> None:
    line, wrong, right = ATTRIBUTES[case]

    draft = corrected(tmp_path, shop(line), lacks("Basket", wrong), wrong)

    assert after(draft) == SHOP.lstrip("\n").replace("HERE", line.replace(wrong, right)).replace(
        "def run", "async def run" if "await" in line else "def run"
    )


BUILTIN = {
    "str": ("def run(text):\n    return text.strpi()\n", "strpi", "strip"),
    "str with arguments": ("def run(text):\n    return text.repalce('a', 'b')\n", "repalce", "replace"),
    "list": ("def run(found):\n    found.apend(1)\n", "apend", "append"),
    "dict": ("def run(found):\n    return found.vlaues()\n", "vlaues", "values"),
}


@pytest.mark.parametrize("case", BUILTIN)
def test_a_misspelt_method_of_a_builtin_type_is_known_without_the_project(tmp_path: Path, case: str) -> None:
    text, wrong, right = BUILTIN[case]

    draft = corrected(tmp_path, {"app.py": text}, lacks(case.partition(" ")[0], wrong), wrong)

    assert after(draft) == text.replace(wrong, right)


MODULES: dict[str, tuple[Files, str, str, str]] = {
    "function of the standard library": (
        {"app.py": "import json\n\n\ndef run(text):\n    return json.laods(text)\n"},
        "module 'json' has no attribute 'laods'",
        "laods",
        "loads",
    ),
    "under another name": (
        {"app.py": "import asyncio as aio\n\n\nasync def run():\n    await aio.gahter()\n"},
        "module 'asyncio' has no attribute 'gahter'",
        "gahter",
        "gather",
    ),
    "constant of the standard library": (
        {"app.py": "import logging\n\n\ndef run():\n    return logging.WARINNG\n"},
        "module 'logging' has no attribute 'WARINNG'",
        "WARINNG",
        "WARNING",
    ),
    "function of the project": (
        {
            "app.py": "from shop import prices\n\n\ndef run():\n    return prices.disocunt(1)\n",
            "shop/__init__.py": "",
            "shop/prices.py": "def discount(of):\n    return of\n\n\nHALF = discount(2)\n",
        },
        "module 'shop.prices' has no attribute 'disocunt'",
        "disocunt",
        "discount",
    ),
    "class of the project": (
        {
            "app.py": "from .prices import Prices\n\n\ndef run():\n    return Prices.cheapset()\n",
            "prices.py": "class Prices:\n    @classmethod\n    def cheapest(cls): ...\n\n\nPrices.cheapest()\n",
        },
        "type object 'Prices' has no attribute 'cheapset'",
        "cheapset",
        "cheapest",
    ),
}


@pytest.mark.parametrize("case", MODULES)
def test_a_misspelt_name_of_a_module_or_class_becomes_the_one_that_it_has(tmp_path: Path, case: str) -> None:
    files, message, wrong, right = MODULES[case]

    draft = corrected(tmp_path, files, f"AttributeError: {message}", wrong)

    assert after(draft) == files["app.py"].replace(wrong, right)


DISCOUNT = "def discount(of):\n    return of\n\n\nHALF = discount(2)\n"
IMPORTS: dict[str, tuple[Files, str, str, str]] = {
    "name of the project": (
        {"app.py": "from shop.prices import HALF, disocunt\n\ndiscount(1)\n".replace("discount(1)", "print(HALF)")}
        | {"shop/__init__.py": "", "shop/prices.py": DISCOUNT},
        "ImportError: cannot import name 'disocunt' from 'shop.prices' (/srv/app/shop/prices.py)",
        "disocunt",
        "discount",
    ),
    "relative, over several lines": (
        {"shop/app.py": "from .prices import (\n    HALF,\n    disocunt as of,  # half\n)\n"}
        | {"shop/__init__.py": "", "shop/prices.py": DISCOUNT},
        "ImportError: cannot import name 'disocunt' from 'shop.prices' (/srv/app/shop/prices.py)",
        "disocunt",
        "discount",
    ),
    "name that the file uses rightly": (
        {"app.py": "from os.path import basenmae\n\nprint(basename('x'))\n"},
        "ImportError: cannot import name 'basenmae' from 'os.path' (unknown location)",
        "basenmae",
        "basename",
    ),
    "module of a package": (
        {"app.py": "from shop import pirces\n", "shop/__init__.py": "", "shop/prices.py": "prices = 1\n"},
        "ImportError: cannot import name 'pirces' from 'shop' (/srv/app/shop/__init__.py)",
        "pirces",
        "prices",
    ),
    "module of the project": (
        {"app.py": "from shop.pirces import HALF\n", "shop/__init__.py": "prices = None\n", "shop/prices.py": DISCOUNT},
        "ModuleNotFoundError: No module named 'shop.pirces'",
        "pirces",
        "prices",
    ),
    "module of the standard library": (
        {"app.py": "from collectoins import Counter\n"},
        "ModuleNotFoundError: No module named 'collectoins'",
        "collectoins",
        "collections",
    ),
    "plain import of the standard library": (
        {"app.py": "import jsno as j\nimport re\n"},
        "ModuleNotFoundError: No module named 'jsno'",
        "jsno",
        "json",
    ),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_a_misspelt_import_becomes_the_one_that_works(tmp_path: Path, case: str) -> None:
    files, error, wrong, right = IMPORTS[case]

    draft = corrected(tmp_path, files, error, wrong, "<module>")

    assert after(draft) == next(iter(files.values())).replace(wrong, right)


SEND = "def send(to, *, timeout=1):\n    return to, timeout\n\n\n"
KEYWORDS = {
    "function": (SEND + "def run():\n    return send(1, timeuot=3)\n", "send"),
    "imported function": ("from lib import send\n\n\ndef run():\n    return send(1, timeuot=3)\n", "send"),
    "function of a module": ("import lib\n\n\ndef run():\n    return lib.send(1, timeuot=3)\n", "send"),
    "method": (
        "class A:\n    def send(self, timeout): return timeout\n\n    def run(self):\n        self.send(timeuot=1)\n",
        "A.send",
    ),
    "method before Python 3.10": (
        "class A:\n    def send(self, timeout): return timeout\n\n    def run(self):\n        self.send(timeuot=1)\n",
        "send",
    ),
    "class": (
        "class A:\n    def __init__(self, timeout): self.t = timeout\n\n\ndef run():\n    A(timeuot=1)\n",
        "A.__init__",
    ),
    "method of an object": (
        "class A:\n    def send(self, timeout): return timeout\n\n\ndef run(a: A):\n    a.send(timeuot=1)\n",
        "A.send",
    ),
}


@pytest.mark.parametrize("case", KEYWORDS)
def test_a_misspelt_keyword_becomes_the_parameter(tmp_path: Path, case: str) -> None:
    text, called = KEYWORDS[case]
    files = {"app.py": text} | ({"lib.py": SEND} if "lib" in text else {})

    draft = corrected(tmp_path, files, unexpected(called, "timeuot"), "timeuot")

    assert after(draft) == text.replace("timeuot", "timeout")


@pytest.mark.parametrize("unit", ["\t", "  "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["", "\n"])
def test_indent_newlines_byte_order_mark_comments_and_missing_final_newline_survive(
    tmp_path: Path, unit: str, newline: str, mark: str, ending: str
) -> None:
    text = f"# one\ndef run(message):\n    # two\n    return ( messsage . id,)  ;pass # three{ending}"
    text = mark + text.replace("    ", unit).replace("\n", newline)
    found = found_in(tmp_path, {"app.py": "x = 1\n"}, undefined("x"), "x = 1")
    project(tmp_path, {"app.py": text})
    traceback = (found.samples[0].traceback or "").replace("line 1", "line 4")
    line = text.split(newline)[3].strip()
    traceback = traceback.replace("    x = 1", f"    {line}").replace("'x'", "'messsage'")
    (sample,) = found.samples
    object.__setattr__(sample, "error", undefined("messsage"))
    object.__setattr__(sample, "traceback", traceback)

    assert after(MisspeltName().apply(found, tmp_path)) == text.replace("messsage", "message")


def test_the_draft_says_cause_change_proof_and_what_it_may_hide(tmp_path: Path) -> None:
    draft = corrected(tmp_path, shop("print(self.clinet)"), lacks("Basket", "clinet"), "clinet")

    assert (draft.drafter, draft.risk, draft.summary) == ("recipe:typo", Risk.TYPO, "corrected name")
    assert draft.title == "Correct the misspelt name clinet to client"
    assert "shop.py:26" in draft.root_cause
    assert "`client` of `Basket` (shop.py:11)" in draft.root_cause
    assert draft.change == "`clinet` is now written `client`, at that one place."
    assert len(draft.may_hide) == 2
    assert "The project writes `clinet` nowhere else, in code, tests, texts or settings." in draft.proof


@pytest.mark.parametrize(
    "hint", ["", ". Did you mean: 'message'?", ". Did you mean: 'message'? Or did you forget to import 'messsage'?"]
)
def test_a_hint_of_python_that_agrees_changes_nothing(tmp_path: Path, hint: str) -> None:
    text = "def run(message):\n    return messsage.id\n"

    draft = corrected(tmp_path, {"app.py": text}, undefined("messsage") + hint, "messsage")

    assert after(draft) == text.replace("messsage", "message")


def test_a_line_that_has_moved_within_its_function_is_found_again(tmp_path: Path) -> None:
    text = "def run(message):\n    return messsage.id\n"
    found = found_in(tmp_path, {"app.py": text}, undefined("messsage"), "messsage")
    moved = text.replace("    return", "    # more\n    # and more\n    return")
    project(tmp_path, {"app.py": moved})

    assert after(MisspeltName().apply(found, tmp_path)) == moved.replace("messsage", "message")
