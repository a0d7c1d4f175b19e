"""How well errors are grouped into causes, beside GROUP BY and drain3 in the same run.

The project's own labelled agent failures decide (tests/agent_failures); Loghub-2k with corrected templates comes from
a folder of CSV files that is named on the command line. drain3 is no dependency of the project: an environment for
this benchmark needs only

    pip install drain3==0.9.11
    python benchmarks/grouping/run.py --loghub FOLDER

and the project itself in .venv (``make .venv/.ready``). ``--show dev`` (or a system of Loghub) prints the false merges
and torn groups of one data set instead, for whoever works on the grouping; what is held out is not shown.
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from contenders import RIVAL, Answer, Contender, contenders, ours
from datasets import PARTS, Dataset, loghub, more, own
from measures import Scores, members, moved, score, torn

ROUNDS = 3
ROWS_FOR_SPEED = 40
SHUFFLES = 3
SHOWN = 5
WIDTH = 150


def table(titles: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
    """Prints a table of Markdown, row by row as they come."""
    print(f"\n| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def figures(scores: Scores) -> list[str]:
    """The cells of one comparison."""
    shares = (scores.accuracy, scores.group_f1, scores.pair_f1)
    return [*(f"{share:.3f}" for share in shares), *map(str, (scores.groups, scores.over, scores.split))]


def own_set(part: str, rivals: Sequence[Contender]) -> None:
    """The labelled failures of one part."""
    data = own(part)
    print(f"\n### {part}: {len(data.failures)} rows of {len(set(data.truth))} causes")
    table(
        ("method", "GA", "FGA", "PF", "groups", "false merges", "torn"),
        ([one.name, *figures(score(data.truth, one.group(data.failures).groups))] for one in rivals),
    )


def lines(systems: Sequence[Dataset], rivals: Sequence[Contender]) -> None:
    """Loghub-2k: the mean over the systems, then each of them."""
    print(f"\n## Loghub-2k, {len(systems)} systems")
    met = {one.name: [score(data.truth, one.group(data.failures).groups) for data in systems] for one in rivals}

    def means() -> Iterator[list[str]]:
        for name, scores in met.items():
            shares = zip(*((one.accuracy, one.group_f1, one.pair_f1) for one in scores), strict=True)
            sums = (
                sum(one.groups for one in scores),
                sum(one.over for one in scores),
                sum(one.split for one in scores),
            )
            yield [name, *(f"{statistics.fmean(share):.3f}" for share in shares), *map(str, sums)]

    table(("method", "GA", "FGA", "PF", "groups", "false merges", "torn"), means())
    print("\nGA / FGA of each system:")
    table(
        ("system", *met),
        (
            [data.name, *(f"{one[place].accuracy:.2f} / {one[place].group_f1:.2f}" for one in met.values())]
            for place, data in enumerate(systems)
        ),
    )


def speed(texts: Sequence[Dataset], rivals: Sequence[Contender]) -> None:
    """Messages per CPU second without the start of the command: the best of some rounds, taken in turns."""
    print("\n## Speed: messages per CPU second, reading and writing JSON included, start not")
    best: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        for one in rivals:
            start = one.group(()).seconds
            for data in texts:
                spent = max(one.group(data.failures).seconds - start, 1e-6)
                best[one.name, data.name] = max(best.get((one.name, data.name), 0), len(data.failures) / spent)
    titles = [f"{data.name} ({len(data.failures)} rows)" for data in texts]
    table(
        ("method", *titles, f"beside {RIVAL}"),
        (
            [
                one.name,
                *(f"{best[one.name, data.name]:,.0f}" for data in texts),
                ", ".join(f"{best[one.name, data.name] / best[RIVAL, data.name]:.1f} ×" for data in texts),
            ]
            for one in rivals
        ),
    )


def in_some_order(number: int, seed: int) -> list[int]:
    """The positions of so many rows, shuffled, the same in every run."""
    order = list(range(number))
    Random(seed).shuffle(order)  # noqa: S311 - nothing secret
    return order


def shuffled(data: Dataset, whole: Answer, one: Contender) -> float:
    """The share of rows whose group depends on the order of the input: the worst of some orders."""
    worst = 0.0
    for seed in range(SHUFFLES):
        order = in_some_order(len(data.failures), seed)
        answer = one.group([data.failures[row] for row in order]).groups
        back = [""] * len(order)
        for place, row in enumerate(order):
            back[row] = answer[place]
        worst = max(worst, moved(whole.groups, back))
    return worst


def nights(data: Dataset, one: Contender) -> tuple[int, int, int, int]:
    """Half of the rows in one night, all of them in the next: patterns of the first, torn, joined, reworded."""
    failures = [data.failures[row] for row in in_some_order(len(data.failures), 0)]
    half = len(failures) // 2
    first, second = one.group(failures[:half]), one.group(failures)
    firsts = members(first.groups)
    reworded = sum(any(first.patterns[row] != second.patterns[row] for row in rows) for rows in firsts.values())
    return (
        len(firsts),
        torn(first.groups, second.groups[:half]),
        len(firsts) - len(set(second.groups[:half])),
        reworded,
    )


def stability(systems: Sequence[Dataset], rivals: Sequence[Contender]) -> None:
    """Whether order and time change anything, over all data sets together."""
    print("\n## Stability, all data sets together")

    def rows() -> Iterator[list[str]]:
        for one in rivals:
            shares = [shuffled(data, one.group(data.failures), one) * len(data.failures) for data in systems]
            share = sum(shares) / sum(len(data.failures) for data in systems)
            patterns, torn_ones, joined, reworded = map(sum, zip(*(nights(data, one) for data in systems), strict=True))
            yield [one.name, f"{share:.2%}", *map(str, (patterns, torn_ones, joined, reworded))]

    table(
        ("method", "rows that a shuffle regroups", "patterns of night 1", "torn in night 2", "joined", "reworded"),
        rows(),
    )


def cut(text: str) -> str:
    """A text on one short line."""
    line = " ⏎ ".join(text.split("\n"))
    return line if len(line) <= WIDTH else line[:WIDTH] + "…"


def mistakes(data: Dataset, answer: Answer) -> None:
    """Prints the false merges and the torn groups, with examples."""
    print(f"\n# {data.name}: {score(data.truth, answer.groups)}")
    for rows in members(answer.groups).values():
        if len(truths := {data.truth[row]: row for row in sorted(rows)}) > 1:
            print(f"\nFALSE MERGE of {len(truths)} causes, {len(rows)} rows: {cut(answer.patterns[min(rows)])!r}")
            for truth, row in truths.items():
                print(f"    {truth}: {cut(data.failures[row].error)!r}")
    for truth, rows in members(data.truth).items():
        if len(parts := {answer.groups[row]: row for row in sorted(rows)}) > 1:
            print(f"\nTORN into {len(parts)}, {len(rows)} rows: {truth}")
            for group, row in list(parts.items())[:SHOWN]:
                size = sum(answer.groups[one] == group for one in rows)
                framed = "with" if data.failures[row].traceback else "without"
                print(f"    {size} rows, {group}, {cut(answer.patterns[row])!r}")
                print(f"        {framed} traceback: {cut(data.failures[row].error)!r}")


def show(names: Sequence[str], systems: Sequence[Dataset]) -> None:
    """The mistakes of our own grouping in the named data sets."""
    known = {data.name: data for data in (own("dev"), *systems)}
    for name in names:
        if name not in known:
            raise SystemExit(f"{name}: not one of {', '.join(known)}")
        mistakes(known[name], ours().group(known[name].failures))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loghub", type=Path, metavar="FOLDER", help="CSV files with Content and EventTemplate")
    parser.add_argument("--show", nargs="+", default=(), metavar="NAME", help="dev, or systems of Loghub")
    parser.add_argument("--quick", action="store_true", help="only our own figures, without speed and stability")
    chosen = parser.parse_args()
    systems = loghub(chosen.loghub) if chosen.loghub else []
    if chosen.show:
        show(chosen.show, systems)
        return
    rivals = [ours()] if chosen.quick else contenders()
    print("## Own labelled failures")
    for part in PARTS:
        own_set(part, rivals)
    on_lines = [one for one in rivals if one.on_lines]
    if systems:
        lines(systems, on_lines)
    if not chosen.quick:
        every = tuple(failure for data in systems for failure in data.failures)
        texts = [more(ROWS_FOR_SPEED), *([Dataset("Loghub-2k", every, ())] if every else [])]
        speed(texts, rivals)
        stability([own("all"), *systems], on_lines)


if __name__ == "__main__":
    main()
