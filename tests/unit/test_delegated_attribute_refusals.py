import textwrap
from pathlib import Path

import pytest

from selfimprover.drafting.recipes.delegated_attribute import DelegatedAttribute
from selfimprover.errors import RefusedError
from tests.unit.delegation_cases import ERROR, PLAIN, PRICES, SHOP, draft_of, one_file
from tests.unit.recipe_cases import after, failing, finding, frame, project, traceback_of


def test_its_own_work_is_refused(tmp_path: Path) -> None:
    project(tmp_path, SHOP)
    found = failing(tmp_path, "shop/cart.py", "self.discount or", "total", ERROR)
    project(tmp_path, {"shop/cart.py": after(DelegatedAttribute().apply(found, tmp_path))})

    with pytest.raises(RefusedError, match="Cart does define discount"):
        DelegatedAttribute().apply(found, tmp_path)


CARTS = {
    "no second class": (PLAIN, "class Prices: pass", "none does"),
    "defined on the class": (PLAIN.replace("def total", "discount = 1\n    def total"), PRICES, "Cart does define"),
    "declared on the class": (PLAIN.replace("def total", "discount: int\n    def total"), PRICES, "Cart does define"),
    "defined later": (PLAIN + "    def later(self):\n        self.discount = 1\n", PRICES, "only not soon enough"),
    "defined by unpacking": (PLAIN + "    def later(it):\n        it.discount, _ = 1, 2\n", PRICES, "does define"),
    "defined by a loop": (PLAIN + "    def l(self):\n        for self.discount in (): pass\n", PRICES, "does define"),
    "defined in an inner function": (
        PLAIN + "    def l(self):\n        def f():\n            self.discount = 1\n",
        PRICES,
        "does define",
    ),
    "defined as a method": (PLAIN + "    def discount(self): ...\n", PRICES, "does define"),
    "a base defines it": (
        "class Base:\n    discount = 1\n" + PLAIN.replace("Cart:", "Cart(Base):"),
        PRICES,
        "Base does define",
    ),
    "a subclass defines it": (
        PLAIN + "\nclass Big(Cart):\n    def grow(self):\n        self.discount = 1\n",
        PRICES,
        "Big at .*, a subclass of Cart, defines discount",
    ),
    "slots": (PLAIN.replace("def total", "__slots__ = ('_prices',)\n    def total"), PRICES, "__slots__"),
    "__getattr__": (PLAIN + "    def __getattr__(self, name): ...\n", PRICES, "__getattr__"),
    "__getattribute__ of a base": (
        "class Base:\n    def __getattribute__(self, n): ...\n" + PLAIN.replace("Cart:", "Cart(Base):"),
        PRICES,
        "Base handles its attributes itself",
    ),
    "__dict__": (PLAIN + "    def f(self, d):\n        self.__dict__.update(d)\n", PRICES, "__dict__"),
    "setattr": (PLAIN + "    def f(self, k):\n        setattr(self, k, 1)\n", PRICES, "setattr"),
    "slotted dataclass": (
        "from dataclasses import dataclass\n@dataclass(slots=True)" + PLAIN,
        PRICES,
        r"decorated with dataclass\(slots=True\)",
    ),
    "unknown decorator": ("from attr import define\n@define" + PLAIN, PRICES, "decorated with define"),
    "unknown base": ("import x\n" + PLAIN.replace("Cart:", "Cart(x.Base):"), PRICES, "base x.Base, which is not in"),
    "base that is imported twice": (
        "try:\n    from a import B\nexcept ImportError:\n    from b import B\n" + PLAIN.replace("Cart:", "Cart(B):"),
        PRICES,
        "base B",
    ),
    "computed base": (PLAIN.replace("Cart:", "Cart(*[object]):"), PRICES, "not in the project"),
    "metaclass": (PLAIN.replace("Cart:", "Cart(metaclass=M):"), PRICES, "metaclass"),
    "two of the name": (PLAIN + "\ndef f():\n    class Cart: pass\n", PRICES, "exactly one class Cart"),
    "inside an if": ("if True:\n" + textwrap.indent(PLAIN, "    "), PRICES, "not defined at the top"),
    "two that define it": (PLAIN, PRICES + "\nclass Other:\n    discount = 2\n", "exactly one other class"),
    "a property of the handler": (
        PLAIN,
        "class Prices:\n    @property\n    def discount(self): return 1\n",
        "is no plain value",
    ),
    "set later by the handler": (
        PLAIN,
        "class Prices:\n    def grant(self):\n        self.discount = 1\n",
        "sets discount only later",
    ),
    "no holder": (PLAIN.replace("Prices()", "make()"), PRICES, "in none"),
    "two holders": (
        PLAIN.replace("def total", "def more(self): self.other = Prices()\n    def total"),
        PRICES,
        "in _prices, other",
    ),
    "private holder": (PLAIN.replace("_prices", "__prices"), PRICES, "a name that Python changes"),
    "another class of that name": (
        PLAIN.replace("class Cart", "from x import Prices\n\nclass Cart"),
        PRICES,
        "in none",
    ),
    "set from outside": (PLAIN + "\ndef f(cart):\n    cart.discount = 1\n", PRICES, "sets discount from outside"),
    "set from outside by name": (
        PLAIN + "\ndef f(cart):\n    setattr(cart, 'discount', 1)\n",
        PRICES,
        "sets discount from outside",
    ),
    "builtin renamed": (PLAIN + "\nproperty = 1\n", PRICES, "`property` means something else"),
}


