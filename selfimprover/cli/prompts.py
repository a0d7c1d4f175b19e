"""``selfimprover findings show --prompt``: what the language model was sent about a finding, to the letter."""

import json
from collections.abc import Sequence

import typer

from selfimprover.cli.handler import say
from selfimprover.domain import ModelCall, iso


def print_calls(calls: Sequence[ModelCall], *, as_json: bool) -> None:
    """Every call in its order; the answers as well in JSON, escaped, for nobody has made them harmless."""
    if as_json:
        typer.echo(json.dumps([_document(call) for call in calls], indent=2))
        return
    if not calls:
        say("the language model was asked nothing about it")
    for number, call in enumerate(calls, 1):
        typer.echo(f"# {number}: {_headline(call)}")
        typer.echo(call.request or "(not kept any more: the finding is at an end)")


def _headline(call: ModelCall) -> str:
    about = "about " if call.usage.estimated else ""
    tokens = f"{about}{call.usage.prompt} + {call.usage.completion} tokens"
    cost = "" if call.cost is None else f", ${call.cost:.4f}"
    return f"{iso(call.at)}, night {call.night}, {call.outcome}, {tokens}{cost}"


def _document(call: ModelCall) -> dict[str, object]:
    usage = call.usage
    return {
        "at": iso(call.at),
        "night": call.night,
        "outcome": call.outcome,
        "request_hash": call.request_hash,
        "request": call.request,
        "answer": call.answer,
        "prompt_tokens": usage.prompt,
        "cached_tokens": usage.cached,
        "completion_tokens": usage.completion,
        "estimated": usage.estimated,
        "cost_usd": None if call.cost is None else float(call.cost),
    }
