from dataclasses import replace
from pathlib import Path

import pytest

from selfimprover.drafting.recipes.typo import MisspeltName
from selfimprover.errors import RefusedError
from tests.unit.naming_cases import (
    Files,
    corrected,
    found_in,
    in_app,
    lacks,
)

BASKET = """
# the clients of a basket
class Basket:
    def __init__(self, client):
        self.client = client

    def total(self, rate):
        return rate

    def run(self):
        return self.clinet
"""
TOTAL = ("return self.clinet", "return self.toatl(1)")


def basket(*changes: tuple[str, str]) -> Files:
    text = BASKET
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return in_app(text)


ATTRIBUTES: dict[str, tuple[Files, str, str]] = {
    "__getattr__": (basket(("def total", "def __getattr__(self, n): ...\n\n    def total")), "clinet", "__getattr__"),
    "setattr": (basket(("return rate", "setattr(self, rate, 1)")), "clinet", "setattr"),
    "__dict__": (basket(("return rate", "self.__dict__.update(rate)")), "clinet", "__dict__"),
    "slots": (basket(("def total", "__slots__ = ()\n\n    def total")), "clinet", "__slots__"),
    "metaclass": (basket(("Basket:", "Basket(metaclass=M):")), "clinet", "metaclass"),
    "unknown base": (basket(("Basket:", "Basket(x.Base):")), "clinet", "not in the project"),
    "mock": (
        basket(("class Basket:", "from unittest.mock import Mock\nclass Basket(Mock):")),
        "clinet",
        "not in the pr",
    ),
    "enum": (basket(("class Basket:", "from enum import Enum\nclass Basket(Enum):")), "clinet", "not in the project"),
    "decorated class": (basket(("class Basket", "@x.y\nclass Basket")), "clinet", "is decorated"),
    "two classes": (basket(("# the", "class Other:\n    class Basket: ...\n# the")), "clinet", "exactly one class"),
    "set on a condition": (
        basket(("        self.client =", "        if client:\n            self.client =")),
        "clinet",
        "later or on conditions",
    ),
    "set behind a return": (
        basket(("        self.client =", "        if 1: return\n        self.client =")),
        "clinet",
        "later or on conditions",
    ),
    "set later": (basket(("__init__(self", "start(self")), "clinet", "later or on conditions"),
    "deleted elsewhere": (basket(("return rate", "del self.client")), "clinet", "deletes it"),
    "declared only": (
        basket(("def __init__(self, client):\n        self.client = client", "client: int")),
        "clinet",
        "without a value",
    ),
    "another __init__": (
        basket(
            ("class Basket:", "class Base:"),
            ("    def run", "class Basket(Base):\n    def __init__(self): ...\n\n    def run"),
        ),
        "clinet",
        "that Basket replaces",
    ),
    "only the subclass has it": (
        basket(
            ("class Basket:\n", "class Base:\n    def run(self):\n        return self.clinet\n\nclass Basket(Base):\n"),
            (
                "    def run(self):\n        return self.clinet\n\nclass",
                "    def run(self):\n        return self.clinet\n\nclass",
            ),
            ("        return rate\n\n    def run(self):\n        return self.clinet\n", "        return rate\n"),
        ),
        "clinet",
        "not to the class whose method reads it",
    ),
    "another object": (basket(("self.clinet", "self.client.clinet")), "clinet", "not shown to be the Basket"),
    "a value called": (basket(("self.clinet", "self.clinet()")), "clinet", "is a value, but is called"),
    "a value awaited": (
        basket(("self.clinet", "await self.clinet"), ("def run", "async def run")),
        "clinet",
        "is a value, but is called",
    ),
    "a method not called": (basket(("self.clinet", "self.toatl")), "toatl", "is a function, but is not called"),
    "a method with other arguments": (basket(("self.clinet", "self.toatl()")), "toatl", "does not take the arg"),
    "a method awaited": (
        basket(("self.clinet", "await self.toatl(1)"), ("def run", "async def run")),
        "toatl",
        "do not agree",
    ),
    "an async method not awaited": (basket(TOTAL, ("def total", "async def total")), "toatl", "do not agree"),
    "a property called": (basket(TOTAL, ("def total", "@property\n    def total")), "toatl", "is a value"),
    "a decorated method": (basket(TOTAL, ("def total", "@x\n    def total")), "toatl", "is decorated"),
    "a method on a condition": (
        basket(
            TOTAL,
            (
                "    def total(self, rate):\n        return rate",
                "    if 1:\n        def total(self, rate): return rate",
            ),
        ),
        "toatl",
        "later or on conditions",
    ),
    "a method and a value": (basket(TOTAL, ("return rate", "self.total = rate")), "toatl", "in one way only"),
    "an inner class": (
        basket(TOTAL, ("def total(self, rate):\n        return rate", "class total: ...")),
        "toatl",
        "decorated or no method",
    ),
    "it is set": (basket(("return self.clinet", "self.clinet = 1")), "clinet", "does not read"),
    "by its name in a text": (basket(("self.clinet", "getattr(self, 'clinet')")), "clinet", "holds it 0 times"),
    "several attributes": (basket(("return rate", "self.cilent = rate")), "clinet", "client"),
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_an_attribute_that_is_not_shown_to_be_there_is_refused(tmp_path: Path, case: str) -> None:
    files, wrong, reason = ATTRIBUTES[case]
    if case == "several attributes":
        files = in_app(files["app.py"].replace("self.cilent", "self.clienet"))

    with pytest.raises(RefusedError, match=reason):
        corrected(tmp_path, files, lacks("Basket", wrong), wrong)


def test_an_attribute_is_not_there_while_init_is_still_running(tmp_path: Path) -> None:
    files = basket(("self.client = client", "self.run()\n        self.client = client"))
    found = found_in(tmp_path, files, lacks("Basket", "clinet"), "clinet")
    (sample,) = found.samples
    outer = '  File "/srv/app/app.py", line 4, in __init__\n    self.run()\n'
    traceback = (sample.traceback or "").replace("(most recent call last):\n", f"(most recent call last):\n{outer}")

    with pytest.raises(RefusedError, match="an __init__ was still running"):
        MisspeltName().apply(replace(found, samples=(replace(sample, traceback=traceback),)), tmp_path)


TYPES = {
    "another method": ("str", "text.decode()", "decode", "none is"),
    "bytes": ("bytes", "text.encode()", "encode", "none is"),
    "an attribute expected of another class": ("dict", "text.value", "value", "more than a slip|not called"),
    "not called": ("dict", "text.vlaues", "vlaues", "is not called"),
    "other arguments": ("dict", "text.vlaues(1)", "vlaues", "does not take the arguments"),
    "of None": ("NoneType", "text.vlaues()", "vlaues", "exactly one class NoneType"),
    "of a foreign class": ("Response", "text.staus()", "staus", "exactly one class Response"),
    "of a mock": ("Mock", "text.vlaues()", "vlaues", "exactly one class Mock"),
}


@pytest.mark.parametrize("case", TYPES)
def test_a_method_of_a_builtin_type_must_be_close_and_fit(tmp_path: Path, case: str) -> None:
    owner, expression, wrong, reason = TYPES[case]

    with pytest.raises(RefusedError, match=reason):
        corrected(tmp_path, in_app(f"def run(text):\n    return {expression}\n"), lacks(owner, wrong), wrong)
