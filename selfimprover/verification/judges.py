"""Which files of a project judge a draft: they stay as the base has them."""

import re
from collections.abc import Sequence

from selfimprover.domain import Draft, Edit
from selfimprover.errors import RefusedError

_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "specs", "e2e", "testdata"})
_NAMES = re.compile(
    r"(?:tests?|test_.*|.*_tests?|conftest|pytest_.*)\.pyi?"
    r"|.*_test\.(?:go|dart|exs)|.*_spec\.rb|.*[.-](?:test|spec)\.[cm]?[jt]sx?|.*Tests?\.(?:java|kt|cs|php|swift)",
    re.IGNORECASE,
)


def is_judge(path: str) -> bool:
    """Whether a file is a test or what tests stand on, by the names that runners and people give them."""
    *folders, name = path.split("/")
    return any(folder.lower() in _FOLDERS for folder in folders) or _NAMES.fullmatch(name) is not None


def check(edits: Sequence[Edit]) -> None:
    """Raises ``RefusedError`` if edits touch what judges them: a draft's own test is its reproduction."""
    for edit in edits:
        if is_judge(edit.path):
            raise RefusedError(f"needs a person: {edit.path} belongs to the tests, which judge the draft as they are")


def check_reproduction(draft: Draft) -> None:
    """Raises ``RefusedError`` unless the reproduction is a test by its own name, not only by its folder's."""
    if draft.reproduction and not _NAMES.fullmatch(draft.reproduction.path.rpartition("/")[2]):
        raise RefusedError(
            f"the reproduction {draft.reproduction.path} is no test by its name (such as tests/test_….py)"
        )
