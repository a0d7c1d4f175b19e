"""What the tests of the delegation recipe share."""

import textwrap
from pathlib import Path

from selfimprover.domain import Draft
from selfimprover.drafting.recipes.delegated_attribute import DelegatedAttribute
from tests.unit.recipe_cases import failing, project

ERROR = "AttributeError: 'Cart' object has no attribute 'discount'"
CART = '''\
"""A shop."""

from shop.prices import Prices


class Line:
    discount_free = True


class Cart:
    """What somebody is about to buy."""

    currency = "EUR"

    def __init__(self, prices: Prices | None) -> None:
        self._prices = prices
        self.lines = []
        # nothing yet

    # the sum
    def total(self):
        return sum(self.lines) - (self.discount or 0)


LAST = Cart
'''
PRICES = """\
class Prices:
    def __init__(self):
        self.discount = None

    def grant(self, value):
        self.discount = value
"""
SHOP = {"shop/__init__.py": "", "shop/cart.py": CART, "shop/prices.py": PRICES}


def draft_of(tree: Path, files: dict[str, str], snippet: str = "self.discount or", function: str = "total") -> Draft:
    project(tree, files)
    path = next(path for path, text in files.items() if snippet in text)
    return DelegatedAttribute().apply(failing(tree, path, snippet, function, ERROR), tree)


def one_file(agent: str, handler: str = PRICES) -> dict[str, str]:
    return {"cart.py": handler + "\n\n" + textwrap.dedent(agent).lstrip("\n")}


PLAIN = """
class Cart:
    def __init__(self):
        self._prices = Prices()

    def total(self):
        return self.discount or 0
"""
