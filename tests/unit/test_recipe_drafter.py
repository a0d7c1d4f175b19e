import subprocess
import sys
import threading
from pathlib import Path

import pytest

from selfimprover.domain import CaseFile, Draft, Finding, Risk, State
from selfimprover.drafting.drafter import RECIPES, RecipeDrafter, recipe_drafters
from selfimprover.drafting.recipes.retry_connect import RetryTransientConnect
from selfimprover.errors import RefusedError
from selfimprover.interfaces import Drafter
from tests.unit.recipe_cases import after, failing, finding, project
from tests.unit.retry_cases import ERROR, FEED

FOUND = finding("ValueError: x", None)


def case_of(found: Finding) -> CaseFile:
    return CaseFile(finding=found, project="assistant", state=State.FOUND, reason="new")


class Recorded:
    """A recipe that notes which thread it ran in."""

    name = "recorded"

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def apply(self, finding: Finding, tree: Path) -> Draft:
        self.threads.append(threading.current_thread())
        return Draft(
            drafter=f"recipe:{self.name}",
            title=finding.title,
            summary=str(tree),
            root_cause="",
            change="",
            may_hide=(),
            risk=Risk.RETRY,
            edits=(),
        )


async def test_a_recipe_runs_beside_the_event_loop(tmp_path: Path) -> None:
    recipe = Recorded()
    drafter: Drafter = RecipeDrafter(recipe)

    draft = await drafter.draft(case_of(FOUND), tmp_path)

    assert drafter.name == draft.drafter == "recipe:recorded"
    assert (draft.title, draft.summary) == (FOUND.title, str(tmp_path))
    assert recipe.threads != [threading.main_thread()]


async def test_every_recipe_refuses_what_is_not_its_own(tmp_path: Path) -> None:
    for drafter in recipe_drafters():
        with pytest.raises(RefusedError):
            await drafter.draft(case_of(FOUND), tmp_path)


async def draft_or_reason(found: Finding, tree: Path) -> str:
    try:
        return after(await RecipeDrafter(RetryTransientConnect()).draft(case_of(found), tree))
    except RefusedError as refused:
        return str(refused)


@pytest.mark.parametrize("depth", [50, 150, 300, 499])
async def test_deep_code_is_drafted_or_refused_but_never_ends_the_process(tmp_path: Path, depth: int) -> None:
    text = f"{FEED}\n\nx = 1{'+1' * depth}\n"
    project(tmp_path, {"feed.py": text})

    answer = await draft_or_reason(failing(tmp_path, "feed.py", "connect(url", "open", ERROR), tmp_path)

    refused = "nested too deeply" in answer or "cannot be parsed" in answer
    assert "+1" * depth in answer or (refused and depth > 150)


def test_there_is_one_drafter_for_each_recipe() -> None:
    assert [drafter.name for drafter in recipe_drafters()] == [f"recipe:{recipe.name}" for recipe in RECIPES]
    assert [recipe.name for recipe in RECIPES] == [
        "retry-transient-connect",
        "delegated-attribute",
        "missing-import",
        "typo",
    ]


def test_listing_the_drafters_does_not_import_libcst() -> None:
    program = (
        "import sys; from selfimprover.drafting.drafter import recipe_drafters; recipe_drafters();"
        " sys.exit('libcst' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
