"""What the daemon does, over an application: implements ``interfaces.Duties``."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from selfimprover.analyzers import registry
from selfimprover.bootstrap import App, open_app
from selfimprover.checkup import examine_app
from selfimprover.domain import DaemonState, Due, Examined, LedgerNight, NightClock, NightReport
from selfimprover.errors import UsageError
from selfimprover.memory.folder import StateFolder
from selfimprover.reporting.words import counted


class AppDuties:
    """The duties under one configuration; ``reloaded`` gives those under the next."""

    def __init__(self, app: App, *, asked_for: Path | None, debug: bool, folder: StateFolder | None = None) -> None:
        """``asked_for`` is the file that the person named, if any: where to look again; ``folder`` the one in hand."""
        self._app = app
        self._folder = folder or app.folder
        self._asked_for = asked_for
        self._debug = debug
        app.log(debug=debug, quiet=False)

    @property
    def clock(self) -> NightClock:
        """When nights are due."""
        return self._app.clock

    @property
    def config(self) -> str:
        """The file that the configuration came from."""
        return str(self._app.file.absolute())

    def is_the_instance(self) -> bool:
        """Whether this process still holds the state folder, as others see it."""
        return self._folder.is_still_locked()

    async def prepare(self) -> None:
        """Makes the memory usable; raises ``SelfImproverError`` if it cannot be."""
        async with self._app.working():
            pass

    async def examine(self) -> Sequence[Examined]:
        """Looks at every part of the configuration."""
        return await examine_app(self._app)

    def reloaded(self) -> "AppDuties":
        """The same under the configuration as it is now; raises ``UsageError`` if it is wrong."""
        try:
            app = open_app(self._asked_for)
            app.projects()
            registry.load(app.settings.analyzers.enabled, app.settings.analyzers.options())
        except (ValueError, RecursionError, OSError) as error:  # wrong in a way that nobody foresaw
            raise UsageError(f"it cannot be used: {type(error).__name__}", where="the configuration") from error
        if app.folder.path != self._app.folder.path or app.memory_url != self._app.memory_url:
            raise UsageError(
                "the state folder or the memory is another one now",
                where=f"config {app.file}",
                mend="restart the daemon instead: it holds the old one",
            )
        return AppDuties(app, asked_for=self._asked_for, debug=self._debug, folder=self._folder)

    def is_settled(self, due: Due) -> bool:
        """Whether a night of the ledger stands in for the due one."""
        return self._app.ledger.is_settled(due.day)

    def unfinished(self) -> Sequence[LedgerNight]:
        """The nights that were begun and did not end, newest first."""
        return self._app.ledger.unfinished()

    async def abandon(self, key: str) -> None:
        """Gives an unfinished night up."""
        async with self._app.working(), self._app.memory() as memory:
            await memory.abandon_night(key)

    async def hold(
        self, at: datetime, due: Due | None, stop_requested: Callable[[], bool], resume: str | None = None
    ) -> NightReport:
        """A whole night, with the backup before and the news after."""
        from selfimprover.bootstrap import nights

        return await nights.hold(self._app, at, due=due, resume=resume, stop_requested=stop_requested)

    async def follow(self) -> None:
        """Looks at the night's pull requests until their checks have ended."""
        from selfimprover.bootstrap.following import follow

        await follow(self._app)

    def last_night(self) -> str | None:
        """What the last night that ended came to: "2 findings, 1 pull request"."""
        night = self._app.ledger.last_ended()
        if night is None:
            return None
        parts = [counted(night.findings, "finding"), counted(night.pull_requests, "pull request")]
        parts += [counted(night.errors, "error")] if night.errors else []
        return ", ".join(parts)

    def publish_state(self, state: DaemonState) -> None:
        """Lets ``status`` know; raises ``OSError`` if that cannot be written."""
        self._app.folder.write_state(state)
