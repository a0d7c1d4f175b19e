"""What ``init`` finds, takes from flags or asks: from an assistant's folder to the choices of a configuration."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from selfimprover import discovery
from selfimprover.cli.asking import Asking, Question
from selfimprover.cli.handler import run
from selfimprover.discovery import FoundRepository, FoundTests
from selfimprover.errors import TelemetryError, UsageError
from selfimprover.reporting.safe import one_line
from selfimprover.settings import Settings
from selfimprover.settings.first import Choices
from selfimprover.telemetry.discovery import FoundTable, FoundTelemetry, PassedOver, search, tables_in

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NO_TESTS = frozenset({"", "none"})
_SYSTEM = Path("/etc")
_SYSTEM_STATE = Path("/var/lib/selfimprover")
_MOST_SHOWN = 5
_Known = TypeVar("_Known")
_BARE = "There is no sandbox here. Run its tests bare, as this user? Else no fix can be proven"
_LLM = (
    "Let a language model draft fixes? Redacted error texts and code of the repository would leave this machine, "
    "for the server that you name in the file"
)


class Flags(NamedTuple):
    """The options of ``init`` that say what the configuration says."""

    telemetry: str | None
    table: str | None
    repository: str | None
    base: str | None
    test: str | None
    name: str | None
    state: Path | None
    bare_tests: bool
    llm: bool


@dataclass(frozen=True, slots=True)
class Interview:
    """The choices, and what they rest on."""

    choices: Choices
    table: FoundTable
    repository: FoundRepository
    passed_over: tuple[PassedOver, ...]
    """Databases that a search for telemetry did not use."""
    test_reason: str
    """What speaks for the test command; empty where the person gave it."""


def interview(asking: Asking, flags: Flags, file: Path, isolates: Callable[[], bool]) -> Interview:
    """The choices for the configuration ``file``; raises ``UsageError`` for what is wrong or cannot be found.

    ``isolates`` finds out whether this machine has a sandbox: where it has, nobody is asked to do without.
    """
    repository = _repository(asking, flags)
    table, passed_over = _table(asking, flags, repository.folder)
    base = _base(asking, flags, repository)
    test, test_reason = _tests(asking, flags, repository.folder, base)
    environment = discovery.environment_of(repository.folder)
    name = _name(asking, flags, repository.folder)
    bare_tests = test is not None and (flags.bare_tests or (not isolates() and asking.agreed(_BARE, flag=False)))
    choices = Choices(
        state=_state(flags, file),
        timezone=_zone(),
        llm=asking.agreed(_LLM, flag=flags.llm),
        name=name,
        telemetry=table.path,
        table=table.name,
        columns=table.renamed,
        failed=table.failed,
        repository=repository.folder,
        base=base,
        github=repository.remote.github if repository.remote else None,
        test=test,
        expose=(environment,) if environment else (),
        bare_tests=bare_tests,
    )
    return Interview(choices, table, repository, passed_over, test_reason)


# --- the questions -------------------------------------------------------------------------------------


def _repository(asking: Asking, flags: Flags) -> FoundRepository:
    here = discovery.nearest(Path.cwd())
    question = Question(
        "The assistant's git repository",
        "--repository",
        flags.repository,
        str(here) if here else None,
        "the current folder is in no git repository",
    )
    return asking.settle(question, lambda text: run(discovery.examine(_path(text))))


def _table(asking: Asking, flags: Flags, repository: Path) -> tuple[FoundTable, tuple[PassedOver, ...]]:
    """The table, and what was passed over on the way to it."""
    found = FoundTelemetry((), ())
    if flags.telemetry is None:
        found = run(search((Path.cwd(), repository), table=flags.table))
    question = Question(
        "The SQLite file with its tasks",
        "--telemetry",
        flags.telemetry,
        str(found.tables[0].path) if found.tables else None,
        _nothing_found(found, flags.table),
        "name the file with --telemetry",
    )
    tables = asking.settle(question, lambda text: _tables(_path(text), flags.table))
    if len(tables) == 1:
        return tables[0], found.passed_over
    by_name = {table.name: table for table in tables}
    which = Question("Its table of tasks", "--table", None, tables[0].name, "")
    return asking.settle(which, lambda text: _one_of(by_name, text, "table")), found.passed_over


def _tables(path: Path, table: str | None) -> Sequence[FoundTable]:
    try:
        return run(tables_in(path, table=table))
    except TelemetryError as error:
        raise UsageError(error.what, where=f"telemetry {path}", mend=error.mend) from error


def _nothing_found(found: FoundTelemetry, table: str | None) -> str:
    named = f" named {one_line(table)!r}" if table else ""
    what = f"no table of tasks{named} was found in an SQLite file here or in the repository"
    if not found.passed_over:
        return what
    likely = max(found.passed_over, key=lambda one: one.unreadable)
    return f"{what}; {one_line(str(likely.path))}: {one_line(likely.why, 400)}"


def _base(asking: Asking, flags: Flags, repository: FoundRepository) -> str:
    question = Question(
        "Its base branch", "--base", flags.base, repository.base, "the repository has no branch to make fixes for"
    )
    if not repository.branches:
        return asking.settle(question, str)
    known = {branch: branch for branch in repository.branches}
    return asking.settle(question, lambda text: _one_of(known, text, "branch"))


def _tests(asking: Asking, flags: Flags, folder: Path, base: str) -> tuple[str | None, str]:
    """The command, and why."""
    found: FoundTests | None = None
    if flags.test is None:
        found = discovery.find_tests(run(discovery.files_of(folder, base, discovery.telling)))
    question = Question(
        f"Its test command ({found.reason if found else 'none was found'}; or none)",
        "--test",
        flags.test,
        found.command if found else ("none" if asking.person else None),
        f"no test command was found on branch {base}",
        'give it with --test "pytest -q", or say --test none to go without',
    )
    answer = asking.settle(question, str.strip)
    if answer in _NO_TESTS:
        return None, ""
    return answer, found.reason if found and found.command == answer else ""


def _name(asking: Asking, flags: Flags, folder: Path) -> str:
    usable = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name.removesuffix(".git")).strip("-._")[:100]
    question = Question("What reports call it", "--name", flags.name, usable or "assistant", "")
    return asking.settle(question, _checked_name)


def _checked_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        mend = "write letters, digits, points, dashes and underscores, at most 100, a letter or digit first"
        raise UsageError(f"{one_line(text)!r} cannot name a project", where="--name", mend=mend)
    return text


def _one_of(known: Mapping[str, _Known], text: str, what: str) -> _Known:
    if text not in known:
        shown = ", ".join(one_line(name, 60) for name in list(known)[:_MOST_SHOWN])
        more = ", …" if len(known) > _MOST_SHOWN else ""
        raise UsageError(f"there is no {what} {one_line(text)!r}", mend=f"there are: {shown}{more}")
    return known[text]


def _path(text: str) -> Path:
    """Absolute, through the links by which the person named it, unless it climbs."""
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{one_line(text)!r} names a user that does not exist", mend="write the whole path") from error
    return path.resolve() if ".." in path.parts else path.absolute()


# --- what is not asked ---------------------------------------------------------------------------------


def _state(flags: Flags, file: Path) -> Path:
    if flags.state is not None:
        return _path(str(flags.state))
    if file.absolute().is_relative_to(_SYSTEM):
        return _SYSTEM_STATE
    return Settings.model_construct().state_dir().absolute()


def _zone() -> str | None:
    from zoneinfo import ZoneInfo

    from tzlocal import get_localzone_name

    try:
        return ZoneInfo(get_localzone_name()).key
    except (KeyError, ValueError, OSError):
        return None
