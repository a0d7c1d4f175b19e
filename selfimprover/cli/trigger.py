"""``selfimprover trigger``: asks the running daemon for a night now."""

import os
import signal
import time
from typing import TYPE_CHECKING, Annotated

import typer

from selfimprover.cli.handler import handled, say
from selfimprover.cli.opening import open_app
from selfimprover.cli.options import ConfigOption, DebugOption
from selfimprover.errors import SelfImproverError

if TYPE_CHECKING:
    from selfimprover.domain import DaemonState
    from selfimprover.memory.folder import Holder, StateFolder

_LOOK_EVERY = 0.2


@handled
def trigger(
    wait: Annotated[bool, typer.Option("--wait", help="Wait until that night has ended.")] = False,
    config: ConfigOption = None,
    debug: DebugOption = False,  # noqa: ARG001  (read by the handler)
) -> None:
    """Ask the running daemon for a night now, by SIGUSR1; during a night, for one more afterwards."""
    folder = open_app(config).folder
    daemon = _daemon(folder)
    asked = time.monotonic()
    _signal(daemon.pid)
    if not wait:
        say(f"asked the daemon (process {daemon.pid}) for a night; `selfimprover status` tells")
        return
    trouble = _await(folder, daemon.pid, asked)
    if trouble is not None:
        raise SelfImproverError(trouble, where="night", mend="the log of the daemon says more")
    say("the night has ended; `selfimprover report` shows it")


def _daemon(folder: "StateFolder") -> "Holder":
    from selfimprover.memory.folder import DAEMON

    holder = folder.holder()
    where = f"state folder {folder.path}"
    if holder is None or holder.role != DAEMON:
        mend = "start it with `selfimprover run`, or hold a night yourself with `selfimprover night`"
        raise SelfImproverError("no daemon holds it", where=where, mend=mend)
    if not folder.is_held_by(holder.pid):
        mend = "ask it from inside its own container, as its own user: `selfimprover trigger`, or send it SIGUSR1"
        what = f"its daemon (process {holder.pid}) cannot be reached from here"
        raise SelfImproverError(what, where=where, mend=mend)
    return holder


def _signal(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGUSR1)
    except OSError as error:
        mend = "run this as the user of the daemon"
        what = f"it cannot be signalled: {error.strerror}"
        raise SelfImproverError(what, where=f"process {pid}", mend=mend) from error


def _is_over(state: "DaemonState", asked: float) -> bool:
    began, over = state.night_began or 0.0, state.night_over or 0.0
    return over >= began >= asked


def _await(folder: "StateFolder", pid: int, asked: float) -> str | None:
    """Waits for the end of a night that began after it was asked for, and returns what went wrong with it."""
    while True:
        if not folder.can_be_written():
            return "whether it ended cannot be told: the state folder cannot be written"
        holder, state = folder.holder(), folder.read_state()
        if holder is None or holder.pid != pid:
            return "the daemon ended before its night did"
        if state is not None and state.pid == pid and _is_over(state, asked):
            return state.trouble
        time.sleep(_LOOK_EVERY)
