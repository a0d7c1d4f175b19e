"""The results of several cases as a table and as one JSON document."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.repair.judging import Status
from benchmarks.repair.playing import Result, Use

_COLUMNS = ("case", "status", "right", "drafter", "rounds", "calls", "prompt", "cached", "completion", "cost, $", "s")
_COUNTED = (Status.RESOLVED, Status.PLAUSIBLE, Status.PARKED, Status.WRONG, Status.FAILED)


def summed(results: Sequence[Result]) -> Use:
    """The use of the model over all cases; a cost only where one is known."""
    uses = [result.use for result in results]
    costs = [use.cost_usd for use in uses if use.cost_usd is not None]
    return Use(
        calls=sum(use.calls for use in uses),
        prompt_tokens=sum(use.prompt_tokens for use in uses),
        cached_tokens=sum(use.cached_tokens for use in uses),
        completion_tokens=sum(use.completion_tokens for use in uses),
        cost_usd=sum(costs) if costs else None,
    )


def document(results: Sequence[Result], model: str | None) -> dict[str, Any]:
    """Everything, for a program."""
    return {
        "model": model,
        "cases": [asdict(result) for result in results],
        "sum": {**_counts(results), **asdict(summed(results)), "seconds": _seconds(results)},
    }


def markdown(results: Sequence[Result], model: str | None) -> str:
    """A table with a line a case and their sum, and below it why each that is not resolved is not."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    for one in results:
        right = "yes" if one.right else "no"
        lines.append(_line(one.name, one.status, right, one.drafter, one.rounds or "", *_used(one.use), one.seconds))
    counts = _counts(results)
    told = ", ".join(f"{counts[name]} {name}" for name in _COUNTED if counts[name] or name is not Status.FAILED)
    total = f"{counts['right']} of {len(results)}"
    lines.append(_line("sum", told, total, "", "", *_used(summed(results)), _seconds(results)))
    whys = [f"- {one.name} ({one.state or one.status}): {_whole(one)}" for one in results if one.reason or one.errors]
    return "\n".join([f"model: {model or 'none, so recipes alone drafted'}", "", *lines, "", *whys])


def _whole(one: Result) -> str:
    return "; ".join(part for part in (one.reason, *one.errors) if part)


def _counts(results: Sequence[Result]) -> dict[str, int]:
    statuses = Counter(result.status for result in results)
    return {**{str(status): statuses[status] for status in _COUNTED}, "right": sum(one.right for one in results)}


def _seconds(results: Sequence[Result]) -> float:
    return round(sum(result.seconds for result in results), 1)


def _used(use: Use) -> tuple[object, ...]:
    cost = "" if use.cost_usd is None else f"{use.cost_usd:.4f}"
    return use.calls, use.prompt_tokens, use.cached_tokens, use.completion_tokens, cost


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
