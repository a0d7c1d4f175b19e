"""A project on the fake GitHub over its whole life: nights that may be killed at any point, and time that nobody waits.

GitHub's clock is the true one; it moves when somebody sleeps or a test says so. The machine's clock may differ from it.
"""

import asyncio
import math
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from selfimprover.analyzers.repeated_errors import RepeatedErrors
from selfimprover.domain import (
    Calendar,
    CaseFile,
    Draft,
    Edit,
    Feedback,
    Finding,
    NightReport,
    TaskRecord,
    Trigger,
    Window,
)
from selfimprover.errors import RefusedError
from selfimprover.forges.github.archives import Archives
from selfimprover.forges.github.auth import TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.forge import GitHubForge
from selfimprover.memory.backups import Backups
from selfimprover.memory.engine import ensure_schema
from selfimprover.memory.store import SqlMemory
from selfimprover.night import Limits, Mode, Night, NightParts, ProjectParts, Publishing, by_hand
from selfimprover.outcomes.tracker import Tracker
from selfimprover.patterns.fingerprints import CachedFingerprinter, ErrorFingerprinter
from selfimprover.patterns.grouping import group
from selfimprover.redaction import Redactor
from selfimprover.reporting import pull_request
from selfimprover.triage import Policy
from selfimprover.verification.confidence import confidence
from tests.fakes.drafting import FakeVerifier, a_draft
from tests.fakes.github import FakeGitHub, Pull
from tests.fakes.telemetry import FakeTelemetry, task

BEGIN = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
WORDS = ("alpha", "bravo", "charlie", "delta")
"""Each names a bug of its own, and the file that has it."""
CANARY = "canary-of-the-coal-mine-7f3a9c51d2"
"""A secret that the redactor knows and that errors, checks and people repeat."""
BROKEN, MENDED, MENDED_AGAIN = "value = 1\n", "value = 2\n", "value = 3\n"
LIMITS = Limits(findings=10, new_pull_requests=2, open_pull_requests=3, attempts=2)
OURS = "refs/heads/selfimprover/"


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of the program may catch it."""


@dataclass(frozen=True, slots=True)
class Kill:
    """The night dies at the ``nth`` of its points whose name matches, as in a shell.

    Points: ``before POST /repos/…`` and ``after POST /repos/…`` around every write, ``memory`` after every commit.
    """

    at: str
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with the calls ``nth`` to ``nth + times - 1`` that match."""

    kind: str
    call: str
    nth: int = 1
    times: int = 1

    def begin(self, hub: FakeGitHub) -> None:
        method, _, path = self.call.partition(" ")
        faults, nth, times = hub.faults, self.nth, self.times
        match self.kind.split():
            case ["lost"]:
                faults.lose_reply(method, path, nth=nth, times=times)
            case ["dropped"]:
                faults.drop(method, path, nth=nth, times=times)
            case ["cut"]:
                faults.cut(method, path, nth=nth, times=times)
            case ["limit", status, wait]:
                body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
                headers = {} if wait == "-" else {"Retry-After": wait}
                faults.answer(method, path, int(status), body, headers=headers, nth=nth, times=times)
            case [status, done]:
                body = {"message": CANARY}
                faults.answer(method, path, int(status), body, effect=done == "done", nth=nth, times=times)
            case _:
                raise AssertionError(self.kind)


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds for which lists do not show a new pull request, and reads a new ref."""

    pulls: int = 0
    refs: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen to a night, so long ``after`` what was before."""

    after: timedelta = timedelta(days=1)
    mode: Mode = Mode.READY
    kill: Kill | None = None
    lag: Lag = Lag()
    troubles: tuple[Trouble, ...] = ()
    meanwhile: tuple[str, Callable[[], object]] | None = None
    """What somebody does at the first point of this name."""


class Mortal:
    """One process, which dies at a point and does nothing after it."""

    def __init__(self, kill: Kill | None, meanwhile: tuple[str, Callable[[], object]] | None = None) -> None:
        self._kill = kill
        self._meanwhile = meanwhile
        self._left = kill.nth if kill else 0
        self.dead = False

    def point(self, name: str) -> None:
        self.require_life()
        if self._meanwhile and fnmatchcase(name, self._meanwhile[0]):
            (_, act), self._meanwhile = self._meanwhile, None
            act()
        if self._kill and fnmatchcase(name, self._kill.at):
            self._left -= 1
            if self._left == 0:
                self.dead = True
                raise KilledError(name)

    def require_life(self) -> None:
        if self.dead:
            raise KilledError("again")


class MortalMemory(SqlMemory):
    """The real memory in a process that may die after every commit."""

    def __init__(self, url: str, mortal: Mortal) -> None:
        super().__init__(url)
        self._mortal = mortal
        self.key: str | None = None

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        self._mortal.require_life()
        async with super()._writing() as connection:
            yield connection
        self._mortal.point("memory")

    async def begin_night(self, *args: Any, **kwargs: Any) -> str:
        self.key = await super().begin_night(*args, **kwargs)
        return self.key


