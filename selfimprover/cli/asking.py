"""Questions to a person on the terminal, each with what was found as its answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import typer

from selfimprover.cli.handler import INTERRUPTED, say
from selfimprover.errors import UsageError
from selfimprover.reporting.safe import one_line

_Settled = TypeVar("_Settled")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a configuration has to say."""

    text: str
    flag: str
    """The option that answers it."""
    given: str | None
    """What that option says."""
    found: str | None
    missing: str
    """What to say where nothing was found and nobody can be asked."""
    mend: str = ""
    """How to help it, if not by the flag alone."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks, if there is a person; else takes what was found."""

    person: bool

    def settle(self, question: Question, settled: Callable[[str], _Settled]) -> _Settled:
        """What ``settled`` makes of the flag, the person's answer or the finding.

        ``settled`` raises ``UsageError`` for a wrong answer; a person is then asked again.
        """
        if question.given is not None:
            return settled(question.given)
        if not self.person:
            if question.found is None:
                raise UsageError(question.missing, mend=question.mend or f"give it with {question.flag}")
            return settled(question.found)
        while True:
            try:
                return settled(_answer(question))
            except UsageError as error:
                say(one_line(str(error), 1_000))

    def agreed(self, text: str, *, flag: bool) -> bool:
        """Whether the flag or the person says yes; without a person only the flag can."""
        if flag or not self.person:
            return flag
        try:
            return typer.confirm(text, default=False, err=True)
        except typer.Abort:
            raise _interrupted() from None


def _answer(question: Question) -> str:
    """The default is shown without what could act on the terminal, and taken as it is."""
    shown = f" [{one_line(question.found, 1_000)}]" if question.found else ""
    try:
        return str(typer.prompt(question.text + shown, default=question.found, show_default=False, err=True))
    except typer.Abort:
        raise _interrupted() from None


def _interrupted() -> typer.Exit:
    say("\nselfimprover: interrupted; nothing was written")
    return typer.Exit(INTERRUPTED)
