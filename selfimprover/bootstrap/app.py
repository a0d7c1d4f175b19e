"""The settings in force, and the real parts that are built from them. Heavy ones are imported when they are built."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from selfimprover import logs, redaction
from selfimprover.domain import Calendar, NightClock
from selfimprover.errors import BusyError, UsageError
from selfimprover.memory import file
from selfimprover.memory.backups import Backups
from selfimprover.memory.folder import StateFolder
from selfimprover.memory.ledger import Ledger
from selfimprover.settings import Llm, Project, Settings, load

if TYPE_CHECKING:
    from selfimprover.interfaces import Forge
    from selfimprover.memory.store import SqlMemory
    from selfimprover.telemetry.sqlite import SqliteSource
    from selfimprover.verification.choosing import Chosen

_LONGEST_KEY = 64_000
_FIRST_YEAR, _LAST_YEAR = 1980, 2200


@dataclass(frozen=True)
class App:
    """The settings in force, and what can be built from them."""

    settings: Settings
    file: Path

    @cached_property
    def folder(self) -> StateFolder:
        """The state folder; ``prepare`` it before writing. Raises ``UsageError`` where none can be told."""
        try:
            return StateFolder(self.settings.state_dir().absolute())
        except RuntimeError as error:  # neither HOME nor an entry in the list of users
            mend = 'write [state] dir = "…"'
            raise UsageError("this user has no home to keep it in", where="state folder", mend=mend) from error

    @cached_property
    def memory_url(self) -> str:
        """Where the memory is."""
        return self.settings.memory.url or file.url_of(self.folder.path / "memory.db")

    @property
    def memory_file(self) -> Path:
        """The memory's database file."""
        return file.path_of(self.memory_url)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of nights, quick to read."""
        return Ledger(self.memory_url)

    @cached_property
    def backups(self) -> Backups:
        """The backups of the memory."""
        return Backups(self.memory_file, self.folder.backups)

    @cached_property
    def calendar(self) -> Calendar:
        """Days of the configured time zone, else of the machine's."""
        return Calendar(self.settings.schedule.timezone or _machine_zone())

    @cached_property
    def clock(self) -> NightClock:
        """When nights are due."""
        schedule = self.settings.schedule
        return NightClock(time.fromisoformat(schedule.at), self.calendar.timezone, schedule.catch_up)

    def instant(self, text: str | None) -> datetime:
        """An ISO 8601 instant in UTC; without an offset it is local time of the schedule. Default: now."""
        if text is None:
            return datetime.now(UTC)
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            mend = "write an ISO 8601 instant such as 2026-02-16T00:17 or 2026-02-16T00:17:00Z"
            raise UsageError(f"{text!r} is no instant", where="--at", mend=mend) from error
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            mend = f"write a year from {_FIRST_YEAR} to {_LAST_YEAR}"
            raise UsageError(f"{text!r} is out of reach", where="--at", mend=mend)
        return (at if at.tzinfo else at.replace(tzinfo=self.calendar.timezone)).astimezone(UTC)

    def projects(self, name: str | None = None) -> tuple[Project, ...]:
        """The configured projects, or the one named; raises ``UsageError`` where there is none."""
        if not self.settings.projects:
            mend = "add a [[projects]] section; config.example.toml shows how"
            raise UsageError("there is no project in it", where=f"config {self.file}", mend=mend)
        chosen = tuple(project for project in self.settings.projects if name in {None, project.name})
        if not chosen:
            known = ", ".join(project.name for project in self.settings.projects)
            raise UsageError(f"there is no project named {name!r}", where="--project", mend=f"known: {known}")
        return chosen

    def redactor(self, key: bytes) -> redaction.Redactor:
        """Knows every secret of the configuration and of this process's environment."""
        return redaction.Redactor(key, [*self.secrets(), *redaction.secrets_in(os.environ)])

    def secrets(self) -> tuple[str, ...]:
        """Every secret of the configuration, the App's private key too; a file that cannot be read holds none."""
        file = self.settings.github.private_key_file
        if file is None:
            return self.settings.secrets()
        try:
            with file.open(encoding="utf-8", errors="replace") as opened:
                key = opened.read(_LONGEST_KEY)
        except OSError:  # whoever needs it says so
            key = ""
        return (*self.settings.secrets(), *redaction.secrets_of_key(key))

    def log(self, *, debug: bool, quiet: bool) -> None:
        """Sets up the logs; a digest of a secret in a log needs no key that lasts."""
        logs.set_up(self.redactor(os.urandom(16)), debug=debug, quiet=quiet)

    # --- a project's parts

    def telemetry(self, project: Project, redact: redaction.Redactor) -> "SqliteSource":
        """A project's task telemetry."""
        from selfimprover.telemetry.sqlite import SqliteSource

        source = project.telemetry
        return SqliteSource(
            project.name,
            source.path,
            redact=redact,
            table=source.table,
            columns=source.columns,
            failed=source.failed,
            timezone=source.timezone,
        )

    @asynccontextmanager
    async def forge(
        self, project: Project, redact: redaction.Redactor, *, read_only: bool = False
    ) -> "AsyncIterator[Forge]":
        """A project's repository and pull requests. The token of GitHub goes to it alone."""
        repository = project.repository
        if repository.forge == "github":
            from selfimprover.bootstrap import github

            async with github.forge(
                self.settings.github, repository, self.folder.trees, redact, read_only=read_only
            ) as forge:
                yield forge
            return
        from selfimprover.forges.local import LocalForge

        assert repository.path is not None
        author = self.settings.publish.author
        yield LocalForge(repository.path, base=repository.base, author=author, read_only=read_only)

    async def isolation(self, project: Project) -> "Chosen":
        """What a project's tests may run in, proven now: ask once for each night."""
        from selfimprover.verification.choosing import choose
        from selfimprover.verification.sandbox import Kind

        return await choose(Kind(project.verify.sandbox), image=project.verify.image or "")

    # --- the state

    @contextmanager
    def instance(self, role: str = "command") -> Iterator[None]:
        """This process as the one instance of the state folder."""
        self.folder.prepare()
        with self.folder.lock(role):
            yield

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The right to write a memory that is whole and has the newest schema, beside a daemon that waits."""
        self.folder.prepare()
        with self.folder.work(self.memory_file):
            self.make_ready()
            yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """Both."""
        with self.instance(), self.at_work():
            yield

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """``at_work`` for an event loop: it waits for its turn, and looks at the memory in a thread."""
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(self.folder.work(self.memory_file))
                except BusyError:
                    await asyncio.sleep(1)
                else:
                    break
            await asyncio.to_thread(self.make_ready)
            yield

    def make_ready(self) -> None:
        """Restores a memory that is damaged or gone from its newest good backup, and upgrades an older schema."""
        self.backups.recover(datetime.now(UTC))
        if not self._is_current():
            from selfimprover.memory import engine

            engine.ensure_schema(self.memory_url, self.folder.backups)

    def back_up(self, target: Path | None = None) -> Path:
        """A checked copy of the memory as it is now. Raises ``UsageError`` if there can be none."""
        try:
            return self.backups.make(datetime.now(UTC), target)
        except file.DamagedError as error:
            mend = "`selfimprover memory restore` puts the newest good backup in its place"
            raise UsageError(f"it is damaged: {error}", where=f"memory {self.memory_url}", mend=mend) from error

    @asynccontextmanager
    async def memory(self) -> AsyncIterator["SqlMemory"]:
        """The memory with the newest schema; an older one is upgraded first, which nobody else may be writing to."""
        from selfimprover.memory.store import SqlMemory

        if not self._is_current():
            with self.at_work():
                pass
        store = SqlMemory(self.memory_url)
        try:
            yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["SqlMemory"]:
        """The memory for a command that only reads: where this user may not write, a copy of it."""
        if os.access(self.folder.path, os.W_OK):
            async with self.memory() as memory:
                yield memory
            return
        with tempfile.TemporaryDirectory(prefix="selfimprover-") as name:
            async with self.on_a_copy(Path(name)).memory() as memory:
                yield memory

    def has_memory(self) -> bool:
        """Whether there is anything to read yet."""
        return file.current_revision(self.memory_url) is not None

    def on_a_copy(self, scratch: Path) -> "App":
        """The same over a copy of the memory, so that a dry run may write what nobody keeps."""
        from selfimprover.memory import engine

        copy = scratch / "memory.db"
        original = file.path_of(self.memory_url)
        if original.exists():
            try:
                file.copy(original, copy)
            except file.DamagedError as error:
                mend = "`selfimprover memory restore` puts a backup in its place"
                raise UsageError(f"it is damaged: {error}", where=f"memory {original}", mend=mend) from error
        url = file.url_of(copy)
        engine.ensure_schema(url, scratch)
        memory = self.settings.memory.model_copy(update={"url": url})
        return replace(self, settings=self.settings.model_copy(update={"memory": memory}))

    def with_model(self, llm: Llm) -> "App":
        """The same with this language model, which may be none, whatever the configuration says of one."""
        return replace(self, settings=self.settings.model_copy(update={"llm": llm}))

    def _is_current(self) -> bool:
        return file.current_revision(self.memory_url) == file.REVISIONS[-1]


def open_app(config: Path | None) -> App:
    """Loads the configuration; raises ``UsageError`` for anything wrong in it."""
    settings, found = load(config)
    return App(settings, found)


def _machine_zone() -> ZoneInfo:
    from tzlocal import get_localzone_name

    try:
        return ZoneInfo(get_localzone_name())
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
