"""What a night lets through of fixes that are right: each case's reference solution as the answer of a scripted model.

The upper end of what any model can reach here: a case that is not resolved tells of a rule of the night that refuses a
right fix, not of a model. The answer's own test is ``reported.py``, which fails exactly as reported; without one, the
hidden tests.

    python benchmarks/repair/reference.py [FOLDER] [--case NAME …] [--sandbox none]
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from benchmarks.repair.casefile import PATCH, Case, read_cases  # noqa: E402
from benchmarks.repair.run import played  # noqa: E402
from benchmarks.repair.table import markdown  # noqa: E402
from selfimprover.settings import Llm  # noqa: E402
from tests.fakes.model import completion, model_server  # noqa: E402

_MOST_ASKED = 9
_HEAD = """\
ROOT CAUSE: That of the reference solution.
TITLE: Mend what fails
SUMMARY: the reference solution
EFFECT: It does what the reference solution does.
RISK: logic
MAY HIDE:
- nothing
CHANGES:
"""


def answer(case: Case) -> str:
    """The answer with the reference solution: whole files, and a test."""
    blocks = "\n".join(_blocks(case))
    own = case.folder / "reported.py"
    files = [own] if own.is_file() else sorted(case.hidden.rglob("test_*.py"))
    tests = "\n\n".join(file.read_text() for file in files)
    return f"{_HEAD}{blocks}\nTEST:\n{_block('tests/test_reported.py', '', tests)}"


def _blocks(case: Case) -> Iterator[str]:
    for file in sorted(case.solution.rglob("*.py")):
        path = file.relative_to(case.solution)
        yield _block(path.as_posix(), (case.tree / path).read_text(), file.read_text())


def _block(path: str, before: str, after: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{before}=======\n{after}>>>>>>> REPLACE"


async def main(given: argparse.Namespace) -> None:
    """Plays each case against a server that says its answer as often as it is asked, and prints the table."""
    cases, _ = read_cases(given.folder, tuple(given.case))
    results = []
    with tempfile.TemporaryDirectory(prefix="selfimprover-repair-", ignore_cleanup_errors=True) as name:
        for case in cases:
            if case.expected != PATCH or not case.solution.is_dir():
                continue
            folder = Path(name) / case.name
            folder.mkdir()
            async with model_server(*[completion(answer(case))] * _MOST_ASKED) as server:
                llm = Llm(model="reference", base_url=server.url)
                results.append(await asyncio.to_thread(played, case, llm, given.sandbox, folder))
            print(f"{case.name}: {results[-1].status}", file=sys.stderr, flush=True)
    print(markdown(results, "reference"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=HERE / "cases")
    parser.add_argument("--case", action="append", default=[], metavar="NAME")
    parser.add_argument("--sandbox", choices=("auto", "bwrap", "container", "none"), default="auto")
    asyncio.run(main(parser.parse_args()))
