import keyword
import subprocess
import sys
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.domain import Risk
from selfimprover.drafting.recipes.delegated_attribute import DelegatedAttribute
from tests.unit.delegation_cases import ERROR, PLAIN, PRICES, SHOP, draft_of, one_file
from tests.unit.recipe_cases import after, failing, finding, frame, is_kept, project, removed_lines, run, traceback_of


def test_reading_and_writing_reach_the_object_that_has_the_attribute(tmp_path: Path) -> None:
    names = run(after(draft_of(tmp_path, one_file(PLAIN))))
    cart = names["Cart"]()

    assert cart.total() == 0
    cart.discount = 3

    assert cart._prices.discount == 3
    assert cart.total() == 3
    assert "discount" not in vars(cart)


@pytest.mark.parametrize("spoil", ["cart._prices = None", "del cart._prices", "cart._prices = object()"])
def test_without_the_object_reading_is_empty_and_writing_is_refused(tmp_path: Path, spoil: str) -> None:
    names = run(after(draft_of(tmp_path, one_file(PLAIN))))
    cart = names["Cart"]()
    exec(spoil, {"cart": cart, "object": type("Empty", (), {})})

    assert cart.discount is None
    with pytest.raises(AttributeError, match="Cart has no _prices that could keep discount"):
        cart.discount = 3


def test_the_property_stands_behind_init_and_every_line_stays(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, SHOP)

    assert removed_lines(draft) == []
    assert after(draft).split("# nothing yet\n")[1].split("    def total")[0] == (
        "\n"
        "    @property\n"
        "    def discount(self):\n"
        '        """Handed on to ``_prices``; empty while there is none."""\n'
        '        handler = getattr(self, "_prices", None)\n'
        '        if hasattr(handler, "discount"):\n'
        "            return handler.discount\n"
        "        return None\n"
        "\n"
        "    @discount.setter\n"
        "    def discount(self, value):\n"
        '        handler = getattr(self, "_prices", None)\n'
        '        if not hasattr(handler, "discount"):\n'
        '            raise AttributeError("Cart has no _prices that could keep discount")\n'
        "        handler.discount = value\n"
        "\n"
        "    # the sum\n"
    )


def test_the_draft_says_what_was_proven_and_what_it_may_hide(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, SHOP)

    assert draft.drafter == "recipe:delegated-attribute"
    assert draft.title == "Delegate Cart.discount to _prices"
    assert draft.summary == "delegated property"
    assert draft.risk is Risk.DEFENSIVE_CHECK
    assert draft.may_hide[0] == "An absent `_prices` is now read as empty (None) instead of raising AttributeError."
    assert "shop/cart.py:22" in draft.root_cause
    assert "shop/prices.py:3" in draft.root_cause
    assert [edit.path for edit in draft.edits] == ["shop/cart.py"]


