"""One grouper as a command: JSON lines with ``error`` and ``traceback`` in, with ``fingerprint`` and ``pattern`` out.

Every contender is run like this, so that reading and writing cost all of them the same.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import metadata
from pathlib import Path

Failure = dict[str, str | None]
Grouped = Iterable[tuple[str, str]]

ROOT = Path(__file__).parents[2]
DIGITS = re.compile(r"\d+")


def of_column(failure: Failure) -> str:
    """The error column."""
    return failure["error"] or ""


def of_all(failure: Failure) -> str:
    """Everything that is known."""
    return f"{failure['error'] or ''}\n{failure['traceback'] or ''}"


def of_last_line(failure: Failure) -> str:
    """The last line of the traceback, else of the error."""
    lines = (failure["traceback"] or failure["error"] or "").strip().splitlines()
    return lines[-1] if lines else ""


TEXTS: dict[str, Callable[[Failure], str]] = {"column": of_column, "all": of_all, "last": of_last_line}


def by_exact_text(texts: list[str]) -> Grouped:
    """As ``GROUP BY error`` does."""
    return zip(texts, texts, strict=True)


def by_digits(texts: list[str]) -> Grouped:
    """With every run of digits taken out."""
    masked = [DIGITS.sub("#", text) for text in texts]
    return zip(masked, masked, strict=True)


def by_drain(masks: bool, similarity: float) -> Callable[[list[str]], Grouped]:
    """With drain3, without and with the masks that its README shows; clusters are never evicted."""

    def group(texts: list[str]) -> Grouped:
        from drain3 import TemplateMiner
        from drain3.masking import MaskingInstruction
        from drain3.template_miner_config import TemplateMinerConfig

        config = TemplateMinerConfig()
        config.drain_sim_th = similarity
        if masks:
            shown = re.findall(r'\{"regex_pattern":("[^\n]+?"), "mask_with": "(\w+)"\}', str(metadata("drain3")))
            config.masking_instructions = [MaskingInstruction(ast.literal_eval(one), name) for one, name in shown]
        miner = TemplateMiner(config=config)
        numbers = [miner.add_log_message(text)["cluster_id"] for text in texts]
        templates = {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}
        return [(str(number), templates[number]) for number in numbers]

    return group


def by_first_fingerprint(failures: list[Failure]) -> Grouped:
    """With the project's fingerprint alone, for versions that have no command ``group``."""
    sys.path.insert(0, str(ROOT))
    from selfimprover.patterns.fingerprints import ErrorFingerprinter

    fingerprinter = ErrorFingerprinter()
    found = [fingerprinter.fingerprint(one["error"], one["traceback"]) for one in failures]
    return [(one.value, one.template) for one in found]


def main() -> None:
    """Groups standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=("exact", "digits", "drain3", "fingerprint"))
    parser.add_argument("--text", choices=TEXTS, default="column")
    parser.add_argument("--masks", action="store_true")
    parser.add_argument("--similarity", type=float, default=0.4)
    chosen = parser.parse_args()
    failures = [json.loads(line) for line in sys.stdin]
    methods = {"exact": by_exact_text, "digits": by_digits, "drain3": by_drain(chosen.masks, chosen.similarity)}
    if chosen.method == "fingerprint":
        grouped = by_first_fingerprint(failures)
    else:
        grouped = methods[chosen.method]([TEXTS[chosen.text](one) for one in failures])
    for fingerprint, pattern in grouped:
        print(json.dumps({"fingerprint": fingerprint, "pattern": pattern}))


if __name__ == "__main__":
    main()
