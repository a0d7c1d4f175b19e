"""What a model is shown about a finding: the failing code and what is around it, within a budget of tokens.

Pure over a tree of plain files: nothing is run, imported or fetched. Every part is text of strangers, to be delimited
as data by whoever writes the prompt; hidden characters are gone, and so are HTML comments where text is prose. In code
they stay, since an edit must find the text as it is in the file.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from selfimprover.domain import CaseFile
from selfimprover.drafting.reading.about import about
from selfimprover.drafting.reading.about import instructions as read_instructions
from selfimprover.drafting.reading.conventions import conventions
from selfimprover.drafting.reading.excerpts import MARKERS
from selfimprover.drafting.reading.failing import attribute_setters, classes, frames
from selfimprover.drafting.reading.files import Files
from selfimprover.drafting.reading.history import history
from selfimprover.drafting.reading.parts import Candidate, Context, Part, fill
from selfimprover.drafting.reading.raisers import mentions, raisers
from selfimprover.drafting.reading.scene import Scene, scene
from selfimprover.drafting.reading.tests_near import tests
from selfimprover.drafting.reading.values import calling, producers

__all__ = ["MARKERS", "Context", "Part", "build"]

_GATHERERS: tuple[Callable[[Scene], Iterator[Candidate]], ...] = (
    frames,
    attribute_setters,
    producers,
    raisers,
    calling,
    mentions,
    classes,
    tests,
    conventions,
)
"""Asked in this order: what one has gathered, the later ones leave out."""


def build(
    case: CaseFile,
    tree: Path,
    *,
    budget: int,
    instructions: str | None,
    paths: Sequence[str],
    deny: Sequence[str],
    redact: Callable[[str], str] | None = None,
) -> Context:
    """The context of a finding: never more than ``budget`` tokens, the same for the same case and files.

    ``instructions`` is the path of the project's instructions file. ``paths`` and ``deny`` say what may be changed;
    the rest is shown as well, with a word that it may not. ``redact`` takes secrets out of each part before it is
    counted.
    """
    files = Files(tree)
    here = scene(case, files, paths, deny)
    rules, notes = read_instructions(files, instructions)
    candidates = [*rules, *about(case.finding), *history(case)]
    for gather in _GATHERERS:
        candidates += gather(here)
    if here.site is None and any(sample.traceback for sample in case.finding.samples):
        notes.append("the traceback: none of its frames is in the files of the project")
    if files.unsearched:
        notes.append(f"{files.unsearched} Python files: too large, too many or not text, so they were not searched")
    return fill(candidates, notes, budget, redact)