@pytest.mark.parametrize("case", CARTS)
def test_what_the_code_does_not_show_is_refused(tmp_path: Path, case: str) -> None:
    agent, handler, reason = CARTS[case]

    with pytest.raises(RefusedError, match=reason):
        draft_of(tmp_path, one_file(agent, handler))


@pytest.mark.parametrize(
    "outside",
    [
        "def f(cart):\n    cart._prices.discount = 1\n",
        "def f(prices):\n    prices.discount = 1\n",
        "def f(p: Prices):\n    p.discount = 1\n",
        "def f():\n    p = Prices()\n    p.discount = 1\n",
    ],
)
def test_setting_it_on_the_handler_is_no_reason_to_refuse(tmp_path: Path, outside: str) -> None:
    assert draft_of(tmp_path, one_file(PLAIN + "\n\n" + outside)).title == "Delegate Cart.discount to _prices"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("AttributeError: 'Cart' object has no attribute '__len__'", "treats specially"),
        ("AttributeError: type object 'Cart' has no attribute 'discount'", "for want of an attribute"),
        ("AttributeError: module 'shop' has no attribute 'discount'", "for want of an attribute"),
        ("KeyError: 'discount'", "for want of an attribute"),
        ("AttributeError: 'Nobody' object has no attribute 'discount'", "there are 0: none"),
        ("AttributeError: 'Cart' object has no attribute 'lines_left'", "does not read lines_left"),
    ],
)
def test_only_a_missing_attribute_of_an_object_is_taken_up(tmp_path: Path, error: str, reason: str) -> None:
    project(tmp_path, SHOP)

    with pytest.raises(RefusedError, match=reason):
        DelegatedAttribute().apply(failing(tmp_path, "shop/cart.py", "self.discount or", "total", error), tmp_path)


@pytest.mark.parametrize(
    "innermost",
    [
        '  File "/venv/lib/python3.11/site-packages/jinja2/runtime.py", line 4, in get\n    return cart.discount\n',
        '  File "/srv/app/elsewhere.py", line 4, in get\n    return cart.discount\n',
    ],
)
def test_a_failing_line_outside_the_project_is_refused(tmp_path: Path, innermost: str) -> None:
    project(tmp_path, SHOP)
    traceback = traceback_of([frame(tmp_path, "shop/cart.py", "self.discount or", "total"), innermost], ERROR)

    with pytest.raises(RefusedError, match="not in the project's own code"):
        DelegatedAttribute().apply(finding(ERROR, traceback), tmp_path)


def test_without_a_traceback_nothing_is_drafted(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no sample has a traceback"):
        DelegatedAttribute().apply(finding(ERROR, None), tmp_path)


def test_a_line_that_sets_the_attribute_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="sets discount rather than reading it"):
        draft_of(tmp_path, one_file(PLAIN.replace("return self.discount or 0", "del self.discount")), "del self")


def test_a_standard_module_is_not_mistaken_for_a_file_of_the_project(tmp_path: Path) -> None:
    cart = "from types import Prices\n" + PLAIN

    with pytest.raises(RefusedError, match="in none"):
        draft_of(tmp_path, {"app/cart.py": cart, "app/types.py": PRICES})


def test_a_file_that_cannot_be_read_exactly_is_refused(tmp_path: Path) -> None:
    project(tmp_path, SHOP)
    (tmp_path / "shop/other.py").write_bytes(b"# caf\xe9\nx.discount = 1\n")

    with pytest.raises(RefusedError, match=r"shop/other\.py is not UTF-8 text"):
        draft_of(tmp_path, SHOP)


