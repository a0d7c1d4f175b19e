"""Deterministic drafters: each wraps one recipe, a small code transformation that needs no language model."""

import asyncio
from pathlib import Path
from typing import Protocol

from selfimprover.domain import CaseFile, Draft, Feedback, Finding, Trigger
from selfimprover.drafting.recipes.delegated_attribute import DelegatedAttribute
from selfimprover.drafting.recipes.missing_import import MissingImport
from selfimprover.drafting.recipes.retry_connect import RetryTransientConnect
from selfimprover.drafting.recipes.typo import MisspeltName
from selfimprover.errors import RefusedError
from selfimprover.interfaces import Drafter


class Recipe(Protocol):
    """A pure transformation of the files of a project, applied only where its preconditions are proven."""

    name: str

    def apply(self, finding: Finding, tree: Path) -> Draft:
        """The draft against the plain files under ``tree``, which stay untouched.

        Raises ``RefusedError`` with one sentence for people if a precondition cannot be shown.
        """
        ...


RECIPES: tuple[Recipe, ...] = (
    RetryTransientConnect(),
    DelegatedAttribute(),
    MissingImport(),
    MisspeltName(),
)
"""Every recipe, in the order in which they are tried."""


class RecipeDrafter:
    """A drafter that applies one recipe in a thread, so that parsing never blocks the loop."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.name = f"recipe:{recipe.name}"

    async def draft(self, case: CaseFile, tree: Path, feedback: Feedback | None = None) -> Draft:
        """The recipe's draft; raises ``RefusedError`` with its reason."""
        if feedback is not None and feedback.trigger is not Trigger.CONFLICT:
            raise RefusedError("it would make the same change again")
        try:
            return await asyncio.to_thread(self._recipe.apply, case.finding, tree)
        except RecursionError:
            raise RefusedError("the code at the failing place is nested too deeply to be changed safely") from None


def recipe_drafters() -> tuple[Drafter, ...]:
    """One drafter for each recipe."""
    return tuple(RecipeDrafter(recipe) for recipe in RECIPES)
