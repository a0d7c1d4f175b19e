"""The composition root: the only place that builds real objects from the settings."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError

from selfimprover import logs, redaction, triage
from selfimprover.analyzers import registry
from selfimprover.domain import Calendar
from selfimprover.drafting.drafter import recipe_drafters
from selfimprover.errors import UsageError
from selfimprover.forges.local import LocalForge
from selfimprover.interfaces import Progress
from selfimprover.memory import engine
from selfimprover.memory.folder import StateFolder
from selfimprover.memory.store import SqlMemory, memory_file
from selfimprover.night import Limits, Mode, Night, NightParts, ProjectParts, Publishing
from selfimprover.outcomes.tracker import Tracker
from selfimprover.patterns.fingerprints import CachedFingerprinter, ErrorFingerprinter
from selfimprover.reporting import pull_request
from selfimprover.settings import Project, Settings, load
from selfimprover.telemetry.sqlite import SqliteSource
from selfimprover.verification.confidence import confidence
from selfimprover.verification.verifier import TreeVerifier

_FIRST_YEAR, _LAST_YEAR = 1980, 2200


def silent(step: str, detail: str = "") -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class App:
    """The settings in force, and what can be built from them."""

    settings: Settings
    file: Path

    @cached_property
    def folder(self) -> StateFolder:
        """The state folder; ``prepare`` it before writing."""
        return StateFolder(self.settings.state_dir().absolute())

    @cached_property
    def memory_url(self) -> str:
        """Where the memory is."""
        return self.settings.memory.url or memory_file(self.folder.path)

    @cached_property
    def calendar(self) -> Calendar:
        """Days of the configured time zone, else of the machine's."""
        return Calendar(self.settings.schedule.timezone or _machine_zone())

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
        return redaction.Redactor(key, [*self.settings.secrets(), *redaction.secrets_in(os.environ)])

    def log(self, *, debug: bool, quiet: bool) -> None:
        """Sets up the logs; a digest of a secret in a log needs no key that lasts."""
        logs.set_up(self.redactor(os.urandom(16)), debug=debug, quiet=quiet)

    def telemetry(self, project: Project, redact: redaction.Redactor) -> SqliteSource:
        """A project's task telemetry."""
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

    def forge(self, project: Project, *, read_only: bool = False) -> LocalForge:
        """A project's repository and pull requests. Raises ``UsageError`` for a forge that this version lacks."""
        repository = project.repository
        if repository.forge != "local" or repository.path is None:
            raise UsageError(
                'this version has only forge = "local"',
                where=f"config {self.file}: project {project.name}",
                mend='point it at a clone on this machine: forge = "local"  path = "…"',
            )
        author = self.settings.publish.author
        return LocalForge(repository.path, base=repository.base, author=author, read_only=read_only)

    def verifier(self, project: Project) -> TreeVerifier:
        """How a project's drafts are proven."""
        return TreeVerifier(
            project.verify.test,
            timeout=project.verify.timeout.total_seconds(),
            memory=project.verify.memory,
            sandbox=project.verify.sandbox,
            expose=project.verify.expose,
            allow=project.fix.paths,
            deny=project.fix.deny,
        )

    @asynccontextmanager
    async def memory(self) -> AsyncIterator[SqlMemory]:
        """The memory with the newest schema; an older one is upgraded first, which nobody else may be writing to."""
        if engine.current_revision(self.memory_url) != engine.REVISIONS[-1]:
            with self.held():
                pass
        store = SqlMemory(self.memory_url)
        try:
            yield store
        except DBAPIError as error:
            mend = "make room or give back the right to write there; what was committed is kept, run it again"
            raise UsageError(str(error.orig), where=f"memory {self.memory_url}", mend=mend) from error
        finally:
            await store.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlMemory]:
        """The memory for a command that only reads: where this user may not write, a copy of it."""
        if os.access(self.folder.path, os.W_OK):
            async with self.memory() as memory:
                yield memory
            return
        with tempfile.TemporaryDirectory(prefix="selfimprover-") as name:
            async with self._on_a_copy(Path(name)).memory() as memory:
                yield memory

    def has_memory(self) -> bool:
        """Whether there is anything to read yet."""
        return engine.current_revision(self.memory_url) is not None

    @contextmanager
    def held(self) -> Iterator[None]:
        """This process as the only one that writes the state, whose memory has the newest schema."""
        self.folder.prepare()
        with self.folder.lock():
            engine.ensure_schema(self.memory_url, self.folder.backups)
            yield

    @asynccontextmanager
    async def night(
        self,
        *,
        project: str | None = None,
        dry_run: bool = False,
        progress: Progress = silent,
        mode: Mode | None = None,
    ) -> AsyncIterator[tuple[Night, NightParts, tuple[ProjectParts, ...]]]:
        """A night over all projects, or one. A dry run works on a copy of the memory and reads everything else."""
        with tempfile.TemporaryDirectory(prefix="selfimprover-") as name:
            scratch = Path(name)
            app = self._on_a_copy(scratch) if dry_run else self
            redact = self.redactor(os.urandom(32) if dry_run else self.folder.redaction_key())
            projects = tuple(self._project(one, redact, dry_run=dry_run) for one in self.projects(project))
            (scratch / "trees").mkdir()
            async with app.memory() as memory:
                parts = self._parts(memory, redact, progress, scratch / "trees", mode)
                yield Night(parts, projects), parts, projects

    def _on_a_copy(self, scratch: Path) -> "App":
        """The same over a copy of the memory, so that a dry run may write what nobody keeps."""
        copy = scratch / "memory.db"
        original = engine.sqlite_path(self.memory_url)
        if original is not None and original.exists():
            engine.backup(original, copy)
        url = f"sqlite:///{copy}"
        engine.ensure_schema(url, scratch)
        memory = self.settings.memory.model_copy(update={"url": url})
        return replace(self, settings=self.settings.model_copy(update={"memory": memory}))

    def _project(self, project: Project, redact: redaction.Redactor, *, dry_run: bool) -> ProjectParts:
        return ProjectParts(
            name=project.name,
            telemetry=self.telemetry(project, redact),
            forge=self.forge(project, read_only=dry_run),
            drafters=recipe_drafters(),
            verifier=self.verifier(project),
        )

    def _parts(
        self, memory: SqlMemory, redact: redaction.Redactor, progress: Progress, scratch: Path, mode: Mode | None
    ) -> NightParts:
        publish, limits, chosen = self.settings.publish, self.settings.limits, self.settings.analyzers
        return NightParts(
            memory=memory,
            analyzers=registry.load(chosen.enabled, chosen.options()),
            fingerprinter=CachedFingerprinter(ErrorFingerprinter()),
            triage=triage.Policy(),
            confidence=confidence,
            tracker=Tracker(),
            write_pull_request=partial(pull_request.write, timezone=self.calendar.timezone),
            calendar=self.calendar,
            publishing=Publishing(
                mode=mode or Mode(publish.mode),
                author=publish.author,
                labels=publish.labels,
                assignee=publish.assignee,
                reviewers=publish.reviewers,
            ),
            limits=Limits(
                findings=limits.findings_per_night,
                new_pull_requests=limits.new_pull_requests_per_night,
                open_pull_requests=limits.open_pull_requests,
                attempts=limits.attempts_per_finding,
            ),
            redact=redact,
            progress=progress,
            scratch=scratch,
        )


def open_app(config: Path | None) -> App:
    """Loads the configuration; raises ``UsageError`` for anything wrong in it."""
    settings, file = load(config)
    return App(settings, file)


def _machine_zone() -> ZoneInfo:
    from tzlocal import get_localzone_name

    try:
        return ZoneInfo(get_localzone_name())
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