USERS = {
    "getattr": ("def f(cart):\n    return getattr(cart, 'discount', 5)\n", "asks for discount by name"),
    "hasattr": ("def f(cart):\n    return hasattr(cart, 'discount')\n", "asks for discount by name"),
    "attrgetter": ("def f(carts):\n    return map(attrgetter('discount'), carts)\n", "asks for discount by name"),
    "match": ("def f(c):\n    match c:\n        case Cart(discount=5): pass\n", "matches discount"),
    "try": (
        "def f(cart):\n    try:\n        return cart.discount\n    except AttributeError:\n        return 7\n",
        "where a missing one is handled",
    ),
    "try with several errors": (
        "def f(c):\n    try:\n        return c.discount\n    except (KeyError, AttributeError):\n        return 7\n",
        "where a missing one is handled",
    ),
    "try that handles all": (
        "def f(cart):\n    try:\n        return cart.discount\n    except:\n        return 7\n",
        "where a missing one is handled",
    ),
    "try with a name for errors": (
        "GONE = AttributeError\ndef f(c):\n    try:\n        return c.discount\n    except GONE:\n        return 7\n",
        "where a missing one is handled",
    ),
    "suppress": (
        "def f(cart):\n    with suppress(AttributeError):\n        return cart.discount\n",
        "where a missing one is handled",
    ),
    "call": ("def f(cart):\n    return cart.discount()\n", "calls discount"),
    "setattr of any name": ("def f(cart, k):\n    setattr(cart, k, 1)\n", "sets an attribute that is not named"),
    "setattr of the holder": ("def f(cart, x):\n    setattr(cart, '_prices', x)\n", "sets _prices"),
    "setattr in a class of unknown bases": (
        "import x\nclass Big(x.Y):\n    def f(self, k):\n        setattr(self, k, 1)\n",
        "sets an attribute that is not named",
    ),
    "another object as holder": ("def f(cart):\n    cart._prices = Other()\n", "may set _prices of a Cart"),
    "holder unpacked": ("def f(cart, p):\n    cart._prices, x = p\n", "may set _prices of a Cart"),
    "holder replaced in a subclass": (
        "class Big(Cart):\n    def f(self):\n        self._prices = 1\n",
        "may set _prices of a Cart",
    ),
}


@pytest.mark.parametrize("case", USERS)
def test_code_elsewhere_that_would_notice_the_property_is_refused(tmp_path: Path, case: str) -> None:
    other, reason = USERS[case]

    with pytest.raises(RefusedError, match=reason):
        draft_of(tmp_path, {**one_file(PLAIN), "other.py": f"from cart import Cart, Other\n{other}"})


@pytest.mark.parametrize(
    "other",
    [
        "class Box:\n    def f(self, k):\n        setattr(self, k, 1)\n        self._prices = 3\n",
        "def f(cart):\n    try:\n        return cart.discount\n    except KeyError:\n        return 7\n",
        "def f(box):\n    setattr(box, 'size', getattr(box, 'length', 1))\n",
        "def f(cart):\n    cart._prices = None\n",
    ],
)
def test_code_elsewhere_that_cannot_notice_is_no_reason_to_refuse(tmp_path: Path, other: str) -> None:
    assert draft_of(tmp_path, {**one_file(PLAIN), "other.py": other}).title == "Delegate Cart.discount to _prices"


def test_users_in_the_tests_are_left_to_the_tests(tmp_path: Path) -> None:
    test = "def test_it(cart):\n    assert not hasattr(cart, 'discount')\n    cart._prices = 1\n    cart.discount()\n"

    assert draft_of(tmp_path, {**one_file(PLAIN), "tests/test_cart.py": test}).summary == "delegated property"


@pytest.mark.parametrize(
    "reader",
    [
        "def show(basket):\n    print(basket.discount)\n",
        "import vendor.shop\n\ndef show(basket: vendor.shop.Cart):\n    print(basket.discount)\n",
        "from cart import Cart\ndef show(basket: Cart):\n    basket = other()\n    print(basket.discount)\n",
        "from cart import Cart\ndef show(basket: Cart, other):\n    print(basket.discount, other.discount)\n",
        "class View:\n    def show(self):\n        print(self.discount)\n",
    ],
)
def test_a_line_that_may_read_from_another_class_of_that_name_is_refused(tmp_path: Path, reader: str) -> None:
    with pytest.raises(RefusedError, match="not shown to be the Cart at"):
        draft_of(tmp_path, {**one_file(PLAIN), "show.py": reader}, "print(", "show")


def test_self_that_was_replaced_proves_nothing(tmp_path: Path) -> None:
    cart = PLAIN.replace("        return self", "        self = find()\n        return self")

    with pytest.raises(RefusedError, match="not shown to be the Cart at"):
        draft_of(tmp_path, one_file(cart))


@pytest.mark.parametrize("use", ["self.discount()", "self.discount[0]", "self.discount.value"])
def test_a_read_that_an_empty_value_does_not_stand_is_refused(tmp_path: Path, use: str) -> None:
    with pytest.raises(RefusedError, match="an empty value does not stand"):
        draft_of(tmp_path, one_file(PLAIN.replace("self.discount or 0", use)), "return self.discount")


@pytest.mark.parametrize(
    "bound",
    ["property = 'x'", "from x import property", "from x import y as property", "class property: pass"],
)
def test_a_class_that_binds_the_name_of_the_decorator_is_refused(tmp_path: Path, bound: str) -> None:
    with pytest.raises(RefusedError, match="`property` means something else"):
        draft_of(tmp_path, one_file(PLAIN.replace("    def __init__", f"    {bound}\n\n    def __init__")))


@pytest.mark.parametrize(
    "line", ["half = discount / 2", "@discount\n    def f(self): pass", "def f(self, n=discount): pass"]
)
def test_a_class_body_that_reads_the_name_from_outside_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(RefusedError, match="means something else by discount"):
        draft_of(tmp_path, one_file(PLAIN + f"\n    {line}\n"))


def test_a_holder_that_the_class_itself_also_fills_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="may set _prices of a Cart"):
        draft_of(tmp_path, one_file(PLAIN + "\n    def swap(self, other):\n        self._prices = other\n"))
