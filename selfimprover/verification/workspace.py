"""A plain copy of the project's files in a folder that is gone afterwards."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfimprover import edits as edit_rules
from selfimprover.domain import Edit
from selfimprover.errors import SelfImproverError
from selfimprover.verification.copying import copy_tree


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one run of the tests happens."""

    tree: Path
    """The copy of the project."""
    scratch: Path
    """The run's home and its folder for temporary files."""
    report: Path
    """Where the tests may write their JUnit report, in a folder of its own."""
    tools: Path
    """What we bring along for the run; nothing of the project."""
    output: Path
    """What the test command prints."""

    @property
    def writable(self) -> tuple[Path, ...]:
        """The folders that the run may write to."""
        return self.tree, self.scratch, self.report.parent


@contextlib.asynccontextmanager
async def workspace(tree: Path, edits: Sequence[Edit] = ()) -> AsyncIterator[Workspace]:
    """A copy of ``tree`` with ``edits`` applied, in a folder beside it; raises ``RefusedError`` if they do not fit.

    There is no repository in it, of a submodule neither: tests that write a git folder would own whoever runs git
    there.
    """
    holder = await asyncio.to_thread(_make_folder, tree.parent)
    try:
        root = Path(holder.name)
        place = Workspace(
            tree=root / "project",
            scratch=root / "scratch",
            report=root / "report" / "junit.xml",
            tools=root / "tools",
            output=root / "output",
        )
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
    with room():
        copy_tree(tree, place.tree, without={".git"})
        for folder in (place.scratch, place.report.parent, place.tools):
            folder.mkdir()
        edit_rules.apply(edits, place.tree)


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Turns a disk without room, or one that cannot be written, into one clear line."""
    try:
        yield
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> SelfImproverError:
    return SelfImproverError(
        f"the files of a test run cannot be written: {error.strerror or error}",
        where=str(error.filename or tempfile.gettempdir()),
        mend="make room there, or point TMPDIR to a folder that has some",
    )