class MortalTransport(httpx.AsyncHTTPTransport):
    """The real transport in a process that may die before and after every write."""

    def __init__(self, mortal: Mortal) -> None:
        super().__init__(verify=False)
        self._mortal = mortal

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._mortal.require_life()
        if request.method == "GET" or b"query(" in request.content:
            return await super().handle_async_request(request)
        name = f"{request.method} {request.url.path}"
        self._mortal.point(f"before {name}")
        response = await super().handle_async_request(request)
        try:
            self._mortal.point(f"after {name}")
        except KilledError:
            await response.aclose()
            raise
        return response


class RedactedTelemetry(FakeTelemetry):
    """Keeps the promise of every telemetry source: no secret that the redactor knows gets through."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("assistant")
        self._redact = cache(redactor)

    async def failures(self, window: Window) -> AsyncIterator[Sequence[TaskRecord]]:
        async for batch in super().failures(window):
            yield [
                replace(one, error=self._redact(one.error or ""), traceback=self._redact(one.traceback or ""))
                for one in batch
            ]


class WordDrafter:
    """Mends the one file that a finding is about; ``stubborn``, it has no other answer when a check fails."""

    name = "recipe:word"

    def __init__(self) -> None:
        self.stubborn = False
        self.told: list[Feedback] = []

    async def draft(self, case: CaseFile, tree: Path, feedback: Feedback | None = None) -> Draft:
        path = f"agent/{word_of(case.finding)}.py"
        text = (tree / path).read_text()
        if BROKEN not in text:
            raise RefusedError("it is mended already")
        if feedback is not None:
            self.told.append(feedback)
        again = feedback is not None and feedback.trigger is not Trigger.CONFLICT
        after = MENDED_AGAIN if again and not self.stubborn else MENDED
        return a_draft(title=f"Fix {path}", edits=(Edit(path, text, text.replace(BROKEN, after)),))


def word_of(finding: Finding) -> str:
    match = re.search(r"attribute '(\w+)'", finding.title)
    assert match is not None
    return match[1]


def error_of(word: str) -> str:
    return f"AttributeError: 'Agent' object has no attribute '{word}' (key {CANARY})"


@cache
def finding_id(word: str) -> str:
    """The finding of a word, under any installation's key of the redactor."""
    redact, failed = Redactor(b"key", [CANARY]), task(1, BEGIN, error=error_of(word))
    return ErrorFingerprinter().fingerprint(redact(failed.error or ""), redact(failed.traceback or "")).value[:12]


