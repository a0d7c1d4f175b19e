"""Recipe: a misspelt name is written as the one close name that is really there."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from selfimprover.domain import Draft, Edit, Finding, Risk
from selfimprover.drafting.recipes.samples import Failure, agreed
from selfimprover.errors import RefusedError

if TYPE_CHECKING:
    from selfimprover.drafting.recipes.typo.found import Typo

_NAME = r"(?P<wrong>[^\W\d]\w{0,199})"
_OWNER = r"(?P<owner>[\w.]{1,200})"
_FORMS = tuple(
    (kind, types, re.compile(pattern))
    for kind, types, pattern in (
        ("name", {"NameError"}, rf"name '{_NAME}' is not defined"),
        ("instance", {"AttributeError"}, rf"'{_OWNER}' object has no attribute '{_NAME}'"),
        ("class", {"AttributeError"}, rf"type object '{_OWNER}' has no attribute '{_NAME}'"),
        ("module", {"AttributeError"}, rf"module '{_OWNER}' has no attribute '{_NAME}'"),
        (
            "import",
            {"ImportError"},
            rf"cannot import name '{_NAME}' from '{_OWNER}'(?: \((?P<path>[^()]{{1,1000}})\))?",
        ),
        (
            "no module",
            {"ModuleNotFoundError"},
            r"No module named '(?P<owner>(?:[\w.]{1,200}\.)?)(?P<wrong>[^\W\d]\w*)'",
        ),
        ("keyword", {"TypeError"}, rf"{_OWNER}\(\) got an unexpected keyword argument '{_NAME}'"),
    )
)


class MisspeltName:
    """Corrects one name on the failing line, if exactly one close name is shown to be defined and to fit there."""

    name = "typo"

    def apply(self, finding: Finding, tree: Path) -> Draft:
        """The draft; raises ``RefusedError`` unless code and traceback show which name is meant."""
        failure = agreed(finding)
        kind, match = _form(failure)

        typo, before, after = _corrected(tree, failure, kind, match)
        path = typo.place.code.source.path
        return Draft(
            drafter=f"recipe:{self.name}",
            title=f"Correct the misspelt name {typo.wrong} to {typo.right}",
            summary="corrected name",
            root_cause=f"`{typo.place}` says `{typo.wrong}`, which is nowhere defined; {typo.meaning} is.",
            change=f"`{typo.wrong}` is now written `{typo.right}`, at that one place.",
            may_hide=(
                f"If `{typo.wrong}` was to be something else that is still missing, its absence no longer shows.",
                "The code behind the line runs for the first time and may have errors of its own.",
            ),
            risk=Risk.TYPO,
            edits=(Edit(path, before, after),),
            proof=(
                f"Task {failure.sample.id} failed with {failure.error_type} at `{typo.place}`, which has it once.",
                f"No other name that is known there is within two letters of `{typo.wrong}`: only {typo.meaning}.",
                f"`{typo.right}` is certainly there when the line runs, and its kind and parameters fit the use.",
                f"The project writes `{typo.wrong}` nowhere else, in code, tests, texts or settings.",
            ),
        )


def _form(failure: Failure) -> tuple[str, re.Match[str]]:
    """What kind of name is missing, and the words of the message."""
    for kind, types, pattern in _FORMS:
        match = pattern.fullmatch(failure.message)
        if match is not None and failure.error_type in types:
            if match["wrong"].startswith("__"):
                raise RefusedError(f"{match['wrong']} is a name that Python treats specially")
            return kind, match
    raise RefusedError(f"task {failure.sample.id} did not fail for want of a name")


def _corrected(tree: Path, failure: Failure, kind: str, match: re.Match[str]) -> tuple["Typo", str, str]:
    """What is misspelt, and the file before and after."""
    from selfimprover.drafting.recipes.typo.code import corrected
    from selfimprover.drafting.recipes.typo.sites import find_typo

    typo = find_typo(tree, failure, kind, match.groupdict())
    return typo, typo.place.code.source.text, corrected(typo)
