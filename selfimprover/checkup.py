"""Looks at every part of a configuration without writing anything: what ``check`` prints."""

import asyncio
import os
import re
import shutil
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from selfimprover.analyzers import registry
from selfimprover.bootstrap import App, model, open_app
from selfimprover.domain import Examined
from selfimprover.errors import SelfImproverError
from selfimprover.memory import file
from selfimprover.settings import Project
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.sandbox import environment

_LONGEST = 30.0
"""Seconds for the look at one part."""
_ERROR_DAYS = 7
_PLAIN = re.compile(r"[\w.+-]+")
_OF_THE_SHELL = frozenset(
    {"cd", "exec", "export", "if", "for", "set", "test", "true", "while", "exit", "umask", "ulimit"}
)


async def examine(config: Path | None) -> list[Examined]:
    """Every part in turn; a broken configuration is the only result if there is one."""
    try:
        app = open_app(config)
        app.projects()
    except SelfImproverError as error:
        return [Examined("config", ok=False, what=_what(error), mend=error.mend)]
    return await examine_app(app)


async def examine_app(app: App) -> list[Examined]:
    """Every part of a configuration that has projects."""
    projects = app.projects()
    results = [
        _config(app),
        _state(app),
        await _tried("memory", _memory(app)),
        await _tried("analyzers", _analyzers(app)),
    ]
    for project in projects:
        results += [
            await _tried(f"telemetry of {project.name}", _telemetry(app, project)),
            *await _access(app, project),
            await _tried(f"forge of {project.name}", _forge(app, project)),
            *await _github(app, project),
            *await _sandbox(app, project),
            _proof(project),
        ]
    return [*results, await _model(app)]


async def _tried(part: str, looking: Coroutine[Any, Any, str]) -> Examined:
    try:
        async with asyncio.timeout(_LONGEST):
            return Examined(part, ok=True, what=await looking)
    except SelfImproverError as error:
        return Examined(part, ok=False, what=_what(error), mend=error.mend)
    except TimeoutError:
        mend = "see what keeps it; the nights do not wait for this look"
        return Examined(part, ok=False, what=f"no answer within {_LONGEST:.0f} s", mend=mend)


def _config(app: App) -> Examined:
    written = app.file.read_text(encoding="utf-8-sig")
    if app.file.stat().st_mode & 0o004 and any(secret in written for secret in app.settings.secrets()):
        mend = f"chmod o-r {app.file}, or put them into secret files or the environment"
        return Examined("config", ok=False, what=f"{app.file} has secrets in it, and everybody can read it", mend=mend)
    names = ", ".join(project.name for project in app.projects())
    what = f"{app.file}: projects {names}, publish mode {app.settings.publish.mode}"
    return Examined("config", ok=True, what=what)


def _state(app: App) -> Examined:
    path = app.folder.path
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    usable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    if not usable:
        mend = "give this user the right to write there, or set [state] dir to another folder"
        return Examined("state", ok=False, what=f"{path} cannot be written", mend=mend)
    return Examined("state", ok=True, what=f"{path}" + ("" if path.exists() else " (will be created)"))


async def _memory(app: App) -> str:
    revision = file.current_revision(app.memory_url)
    if revision is None:
        return f"{app.memory_url}: none yet, the first night creates it"
    file.require_known(revision, app.memory_url)
    return f"{app.memory_url}: schema {revision}"


async def _analyzers(app: App) -> str:
    chosen = app.settings.analyzers
    return ", ".join(one.name for one in registry.load(chosen.enabled, chosen.options()))


async def _telemetry(app: App, project: Project) -> str:
    hide = app.redactor(os.urandom(16))
    return f"{project.telemetry.path}: {await app.telemetry(project, hide).describe()}"


async def _access(app: App, project: Project) -> list[Examined]:
    """How the rows of a large table are found, and the index that would help."""
    from selfimprover.telemetry.reach import Way

    source = app.telemetry(project, app.redactor(os.urandom(16)))
    try:
        async with asyncio.timeout(_LONGEST):
            access = await source.access(app.calendar.last(datetime.now(UTC), _ERROR_DAYS))
    except (SelfImproverError, TimeoutError):
        return []  # the look at the telemetry itself tells why
    if access is None:
        return []
    found = f"the rows of a window are found {access.way.value}"
    if access.way is Way.BY_INDEX or access.index is None:
        return [Examined(f"reading of {project.name}", ok=True, what=found)]
    gain = "does without that assumption" if access.way is Way.BY_ROW_ID else "saves most of that"
    return [Examined(f"reading of {project.name}", ok=True, what=f"{found}; an index {gain}", mend=access.index)]


