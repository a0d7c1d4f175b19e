"""``selfimprover findings``: the findings and their life."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from selfimprover.cli.handler import handled, run, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption, JsonOption
from selfimprover.domain import CaseFile, ModelCall, State
from selfimprover.errors import UsageError

if TYPE_CHECKING:
    from selfimprover.bootstrap import App


group = typer.Typer(no_args_is_help=True, help="The findings and their life.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A finding id, or the beginning of one.")]

DISMISSIBLE = frozenset(State) - {State.PUSHED, State.OPEN, State.MERGED, State.CLOSED, State.DISMISSED}
"""The states in which a finding has no pull request that somebody is to decide on, or has decided on."""


@group.command("list")
@handled
def list_all(as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """List every finding, most frequent first."""
    from rich.console import Console

    from selfimprover.reporting.case_view import cases_table
    from selfimprover.reporting.documents import case_document
    from selfimprover.reporting.terminal import print_table

    cases = run(cases_of(open_app(config)))
    if as_json:
        typer.echo(json.dumps([case_document(case) for case in cases], indent=2, ensure_ascii=False))
    elif cases:
        print_table(Console(), cases_table(cases))
    else:
        say("no findings yet")


@group.command()
@handled
def show(
    finding: IdArgument,
    prompt: Annotated[bool, typer.Option("--prompt", help="Only what the language model was sent, exactly.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Show a finding: its evidence, what people said, the query behind each number, and the diff."""
    from rich.console import Console

    from selfimprover.reporting.case_view import print_case
    from selfimprover.reporting.documents import case_document

    app = open_app(config)
    case = pick(run(cases_of(app)), finding)
    if prompt:
        from selfimprover.cli.prompts import print_calls

        print_calls(run(_calls(app, case.finding.id)), as_json=as_json)
        return
    entries = run(_evidence(app, case.finding.id))
    if as_json:
        document = {**case_document(case, details=True), "evidence": entries}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print_case(Console(), case, entries, app.calendar.timezone)


@group.command()
@handled
def publish(
    finding: IdArgument, as_json: JsonOption = False, config: ConfigOption = None, debug: DebugOption = False
) -> None:
    """Open the pull request of a proven finding that observe mode holds back; a base that moved is proven anew.

    A finding whose pull request was closed is drafted and proven once more, if it was seen again since.
    """
    from selfimprover.reporting.documents import case_document

    app = open_app(config)
    app.log(debug=debug, quiet=sys.stderr.isatty())
    with app.at_work():
        case = run(_publish(app, pick(run(cases_of(app)), finding)))
    if as_json:
        typer.echo(json.dumps(case_document(case), indent=2, ensure_ascii=False))
    else:
        say(f"finding {case.finding.id}: {case.reason}")
    if case.state is not State.OPEN:
        raise typer.Exit(1)


@group.command()
@handled
def dismiss(
    finding: IdArgument,
    reason: Annotated[str, typer.Option(help="Why; it is kept as evidence.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Leave a finding alone for good."""
    from selfimprover.reporting.documents import case_document

    app = open_app(config)
    if not reason.strip():
        raise UsageError("the reason is empty", where="--reason", mend="say in a few words why")
    with app.at_work():
        case = run(_dismiss(app, pick(run(cases_of(app)), finding), reason.strip()))
    if as_json:
        typer.echo(json.dumps(case_document(case), indent=2, ensure_ascii=False))
    else:
        say(f"finding {case.finding.id} is dismissed")


async def cases_of(app: "App") -> Sequence[CaseFile]:
    """All findings; none where there is no memory yet."""
    if not app.has_memory():
        return ()
    async with app.reading() as memory:
        return await memory.cases()


async def _evidence(app: "App", finding_id: str) -> list[dict[str, object]]:
    async with app.reading() as memory:
        entries = [json.loads(line) async for line in memory.export()]
    return [entry for entry in entries if entry["metadata"].get("finding") == finding_id]


async def _calls(app: "App", finding_id: str) -> Sequence[ModelCall]:
    async with app.reading() as memory:
        return await memory.calls_of(finding_id)


def pick(cases: Sequence[CaseFile], prefix: str) -> CaseFile:
    """The one finding whose id begins so; raises ``UsageError``."""
    matching = [case for case in cases if case.finding.id.startswith(prefix.lower())]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise UsageError(f"there is no finding {prefix!r}", mend="`selfimprover findings list` shows them")
    ids = ", ".join(case.finding.id for case in matching)
    raise UsageError(f"{prefix!r} could be any of {ids}", mend="give more of the id")


async def _publish(app: "App", case: CaseFile) -> CaseFile:
    from selfimprover.bootstrap import nights
    from selfimprover.night import Mode, may_try_again, publish_one, try_again, was_refused

    publishable = case.state in {State.VERIFIED, State.PUSHED} or was_refused(case) or _wanted_unproven(app, case)
    if not publishable and not may_try_again(case):
        raise UsageError(
            f"it is {case.state} ({case.reason}), so there is no proven fix to publish",
            where=f"finding {case.finding.id}",
            mend="`selfimprover findings show` tells its life",
        )
    mode = Mode.READY if app.settings.publish.mode == "observe" else None
    async with nights.night(app, project=case.project, mode=mode) as (_night, parts, (project,)):
        now = datetime.now(UTC)
        if case.state is State.CLOSED:
            case = await try_again(parts, case, now)
        return await publish_one(parts, project, case, now)


def _wanted_unproven(app: "App", case: CaseFile) -> bool:
    """Whether nothing could be run for its draft, and its project wants that published all the same."""
    unproven = case.state is State.DRAFTED and case.verdict is not None and case.verdict.unproven
    return unproven and any(
        project.verify.publish_unverified for project in app.projects() if project.name == case.project
    )


async def _dismiss(app: "App", case: CaseFile, reason: str) -> CaseFile:
    from selfimprover.night import dismissal

    if case.state not in DISMISSIBLE:
        raise UsageError(
            f"it is {case.state}: {case.reason}",
            where=f"finding {case.finding.id}",
            mend="only an open pull request is still to decide: close it, and it is never opened again",
        )
    now = datetime.now(UTC)
    async with app.memory() as memory:
        return await memory.move(dismissal(case, reason, app.calendar.day_of(now).isoformat(), now))