@cache
def empty_memory() -> bytes:
    """The file of a memory that was just made."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"
        ensure_schema(f"sqlite:///{path}", Path(folder) / "backups")
        return path.read_bytes()


@dataclass
class Life:
    """``engine`` is the forge under test."""

    folder: Path
    hub: FakeGitHub
    engine: type[GitHubForge] = GitHubForge
    ahead: timedelta = timedelta()
    """How far the machine's clock is ahead of GitHub's."""
    write_interval: float = 1.0
    nights: int = 0
    reports: list[NightReport] = field(default_factory=list)
    key: str | None = None
    """Of the last night that got so far as to have one."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.hub.clock.freeze(BEGIN)
        self.token = self.hub.token()
        self.repository = self.hub.repository("octo/app", {f"agent/{word}.py": BROKEN for word in WORDS})
        self.redactor = Redactor(b"key", [CANARY, self.token])
        self.telemetry = RedactedTelemetry(self.redactor)
        self.drafter = WordDrafter()
        self.memory_file = self.folder / "memory.db"
        self.backups = Backups(self.memory_file, self.folder / "backups")

    # --- time

    @property
    def now(self) -> datetime:
        """By the machine's clock."""
        return self.hub.clock.now() + self.ahead

    def monotonic(self) -> float:
        return (self.hub.clock.now() - BEGIN).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.wait(timedelta(microseconds=math.ceil(seconds * 1_000_000)))

    def wait(self, time: timedelta) -> None:
        self.hub.clock.move(time)

    # --- the assistant

    def fail(self, word: str, times: int) -> None:
        """Failures of the last hours, in the code that is deployed, with tasks that went well between them."""
        version = self.repository.branch("main")
        tasks = self.telemetry.tasks
        for number in range(times):
            at = self.now - timedelta(hours=number + 1)
            tasks.append(task(len(tasks), at, error=error_of(word), version=version))
            tasks += [task(len(tasks), at + timedelta(minutes=3 * n), version=version) for n in (1, 2, 3)]

    def seen(self) -> set[str]:
        """The findings that a night held now comes upon."""
        window = Calendar(ZoneInfo("UTC")).last(self.now, 7)
        ids = [
            finding_id(word)
            for word in WORDS
            for one in self.telemetry.tasks
            if one.error == error_of(word) and one.created_at in window
        ]
        return {one for one in ids if ids.count(one) >= 2}

    # --- nights

    def night(self, plan: Plan) -> NightReport | None:
        """What a night comes to; ``None`` if it was killed."""
        self.nights += 1
        pulls, refs = timedelta(seconds=plan.lag.pulls), timedelta(seconds=plan.lag.refs)
        self.hub.lag.pull_time, self.hub.lag.ref_time = pulls, refs
        for trouble in plan.troubles:
            trouble.begin(self.hub)
        try:
            with capture_logs():
                report = asyncio.run(self._night(Mortal(plan.kill, plan.meanwhile), plan.mode))
        except KilledError:
            return None
        finally:
            self.hub.faults.clear()
            self.hub.lag.pull_time = self.hub.lag.ref_time = timedelta()
        self.reports.append(report)
        return report

    async def _night(self, mortal: Mortal, mode: Mode) -> NightReport:
        if not self.memory_file.exists():
            self.memory_file.write_bytes(empty_memory())
        scratch = self.folder / f"scratch-{self.nights}"
        scratch.mkdir()
        memory = MortalMemory(f"sqlite:///{self.memory_file}", mortal)
        try:
            async with GitHub(
                self.hub.url,
                TokenAuth(self.token),
                write_interval=self.write_interval,
                transport=MortalTransport(mortal),
                sleep=self.sleep,
                now=lambda: self.now,
                monotonic=self.monotonic,
            ) as client:
                return await Night(self._parts(memory, mode, scratch), [self._project(client)]).run(self.now)
        finally:
            self.key = memory.key
            await memory.close()

    def _project(self, client: GitHub) -> ProjectParts:
        forge = self.engine(
            client,
            "octo/app",
            base="main",
            archives=Archives(self.folder / "trees"),
            redact=self.redactor,
            sleep=self.sleep,
        )
        return ProjectParts(
            name="assistant",
            telemetry=self.telemetry,
            forge=forge,
            drafters=(self.drafter,),
            verifier=FakeVerifier(),
        )

    def _parts(self, memory: SqlMemory, mode: Mode, scratch: Path) -> NightParts:
        return NightParts(
            memory=memory,
            analyzers=(RepeatedErrors({}),),
            fingerprinter=CachedFingerprinter(ErrorFingerprinter()),
            group=group,
            triage=Policy(),
            confidence=confidence,
            tracker=Tracker(),
            write_pull_request=pull_request.write,
            calendar=Calendar(ZoneInfo("UTC")),
            publishing=Publishing(
                mode=mode, author="selfimprover <selfimprover@localhost>", labels=("bot",), assignee="alice"
            ),
            limits=LIMITS,
            redact=self.redactor,
            leak=lambda text: "canary" if CANARY in text else None,
            progress=lambda _step, _detail="": None,
            scratch=scratch,
        )

    # --- the memory

    def cases(self) -> Mapping[str, CaseFile]:
        """What is remembered, by finding id."""
        if not self.memory_file.exists():
            return {}

        async def read() -> Sequence[CaseFile]:
            memory = SqlMemory(f"sqlite:///{self.memory_file}")
            try:
                return await memory.cases()
            finally:
                await memory.close()

        return {case.finding.id: case for case in asyncio.run(read())}

    def rejected(self) -> list[CaseFile]:
        """What a person may allow another try."""
        return [case for case in self.cases().values() if by_hand.may_try_again(case)]

    def allow_another_try(self, case: CaseFile) -> None:
        async def allow() -> None:
            memory = SqlMemory(f"sqlite:///{self.memory_file}")
            try:
                await by_hand.try_again(self._parts(memory, Mode.READY, self.folder), case, self.now)
            finally:
                await memory.close()

        asyncio.run(allow())

    def lose_memory(self) -> None:
        for part in self._memory_files():
            part.unlink()

    def remembered(self) -> bytes:
        """Every byte of the memory's files."""
        return b"".join(part.read_bytes() for part in self._memory_files())

    def _memory_files(self) -> Iterator[Path]:
        yield from self.folder.glob("memory.db*")

    # --- GitHub

    def pulls(self) -> Mapping[int, Pull]:
        return self.repository.pulls

    def open_pulls(self) -> list[Pull]:
        return [pull for pull in self.repository.pulls.values() if pull.state == "open"]

    def open_pull(self, branch: str) -> Pull | None:
        return next((pull for pull in self.open_pulls() if pull.head == branch), None)

    def branches(self) -> list[str]:
        """Ours, as they are on GitHub."""
        return sorted(name for name in self.repository.branches() if f"refs/heads/{name}".startswith(OURS))
