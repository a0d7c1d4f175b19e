"""Real nights on a folder of cases, judged by hidden tests: how much of what repeats is really mended, and for what.

Each case gets a night of its own in a fresh folder: the real configuration, telemetry, memory, sandbox and a local
git forge, and the configured language model. ``README.md`` beside this file says what a case is and what words mean.

    python benchmarks/repair/run.py FOLDER [--config FILE] [--case NAME …] [--json]

The model is that of the section [llm] of the configuration file, or of SELFIMPROVER_LLM__MODEL and its siblings, or of
--model, --base-url and --key-file; a key is never printed and never a flag. Without a model the recipes alone draft.
Exit code: 0 all cases were run, 1 one could not be, 2 wrong use.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from benchmarks.repair.casefile import Case, instant, read_cases  # noqa: E402
from benchmarks.repair.judging import Status  # noqa: E402
from benchmarks.repair.playing import Result, play  # noqa: E402
from benchmarks.repair.table import document, markdown  # noqa: E402
from selfimprover.bootstrap.model import is_configured  # noqa: E402
from selfimprover.errors import UsageError  # noqa: E402
from selfimprover.redaction import Redactor, secrets_in  # noqa: E402
from selfimprover.settings import Llm, load_llm  # noqa: E402

_VARIABLE = "SELFIMPROVER_LLM__{}"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of cases, or one case")
    parser.add_argument("--config", type=Path, metavar="FILE", help="only its section [llm] is read")
    parser.add_argument("--model", metavar="NAME")
    parser.add_argument("--base-url", metavar="URL")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="a file with the key and nothing else")
    parser.add_argument("--no-model", action="store_true", help="recipes alone, whatever is configured")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--at", metavar="ISO8601", help="the instant of every night, instead of the cases' own")
    parser.add_argument("--sandbox", choices=("auto", "bwrap", "container", "none"), default="auto")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="nights at the same time; default: 1")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a new folder in which every case's folder stays")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON document on stdout")
    return parser.parse_args()


def chosen_model(given: argparse.Namespace) -> Llm:
    """The model in force; flags come before variables, as these come before the file."""
    if given.no_model:
        return Llm(enabled=False)
    if given.key_file is not None:
        try:
            os.environ[_VARIABLE.format("API_KEY")] = given.key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("it cannot be read", where=f"--key-file {given.key_file}") from error
    for name, value in (("MODEL", given.model), ("BASE_URL", given.base_url)):
        if value is not None:
            os.environ[_VARIABLE.format(name)] = value
    return load_llm(given.config)


def played(case: Case, llm: Llm, sandbox: str, folder: Path) -> Result:
    """One case in a process of its own, so that whatever goes wrong there ends nothing else."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        future = pool.submit(play, case, llm, sandbox, folder)
        error = future.exception()
    if error is None:
        return future.result()
    return failed(case.name, case.expected, f"{type(error).__name__}: {error}")


def failed(name: str, expected: str, why: str) -> Result:
    """A case that says nothing of the drafts."""
    return Result(name=name, expected=expected, status=Status.FAILED, right=False, reason=" ".join(why.split())[:500])


@contextmanager
def places(keep: Path | None) -> Iterator[Path]:
    """The folder that the cases' folders are made in."""
    if keep is not None:
        if keep.exists():
            raise UsageError("it exists already", where=str(keep), mend="name a new folder with --keep")
        keep.mkdir(parents=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="selfimprover-repair-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


def run_all(cases: Sequence[Case], llm: Llm, given: argparse.Namespace, redact: Redactor) -> Iterator[Result]:
    """One result a case, in their order; each is told on stderr when it is there."""

    def one(case: Case) -> Result:
        folder = place / case.name
        folder.mkdir()
        result = played(case, llm, given.sandbox, folder)
        print(f"{case.name}: {result.status} ({result.seconds} s)", file=sys.stderr, flush=True)
        return replace(result, reason=redact(result.reason), errors=tuple(map(redact, result.errors)))

    with places(given.keep) as place, ThreadPoolExecutor(max_workers=given.at_once) as threads:
        yield from threads.map(one, cases)


def main() -> int:
    """Runs it; the exit code."""
    given = arguments()
    try:
        llm = chosen_model(given)
        cases, unread = read_cases(given.folder, tuple(given.case))
        if given.at is not None:
            at = instant(given.at, "--at")
            cases = [replace(case, at=at) for case in cases]
        key = [llm.api_key.get_secret_value()] if llm.api_key else []
        redact = Redactor(os.urandom(16), [*key, *secrets_in(os.environ)])
        results = [failed(name, "", why) for name, why in unread]
        results += run_all(cases, llm, given, redact)
    except UsageError as error:
        print(f"repair: {error}", file=sys.stderr)
        return 2
    model = llm.model if is_configured(llm) else None
    print(json.dumps(document(results, model), indent=2) if given.as_json else markdown(results, model))
    return 1 if any(result.status is Status.FAILED for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
