"""A plain copy of the project's files in a folder that is gone afterwards."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfimprover import edits as edit_rules
from selfimprover.domain import Edit
from selfimprover.errors import SelfImproverError


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one run of the tests happens."""

    tree: Path
    """The copy of the project."""
    scratch: Path
    """The run's home and its folder for temporary files."""
    report: Path
    """Where the tests may write their JUnit report."""
    output: Path
    """What the test command prints."""


@contextlib.asynccontextmanager
async def workspace(tree: Path, edits: Sequence[Edit] = ()) -> AsyncIterator[Workspace]:
    """A copy of ``tree`` with ``edits`` applied, in a folder beside it; raises ``RefusedError`` if they do not fit.

    There is no repository in it: tests that write a git folder would own whoever runs git there.
    """
    holder = await asyncio.to_thread(_make_folder, tree.parent)
    try:
        root = Path(holder.name)
        place = Workspace(root / "project", root / "scratch", root / "report" / "junit.xml", root / "output")
        await asyncio.to_thread(_fill, place, tree, edits)
        yield place
    finally:
        await asyncio.shield(asyncio.to_thread(holder.cleanup))


def _make_folder(beside: Path) -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(prefix="workspace-", dir=beside.resolve(), ignore_cleanup_errors=True)
    except OSError as error:
        raise _no_room(error) from error


def _fill(place: Workspace, tree: Path, edits: Sequence[Edit]) -> None:
    try:
        shutil.copytree(tree, place.tree, symlinks=True)
        place.scratch.mkdir()
        place.report.parent.mkdir()
        edit_rules.apply(edits, place.tree)
    except OSError as error:  # shutil.Error is one
        raise _no_room(error) from error


def _no_room(error: OSError) -> SelfImproverError:
    reason = error.strerror or (str(error.args[0][0][2]) if isinstance(error, shutil.Error) else str(error))
    return SelfImproverError(
        f"the project's files cannot be copied: {reason}",
        where=str(error.filename or tempfile.gettempdir()),
        mend="make room there, or point TMPDIR to a folder that has some",
    )
