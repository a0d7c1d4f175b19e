"""The one error handler: whatever goes wrong becomes one clear line on stderr and the exit code of the contract."""

import asyncio
import functools
import signal
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import typer

from selfimprover.cli import secrets
from selfimprover.errors import SelfImproverError

P = ParamSpec("P")
T = TypeVar("T")

UNEXPECTED = 3
INTERRUPTED = 130


def handled(command: Callable[P, None]) -> Callable[P, None]:
    """Wraps a command; ``--debug`` adds the traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _set_up_logs(debug=bool(kwargs.get("debug")))
            command(*args, **kwargs)
        except SelfImproverError as error:
            _tell(_line(error), kwargs)
            raise typer.Exit(error.exit_code) from None
        except (KeyboardInterrupt, asyncio.CancelledError):
            _tell("interrupted; what was done so far is kept, the next night goes on from there", kwargs)
            raise typer.Exit(INTERRUPTED) from None
        except (typer.Exit, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001  (the last resort of the command line)
            _tell(f"unexpected {type(error).__name__}: {error} (run it again with --debug and report this)", kwargs)
            raise typer.Exit(UNEXPECTED) from None

    return run


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine; SIGINT and SIGTERM cancel it, so that children are ended and the journal stays whole."""

    async def guarded() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await coroutine

    return asyncio.run(guarded())


def say(message: str) -> None:
    """A line for the person, on stderr."""
    typer.echo(message, err=True)


def _set_up_logs(*, debug: bool) -> None:
    """Warnings on stderr for every command; those that have a night in them say more, once they know the secrets."""
    from selfimprover import logs

    secrets.forget()
    logs.set_up(secrets.hide, debug=debug, quiet=True)


def _line(error: SelfImproverError) -> str:
    mend = f" → {error.mend}" if error.mend else ""
    where = f"{error.where}: " if error.where else ""
    return f"{where}{error.what}{mend}"


def _tell(message: str, kwargs: dict[str, Any]) -> None:
    """Whatever it is, it is said on one line and without the secrets that this process knows."""
    if kwargs.get("debug"):
        say(secrets.hide(traceback.format_exc()))
    say(secrets.hide(" ".join(f"selfimprover: {message}".split())))
