"""Makes the rows of a cause: the same in every run, on every machine."""

from dataclasses import dataclass
from random import Random

from tests.agent_failures.causes import Cause
from tests.agent_failures.frames import ENTRIES, HEADER, expanded
from tests.agent_failures.machines import INSTALLATIONS, PYTHONS, Machine
from tests.agent_failures.recording import (
    CUT_OFF,
    SHORT_TYPE,
    THROUGH_A_LOG,
    WITHOUT_TRACEBACK,
    Failure,
    cut_off,
    through_a_log,
)
from tests.agent_failures.values import Values


@dataclass(frozen=True)
class Row:
    """A failure, and the cause that it has."""

    label: str
    failure: Failure


@dataclass(frozen=True)
class Shown:
    """A failure before an assistant has recorded it."""

    type: str
    message: str
    traceback: str | None


def titled(name: str, message: str) -> str:
    """The last line of a traceback."""
    return ": ".join(part for part in (name, message) if part)


def shown(cause: Cause, random: Random) -> Shown:
    """One occurrence of the cause, on some machine."""
    minor = random.choice([one for one in PYTHONS if one >= cause.since])
    machine = Machine.number(random.randrange(len(INSTALLATIONS)), minor)
    values = Values(random, {"root": machine.root, "site": machine.site, "std": machine.std})
    entry = random.randrange(len(ENTRIES))

    def written(template: str) -> str:
        return expanded(values.fill(template.strip("\n")), machine, values.drift, entry)

    if cause.errors:
        number = random.randrange(len(cause.errors))
        error = values.fill(cause.errors[number])
        return Shown("", error, written(cause.tracebacks[number]) if cause.tracebacks else None)
    message = values.fill(random.choice(cause.messages).strip("\n"))
    if not cause.places:
        return Shown(cause.type, message, None)
    frames = "\n".join(one if one.startswith("= ") else f"@ {one}" for one in ("entry", *random.choice(cause.places)))
    above = written(cause.before) + "\n\n" if cause.before else ""
    last = titled(cause.type, message) + (cause.hint if minor >= cause.hint_since else "")
    return Shown(cause.type, message, f"{above}{HEADER}\n{written(frames)}\n{last}")


def recorded(cause: Cause, one: Shown, random: Random) -> Failure:
    """What the assistant of this cause writes down."""
    short = one.type.rpartition(".")[2]
    typed = titled(short if random.random() < SHORT_TYPE else one.type, one.message)
    quoted = f"{short}({one.message!r})" if one.message else f"{short}()"
    error = {"typed": typed, "whole": typed, "message": one.message, "repr": quoted}[cause.form]
    failure = Failure(error, one.traceback)
    if not cause.always_traceback and random.random() < WITHOUT_TRACEBACK:
        failure = Failure(error, None)
    elif not (cause.plain or cause.always_traceback or cause.form == "whole") and random.random() < CUT_OFF:
        failure = cut_off(failure, random)
    if cause.form == "whole" and failure.traceback is not None:
        failure = Failure(failure.traceback, None)
    if not cause.plain and random.random() < THROUGH_A_LOG:
        failure = Failure(through_a_log(failure.error, random), failure.traceback)
    return failure


def rows_of(cause: Cause, wanted: int = 0) -> list[Row]:
    """The rows of the cause, or so many of them: between 5 and 16, if nobody says how many."""
    number = wanted or cause.rows or Random(cause.label).randint(5, 16)
    rows = []
    for position in range(number):
        random = Random(f"{cause.label}/{position}")
        rows.append(Row(cause.label, recorded(cause, shown(cause, random), random)))
    return rows
