"""Runs recorded tasks again: each must fail on the base as it did in production, and end well with the change.

The command is the project's own (``projects.verify.replay``). What a task was given comes on its standard input and is
never part of a command line: it is the text of strangers.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from selfimprover.domain import CUT_MARK, CheckStatus, Fingerprint, TaskRecord
from selfimprover.redaction import is_redacted
from selfimprover.verification.reproduction import Likeness, tracebacks
from selfimprover.verification.results import Run, count, plain

_MOST = 3
"""Tasks that are run again for one draft."""
_NOT_FOUND = (126, 127)

Rerun = Callable[[bytes], Awaitable[Run]]
"""Runs the command on one tree, with this on its standard input."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the replays of a draft show together; *skipped* judges nothing."""

    status: CheckStatus
    detail: str
    printed: str = ""
    """By the run on the patched tree that failed."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """How a run failed: as recorded, or with the error ``other``; neither where its output does not tell."""

    same: bool
    other: str = ""

    def __str__(self) -> str:
        return f"another error: {self.other}" if self.other else "an error that could not be compared"


async def replay(recorded: Sequence[TaskRecord], likeness: Likeness, on_base: Rerun, on_patched: Rerun) -> Shown:
    """Judges a draft by the tasks that can be run again, at most three of them; the first that fails decides."""
    tasks, useless = _usable(recorded)
    replayed: list[_Failure] = []
    for task in tasks:
        content = (task.input or "").encode("utf-8", "replace")
        wanted = likeness.recorded(task)
        base = await on_base(content)
        before = _failure(base, wanted, likeness)
        if before is None or (why := _base_problem(base, before)):
            useless.append(f"task {plain(task.id)} {why if before else 'does not fail on the base'}")
            continue
        patched = await on_patched(content)
        if fault := _patched_fault(base, before, patched, wanted, likeness):
            return Shown(CheckStatus.FAILED, f"the recorded task {plain(task.id)} {fault}", patched.printed)
        replayed.append(before)
    return _together(replayed, useless)


def _usable(recorded: Sequence[TaskRecord]) -> tuple[list[TaskRecord], list[str]]:
    """Tasks with different inputs, each as the task was given it, in their order; and why the others are none."""
    tasks: dict[str, TaskRecord] = {}
    useless: list[str] = []
    for task in recorded:
        if not task.input:
            useless.append(f"task {plain(task.id)} has no input")
        elif is_redacted(task.input):
            useless.append(f"the input of task {plain(task.id)} had something secret or personal in it, which is gone")
        elif CUT_MARK in task.input:
            useless.append(f"the input of task {plain(task.id)} is too long to have been kept whole")
        else:
            tasks.setdefault(task.input, task)
    return list(tasks.values())[:_MOST], useless


def _failure(run: Run, wanted: Fingerprint | None, likeness: Likeness) -> _Failure | None:
    """How a run failed; ``None`` if it ended well. With the task's own error in its output it failed at any status."""
    answers = _compared(run, wanted, likeness)
    if "" in answers:
        return _Failure(same=True)
    if run.status == 0:
        return None
    told = [answer for answer in answers if answer]
    return _Failure(same=False, other=told[-1] if told and len(told) == len(answers) else "")


def _compared(run: Run, wanted: Fingerprint | None, likeness: Likeness) -> list[str | None]:
    """What ``Likeness`` says of each error in the output: its tracebacks, else the line that it ends with."""
    traces = tracebacks(run.printed)
    if traces:
        return [_of_trace(trace, wanted, likeness) for trace in traces]
    lines = [line.strip() for line in run.printed.splitlines() if line.strip()]
    return [likeness.differs_by_message(line, wanted) for line in lines[-1:]]


def _of_trace(trace: str, wanted: Fingerprint | None, likeness: Likeness) -> str | None:
    """What is printed right after a traceback may belong to its message, or be the next line of a log."""
    short = likeness.differs(_to_its_error(trace), wanted)
    return short and likeness.differs(trace, wanted) and short


def _to_its_error(trace: str) -> str:
    head, *lines = trace.splitlines(keepends=True)
    ends = next((number for number, line in enumerate(lines) if not line[:1].isspace()), len(lines))
    return "".join([head, *lines[: ends + 1]])


def _base_problem(base: Run, failure: _Failure) -> str | None:
    """Why a task could not be replayed: then it says nothing of the draft."""
    if base.status is None:
        return "does not end on the base in time"
    if base.why:
        return f"was ended on the base by the limit on {base.why}"
    if base.status in _NOT_FOUND:
        return "did not begin: the command of projects.verify.replay was not found"
    return f"fails on the base with {failure}" if failure.other else None


def _patched_fault(
    base: Run, before: _Failure, patched: Run, wanted: Fingerprint | None, likeness: Likeness
) -> str | None:
    """How a task fails with the change; ``None`` if it ends well."""
    if patched.status is None:
        return "does not end on the patched tree in time"
    if patched.why:
        return f"is ended on the patched tree by the limit on {patched.why}"
    if patched.status == 0 and base.status != 0:
        return None  # the command tells by its status: what it prints may be an error that it got over
    after = _failure(patched, wanted, likeness)
    if after is None:
        news = set(_compared(patched, wanted, likeness)) - set(_compared(base, wanted, likeness)) - {None}
        return f"fails on the patched tree with another error: {min(map(str, news))}" if news else None
    if after.same:
        return "fails on the patched tree with the same error"
    return f"fails on the patched tree with {after}" if after.other or before.same else "fails on the patched tree too"


def _together(replayed: Sequence[_Failure], useless: Sequence[str]) -> Shown:
    but = "; ".join(useless[:_MOST])
    if not replayed:
        why = but or "none of the finding's tasks is of this project"
        return Shown(CheckStatus.SKIPPED, f"no recorded task could be replayed: {why}")
    how = "as recorded" if all(one.same for one in replayed) else "with an error that could not be compared"
    fails, ends = ("fails", "ends") if len(replayed) == 1 else ("fail", "end")
    said = f"{count(len(replayed), 'recorded task')} {fails} on the base {how} and {ends} well on the patched tree"
    return Shown(CheckStatus.PASSED, f"{said}; {but}" if but else said)
