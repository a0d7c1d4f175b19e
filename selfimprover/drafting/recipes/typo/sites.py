"""Finds what a misspelt name means, by the kind of error, and weighs the spelling."""

from collections.abc import Mapping
from pathlib import Path

from selfimprover.drafting.recipes.classes import Project
from selfimprover.drafting.recipes.place import failing_place
from selfimprover.drafting.recipes.samples import Failure
from selfimprover.drafting.recipes.spelling import slip
from selfimprover.drafting.recipes.typo.attributes import find_of_class, find_of_instance, find_of_module
from selfimprover.drafting.recipes.typo.found import Typo
from selfimprover.drafting.recipes.typo.imports import find_imported_name, find_module
from selfimprover.drafting.recipes.typo.keywords import find_keyword
from selfimprover.drafting.recipes.typo.names import find_name
from selfimprover.drafting.recipes.typo.usage import Usage
from selfimprover.errors import RefusedError


def find_typo(tree: Path, failure: Failure, kind: str, told: Mapping[str, str | None]) -> Typo:
    """Shows every precondition, or raises ``RefusedError`` naming the one that does not hold.

    ``told`` is what the message says: the ``wrong`` name, its ``owner``, and the ``path`` of the module's file.
    """
    wrong, owner = told["wrong"] or "", told.get("owner") or ""
    project = Project(tree)
    place = failing_place(project, tree, failure.frame)
    match kind:
        case "name":
            typo = find_name(project, place, wrong, failure.frames)
        case "instance":
            typo = find_of_instance(project, place, owner, wrong, failure.frames)
        case "class":
            typo = find_of_class(project, place, owner, wrong)
        case "module":
            typo = find_of_module(project, place, owner, wrong)
        case "import":
            typo = find_imported_name(project, place, owner, wrong, told["path"])
        case "no module":
            typo = find_module(project, place, f"{owner}{wrong}")
        case _:
            typo = find_keyword(project, place, owner, wrong)
    Usage(tree).refuse_meant(wrong, slip(wrong, typo.right))
    if failure.suggested is not None and failure.suggested != typo.right:
        raise RefusedError(f"Python itself suggests {failure.suggested}, not {typo.right}")
    return typo
