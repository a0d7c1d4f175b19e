"""What the tests of the recipes for misspelt and missing names share."""

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from selfimprover.domain import Draft, Finding
from selfimprover.drafting.recipes.missing_import import MissingImport
from selfimprover.drafting.recipes.typo import MisspeltName
from selfimprover.errors import RefusedError
from tests.unit.recipe_cases import failing, project

Files = Mapping[str, str]

MESSAGE = {"app.py": "def run(message):\n    return messsage.id\n"}
"""A function with one misspelt name."""


def found_in(tree: Path, files: Files, error: str, at: str, function: str = "run") -> Finding:
    """The finding of a failure in the line that holds ``at``, in the first file that has it."""
    plain = {path: textwrap.dedent(text).lstrip("\n") for path, text in files.items()}
    project(tree, plain)
    path = next(path for path, text in plain.items() if at in text)
    return failing(tree, path, at, function, error)


def corrected(tree: Path, files: Files, error: str, at: str, function: str = "run") -> Draft:
    return MisspeltName().apply(found_in(tree, files, error, at, function), tree)


def imported(tree: Path, files: Files, name: str, at: str, function: str = "run") -> Draft:
    return MissingImport().apply(found_in(tree, files, undefined(name), at, function), tree)


def in_app(text: str, more: Files | None = None) -> Files:
    return {"app.py": text, **(more or {})}


def undefined(name: str) -> str:
    return f"NameError: name '{name}' is not defined"


def lacks(owner: str, name: str) -> str:
    return f"AttributeError: '{owner}' object has no attribute '{name}'"


def unexpected(function: str, name: str) -> str:
    return f"TypeError: {function}() got an unexpected keyword argument '{name}'"


def answers(found: Finding, tree: Path) -> list[str]:
    """The recipes of these two that draft something."""
    names = []
    for recipe in (MissingImport(), MisspeltName()):
        try:
            names.append(recipe.apply(found, tree).drafter)
        except RefusedError:
            continue
    return names


def another_sample(found: Finding, error: str, traceback: str | None = None) -> Finding:
    """The finding with one more sample."""
    (sample,) = found.samples
    more = replace(sample, id="t-8", error=error, traceback=traceback)
    return replace(found, samples=(sample, more))
