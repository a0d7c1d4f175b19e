"""``selfimprover findings split`` and ``join``: what a person knows better than the grouping."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from selfimprover.cli.findings import DISMISSIBLE, IdArgument, cases_of, pick
from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption
from selfimprover.domain import CaseFile, State
from selfimprover.errors import UsageError

if TYPE_CHECKING:
    from selfimprover.bootstrap import App

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept as evidence.")]


@handled
def split(
    finding: IdArgument,
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="One that `show` names, or its beginning.")],
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Take errors out of a finding that are another cause; they are found by themselves from the next night on."""
    app = open_app(config)
    with app.at_work():
        case = run(_split(app, pick(run(cases_of(app)), finding), fingerprint.lower(), reason.strip()))
    _told(case, as_json=as_json, text=f"finding {case.finding.id} no longer means fingerprint {fingerprint}")


@handled
def join(
    finding: IdArgument,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The finding that is to go into it.")],
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Let a finding mean the errors of another as well, which is the same cause; the other ends."""
    app = open_app(config)
    with app.at_work():
        cases = run(cases_of(app))
        case = run(_join(app, pick(cases, finding), pick(cases, other), reason.strip()))
    _told(case, as_json=as_json, text=f"finding {case.finding.id} now means the errors of the other as well")


def _told(case: CaseFile, *, as_json: bool, text: str) -> None:
    from selfimprover.reporting.documents import case_document

    if as_json:
        typer.echo(json.dumps(case_document(case, details=True), indent=2, ensure_ascii=False))
    else:
        say(text)


async def _split(app: "App", case: CaseFile, prefix: str, reason: str) -> CaseFile:
    from selfimprover.night import splitting

    where = f"finding {case.finding.id}"
    matching = [value for value in case.fingerprints if value.startswith(prefix)]
    if len(matching) != 1:
        known = ", ".join(case.fingerprints)
        raise UsageError(f"{prefix!r} is not one of its fingerprints: {known}", where=where, mend="name one of them")
    if matching[0].startswith(case.finding.id):
        mend = "take the others out of it"
        raise UsageError(f"{matching[0]} is the one that it is named after", where=where, mend=mend)
    now = datetime.now(UTC)
    entry = splitting(case, matching[0], reason or "no reason given", app.calendar.day_of(now).isoformat(), now)
    async with app.memory() as memory:
        await memory.split(matching[0], now, entry)
        return await memory.case(case.finding.id) or case


async def _join(app: "App", case: CaseFile, other: CaseFile, reason: str) -> CaseFile:
    from selfimprover.night import joining

    if case.finding.id == other.finding.id:
        raise UsageError("a finding cannot be joined to itself", where=f"finding {case.finding.id}")
    if other.state not in DISMISSIBLE | {State.GONE}:
        raise UsageError(
            f"it is {other.state}: {other.reason}",
            where=f"finding {other.finding.id}",
            mend="a finding with a pull request keeps its own life; join the other way round",
        )
    now = datetime.now(UTC)
    why = f"joined by a person: {reason or 'no reason given'}"
    step = joining(other, case, reason or "no reason given", app.calendar.day_of(now).isoformat(), now)
    async with app.memory() as memory:
        await memory.join(other.finding.id, case.finding.id, why, step)
        return await memory.case(case.finding.id) or case