async def _forge(app: App, project: Project) -> str:
    repository = project.repository
    async with app.forge(project, app.redactor(os.urandom(16)), read_only=True) as forge:
        commit = await forge.base_commit()
        pulls = await forge.pull_requests(datetime.now(UTC))
    where = repository.path or repository.name
    return f"{where}: {repository.base} is at {commit[:12]}, {len(pulls)} pull requests of ours"


async def _github(app: App, project: Project) -> list[Examined]:
    """What the token may do, and which workflows would run with secrets on our branches."""
    repository = project.repository
    if repository.forge != "github":
        return []
    from selfimprover.bootstrap import github
    from selfimprover.forges.github import workflows

    part = f"token of {project.name}"
    try:
        rights = await github.rights(app.settings.github, repository)
        async with github.forge(app.settings.github, repository, app.folder.trees, str, read_only=True) as forge:
            warnings = workflows.warnings(await forge.workflows(), repository.base)
    except SelfImproverError as error:
        return [Examined(part, ok=False, what=_what(error), mend=error.mend)]
    missing, excess = ", ".join(rights.missing), ", ".join(rights.excess)
    if missing:
        token = Examined(part, ok=False, what=f"{rights.kind}, which lacks {missing}", mend="grant it that")
    else:
        more = f"; it has more than is needed: {excess}" if excess else ""
        mend = "take that away: the token would be worth less to a thief" if excess else ""
        token = Examined(part, ok=True, what=f"{rights.kind} with every right that is needed{more}", mend=mend)
    return [token, *(Examined(f"workflows of {project.name}", ok=True, what=f"careful: {one}") for one in warnings)]


async def _sandbox(app: App, project: Project) -> list[Examined]:
    """What the tests would run in: each attempt to get out of it, and what came of that."""
    part = f"sandbox of {project.name}"
    if project.verify.sandbox == "none":
        return [Examined(part, ok=True, what='careful: none, because sandbox = "none"')]
    try:
        async with asyncio.timeout(_LONGEST):
            chosen = await app.isolation(project)
            shown = await asyncio.to_thread(exposed, project.verify.expose)
    except SelfImproverError as error:
        return [Examined(part, ok=False, what=_what(error), mend=error.mend)]
    except TimeoutError:
        return [Examined(part, ok=False, what=f"it does not prove itself within {_LONGEST:.0f} s")]
    lines = [Examined(f"{part}, {one.name}", ok=one.held, what=one.detail) for one in chosen.probed]
    if chosen.sandbox is None:
        bare = 'or set sandbox = "none" in [projects.verify] if you trust what the tests run'
        mend = f"{chosen.mend}; {bare}" if chosen.mend else bare
        return [*lines, Examined(part, ok=False, what=f"none: {chosen.problem}", mend=mend)]
    folders = f", which shows {', '.join(map(str, shown))} besides the system's own programs" if shown else ""
    return [*lines, Examined(part, ok=True, what=f"{chosen.sandbox.name}{folders}")]


async def _model(app: App) -> Examined:
    llm = app.settings.llm
    if not model.is_configured(llm):
        why = "[llm] names no model" if llm.enabled else "[llm] enabled = false"
        return Examined("model", ok=True, what=f"none: {why}; recipes alone draft")
    return await _tried("model", model.look(llm, app.redactor(os.urandom(16))))


def _proof(project: Project) -> Examined:
    part, verify = f"proof of {project.name}", project.verify
    if not verify.test:
        return Examined(part, ok=False, what="no test command", mend='[projects.verify] test = "pytest -q"')
    if verify.image and verify.sandbox in {"auto", "container"}:
        return Examined(part, ok=True, what=f"`{verify.test}`")  # its PATH is perhaps that of the image
    program = verify.test.split()[0]
    path = environment(verify.expose, Path(), Path())["PATH"]
    if _PLAIN.fullmatch(program) and program not in _OF_THE_SHELL and shutil.which(program, path=path) is None:
        mend = 'name the folder whose bin/ has it, such as expose = ["/srv/assistant/.venv"]'
        return Examined(part, ok=False, what=f"{program} is not on the PATH of the tests ({path})", mend=mend)
    return Examined(part, ok=True, what=f"`{verify.test}`")


def _what(error: SelfImproverError) -> str:
    return f"{error.where}: {error.what}" if error.where else error.what
