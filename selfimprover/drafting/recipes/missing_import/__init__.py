"""Recipe: a name that is used but not imported gets the one import that it can mean."""

import re
from pathlib import Path

from selfimprover.domain import Draft, Edit, Finding, Risk
from selfimprover.drafting.recipes.samples import agreed
from selfimprover.errors import RefusedError

_MESSAGE = re.compile(r"name '(?P<name>[^\W\d]\w{0,199})' is not defined")


class MissingImport:
    """Imports a module of the standard library, or what other files of the project import in exactly one way."""

    name = "missing-import"

    def apply(self, finding: Finding, tree: Path) -> Draft:
        """The draft; raises ``RefusedError`` unless code and traceback show which import is missing."""
        failure = agreed(finding)
        match = _MESSAGE.fullmatch(failure.message)
        if match is None or failure.error_type != "NameError" or match["name"].startswith("__"):
            raise RefusedError(f"task {failure.sample.id} did not fail for want of an imported name")
        name = match["name"]

        from selfimprover.drafting.recipes.missing_import.code import with_missing
        from selfimprover.drafting.recipes.missing_import.site import find_missing

        missing = find_missing(tree, failure, name)
        source = missing.place.code.source
        return Draft(
            drafter=f"recipe:{self.name}",
            title=f"Import {name} in {source.path}",
            summary="missing import",
            root_cause=f"`{missing.place}` uses `{name}`, which `{source.path}` neither imports nor defines.",
            change=f"`{missing.way.text}` now stands among the imports of `{source.path}`.",
            may_hide=(
                f"If another `{name}` was meant than that of `{missing.way.text}`, this no longer shows as missing.",
                "The code behind the line runs for the first time and may have errors of its own.",
            ),
            risk=Risk.MISSING_IMPORT,
            edits=(Edit(source.path, source.text, with_missing(missing)),),
            proof=(
                f"Task {failure.sample.id} failed with NameError at `{missing.place}`, which uses `{name}`.",
                f"Nothing in `{source.path}` binds `{name}`, in any scope, and no known name there is close to it.",
                missing.shown,
                f"Every use of `{name}` in the file fits what is imported, and the import closes no circle.",
            ),
        )