@pytest.mark.parametrize("unit", ["\t", "  "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["", "\n"])
def test_indent_newlines_byte_order_mark_and_missing_final_newline_survive(
    tmp_path: Path, unit: str, newline: str, mark: str, ending: str
) -> None:
    (path, text), *_ = one_file(PLAIN).items()
    text = mark + (text.rstrip("\n") + ending).replace("    ", unit).replace("\n", newline)

    draft = draft_of(tmp_path, {path: text})

    new = after(draft)
    assert removed_lines(draft) == []
    assert new.startswith(mark)
    assert new.endswith(f"or 0{newline if ending else ''}")
    assert set(new.replace(newline, "")) & {"\r", "\n"} == set()
    assert run(new)["Cart"]().total() == 0


def test_a_file_in_single_quotes_gets_single_quotes(tmp_path: Path) -> None:
    assert "getattr(self, '_prices', None)" in after(draft_of(tmp_path, one_file(PLAIN + "\nx = 'a', 'b'\n")))


HOLDERS = {
    "made in place": "def __init__(self): self._prices = Prices()",
    "annotated parameter": "def __init__(self, p: Prices): self._prices = p",
    "optional parameter": "def __init__(self, p: Optional[Prices] = None): self._prices = p",
    "optional by its full name": "def __init__(self, *, p: typing.Optional[Prices] = None): self._prices = p",
    "union parameter": "def __init__(self, p: Prices | None = None): self._prices = p",
    "quoted parameter": "def __init__(self, p: 'Prices | None' = None): self._prices = p",
    "annotated attribute": "def __init__(self, p): self._prices: Prices = p",
    "made if missing": "def __init__(self, p=None): self._prices = p or Prices()",
    "made if wanted": "def __init__(self, p=None): self._prices = Prices() if p is None else None",
    "made later": "def start(self): self._prices = Prices()",
    "field of a dataclass": "_prices: Prices",
    "twice in the same": "def __init__(self, p): self._prices = None; self._prices = Prices()",
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_the_holder_is_known_by_construction_or_annotation(tmp_path: Path, holder: str) -> None:
    agent = f"""
import typing
from typing import Optional


class Cart:
    {HOLDERS[holder]}

    def total(self):
        return self.discount or 0
"""

    assert draft_of(tmp_path, one_file(agent)).title == "Delegate Cart.discount to _prices"


IMPORTS = {
    "from the module": ("from shop.prices import Prices", "Prices()", {}),
    "under another name": ("from shop.prices import Prices as P", "P()", {}),
    "relative": ("from .prices import Prices", "Prices()", {}),
    "the module, relative": ("from . import prices", "prices.Prices()", {}),
    "the module": ("import shop.prices", "shop.prices.Prices()", {}),
    "the module under another name": ("import shop.prices as sp", "sp.Prices()", {}),
    "through the package": (
        "from shop import Prices",
        "Prices()",
        {"shop/__init__.py": "from .prices import Prices\n"},
    ),
    "inside a method": ("", "Prices()", {}),
}


@pytest.mark.parametrize("root", ["", "src/"])
@pytest.mark.parametrize("case", IMPORTS)
def test_imports_are_followed(tmp_path: Path, root: str, case: str) -> None:
    statement, made, more = IMPORTS[case]
    inner = "from shop.prices import Prices\n        " if not statement else ""
    cart = f"""\
{statement}


class Cart:
    def __init__(self):
        {inner}self._prices = {made}

    def total(self):
        return self.discount or 0
"""
    files = {"shop/__init__.py": "", "shop/prices.py": PRICES, "shop/cart.py": cart, **more}

    draft = draft_of(tmp_path, {root + path: text for path, text in files.items()})

    assert draft.title == "Delegate Cart.discount to _prices"


@pytest.mark.parametrize(
    ("first", "empty"),
    [
        *((literal, literal) for literal in ("None", "0", '""', "''", "False", "0.0")),
        *((other, "None") for other in ("5", "True", "[]", "{}", "'x'", "compute()")),
    ],
)
def test_the_empty_value_is_the_first_value_if_that_is_an_empty_literal(tmp_path: Path, first: str, empty: str) -> None:
    draft = draft_of(tmp_path, one_file(PLAIN, PRICES.replace("discount = None", f"discount = {first}")))

    assert f"        return {empty}\n" in after(draft)
    assert f"read as empty ({empty})" in draft.may_hide[0]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("self.discount: float = 0.0", " -> float:"),
        ("self.discount: 'float' = 0.0", "(self):"),
        ("self.discount: dict[str, int] | None = None", " -> dict[str, int] | None:"),
        ("self.discount: float = compute()", "(self):"),
        ("self.discount: Decimal | None = None", "(self):"),
        ("self.discount = None", "(self):"),
    ],
)
def test_annotations_follow_where_the_class_has_them_and_they_mean_the_same(
    tmp_path: Path, declared: str, expected: str
) -> None:
    agent = PLAIN.replace("def total(self):", "def total(self) -> float | None:")

    new = after(draft_of(tmp_path, one_file(agent, PRICES.replace("self.discount = None", declared))))

    assert f"    def discount{'(self)' if expected != '(self):' else ''}{expected}\n" in new
    assert ("-> None:\n        handler" in new) == (expected != "(self):")


def test_a_union_is_not_written_into_a_file_that_might_be_too_old_for_it(tmp_path: Path) -> None:
    agent = PLAIN.replace("def total(self):", "def total(self) -> float:")

    new = after(draft_of(tmp_path, one_file(agent, PRICES.replace("discount =", "discount: int | None ="))))

    assert "    def discount(self):\n" in new


