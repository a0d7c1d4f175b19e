import builtins
import importlib

import pytest

from selfimprover.drafting.recipes.standard import (
    all_names,
    builtin_names,
    is_uncertain,
    known_modules,
    names_of,
    value_of,
    vocabulary,
)

TYPES = ("bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple")


@pytest.mark.parametrize("module", sorted(known_modules()))
def test_every_certain_name_is_there_in_the_python_that_runs_this(module: str) -> None:
    loaded = importlib.import_module(module)

    assert [name for name in sorted(names_of(module)) if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("name", TYPES)
def test_the_methods_of_a_builtin_type_are_all_known(name: str) -> None:
    public = {each for each in dir(getattr(builtins, name)) if each[0] != "_"}

    assert names_of(f"type {name}") <= public
    assert public <= all_names(f"type {name}")


@pytest.mark.parametrize(
    ("module", "name"),
    [("datetime", "UTC"), ("enum", "StrEnum"), ("itertools", "batched"), ("math", "cbrt"), ("typing", "Self")],
)
def test_a_name_that_came_after_python_3_10_proves_nothing(module: str, name: str) -> None:
    assert is_uncertain(module, name)
    assert name not in names_of(module)


@pytest.mark.parametrize(("module", "name"), [("os", "fork"), ("os", "startfile"), ("asyncio", "timeout")])
def test_nor_does_one_that_some_systems_or_versions_lack(module: str, name: str) -> None:
    assert name not in names_of(module)


def test_modules_that_do_something_when_they_are_imported_are_not_in_the_table() -> None:
    assert not known_modules() & {"antigravity", "this", "idlelib", "tkinter", "test", "__main__"}


def test_young_builtins_are_left_out() -> None:
    assert {"print", "ValueError", "isinstance"} <= builtin_names()
    assert not builtin_names() & {"ExceptionGroup", "aiter"}


def test_values_and_words_come_from_the_table() -> None:
    assert value_of("json", "loads") is importlib.import_module("json").loads
    assert value_of("type str", "strip") is str.strip
    assert {"timeout", "recieve"} & vocabulary() == {"timeout"}
