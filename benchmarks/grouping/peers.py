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


def by_drain(masks: str, similarity: float) -> Callable[[list[str]], Grouped]:
    """With drain3, with or without masks; clusters are never evicted."""

    def group(texts: list[str]) -> Grouped:
        from drain3 import TemplateMiner
        from drain3.masking import MaskingInstruction
        from drain3.template_miner_config import TemplateMinerConfig

        config = TemplateMinerConfig()
        config.drain_sim_th = similarity
        config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in masks_of(masks)]
        miner = TemplateMiner(config=config)
        numbers = [miner.add_log_message(text)["cluster_id"] for text in texts]
        templates = {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}
        return [(str(number), templates[number]) for number in numbers]

    return group


def masks_of(whose: str) -> list[tuple[str, str]]:
    """Pattern and name of each mask: those that drain3's README shows, or ours."""
    if whose == "readme":
        shown = re.findall(r'\{"regex_pattern":("[^\n]+?"), "mask_with": "(\w+)"\}', str(metadata("drain3")))
        return [(ast.literal_eval(pattern), name) for pattern, name in shown]
    if whose == "ours":
        sys.path.insert(0, str(ROOT))
        from selfimprover.patterns.words import RULES

        return [(pattern, name) for name, pattern in RULES if name]
    return []


def main() -> None:
    """Groups standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=("exact", "digits", "drain3"))
    parser.add_argument("--text", choices=TEXTS, default="column")
    parser.add_argument("--masks", choices=("none", "readme", "ours"), default="none")
    parser.add_argument("--similarity", type=float, default=0.4)
    chosen = parser.parse_args()
    failures = [json.loads(line) for line in sys.stdin]
    methods = {"exact": by_exact_text, "digits": by_digits, "drain3": by_drain(chosen.masks, chosen.similarity)}
    for fingerprint, pattern in methods[chosen.method]([TEXTS[chosen.text](one) for one in failures]):
        print(json.dumps({"fingerprint": fingerprint, "pattern": pattern}))


if __name__ == "__main__":
    main()