SHAPES = {
    "no __init__": """
        class Cart:
            def start(self):
                self._prices = Prices()
            def total(self):
                return self.discount or 0
        """,
    "decorators and comments": """
        import dataclasses
        from typing import final

        @final
        @dataclasses.dataclass(eq=False)  # plain
        class Cart:  # of goods

            # held
            _prices: Prices = None

            @property
            def total(self):
                return self.discount or 0
            # end of class

        # end of file
        """,
    "bases of the project": """
        import abc
        class Root(object): pass
        class Base(Root, abc.ABC):
            def helper(self): return 1
        class Cart(Base):
            def __init__(self): self._prices = Prices()
            def total(self): return self.discount or 0
        """,
    "comment right behind __init__": """
        class Cart:
            def __init__(self):
                self._prices = Prices()
            # total
            def total(self):
                return self.discount or 0
        """,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_line_stays_whatever_the_shape_of_the_class(tmp_path: Path, shape: str) -> None:
    draft = draft_of(tmp_path, one_file(textwrap.dedent(SHAPES[shape])))

    assert removed_lines(draft) == []
    names = run(after(draft))
    cart = names["Cart"]()
    cart._prices = names["Prices"]()
    cart.discount = 2
    assert cart.discount == cart._prices.discount == 2


@pytest.mark.parametrize("suffix", ["", ". Did you mean: 'discounts'?", ". Did you mean 'x'?"])
def test_the_suggestion_that_python_adds_does_not_matter(tmp_path: Path, suffix: str) -> None:
    project(tmp_path, SHOP)
    traceback = traceback_of([frame(tmp_path, "shop/cart.py", "self.discount or", "total")], ERROR + suffix)

    draft = DelegatedAttribute().apply(finding(ERROR + suffix, traceback), tmp_path)

    assert draft.title == "Delegate Cart.discount to _prices"


def test_another_class_may_be_the_one_that_reads(tmp_path: Path) -> None:
    reader = "from shop.cart import Cart\n\n\ndef show(cart: Cart):\n    print(cart.discount)\n"

    draft = draft_of(tmp_path, {**SHOP, "shop/show.py": reader}, "cart.discount)", "show")

    assert [edit.path for edit in draft.edits] == ["shop/cart.py"]
    assert "shop/show.py:5" in draft.root_cause


def test_fakes_in_the_tests_do_not_count_as_a_second_class(tmp_path: Path) -> None:
    fake = "class FakePrices:\n    def __init__(self):\n        self.discount = 1\n"

    assert draft_of(tmp_path, {**SHOP, "tests/fakes.py": fake}).title == "Delegate Cart.discount to _prices"


def test_the_traceback_that_python_prints_leads_to_the_property(tmp_path: Path) -> None:
    ((_, text),) = one_file(PLAIN).items()
    project(tmp_path, {"cart.py": text + "\n\nprint(Cart().total())\n"})
    command = [sys.executable, "cart.py"]
    before = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    draft = DelegatedAttribute().apply(finding(before.stderr.strip().splitlines()[-1], before.stderr), tmp_path)

    project(tmp_path, {"cart.py": after(draft)})
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "0\n"


identifiers = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(identifiers, min_size=3, max_size=3, unique=True),
    unit=st.sampled_from(["\t", " ", "  ", "    ", " \t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    noise=st.lists(st.sampled_from(["", "# note", "x = 1", "'''text'''", "if x:\n    pass"]), max_size=4),
    with_init=st.booleans(),
)
def test_whatever_names_and_format_the_result_works_and_every_line_stays(
    words: list[str], unit: str, newline: str, noise: list[str], with_init: bool
) -> None:
    attribute, holder, method = (f"{word}_" for word in words)
    handler = f"class Handler:\n    def __init__(self):\n        self.{attribute} = None\n"
    agent = f"class Agent:\n    def {'__init__' if with_init else 'start'}(self):\n        self.{holder} = Handler()\n"
    use = f"\n    def {method}(self):\n        # now\n        return self.{attribute}\n"
    text = "\n".join(["x = 1", *noise, handler, *noise, agent + use, *noise])
    text = text.replace("    ", unit).replace("\n", newline)
    error = f"AttributeError: 'Agent' object has no attribute '{attribute}'"
    with TemporaryDirectory() as folder:
        tree = project(Path(folder), {"agent.py": text})
        draft = DelegatedAttribute().apply(failing(tree, "agent.py", f"return self.{attribute}", method, error), tree)

    assert is_kept(text, after(draft))
    agent_object = run(after(draft))["Agent"]()
    if not with_init:
        agent_object.start()
    setattr(agent_object, attribute, 7)
    assert getattr(agent_object, method)() == 7
    assert vars(getattr(agent_object, holder)) == {attribute: 7}
