"""Runs the test command on a copy of a tree, and collects what the run left."""

import asyncio
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfimprover.domain import Edit
from selfimprover.verification import lines, witness
from selfimprover.verification.junit import read_report
from selfimprover.verification.results import Run
from selfimprover.verification.sandbox import Job, Limits, Sandbox, environment
from selfimprover.verification.workspace import Workspace, room, workspace

_PRINTED = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Everything that is the same for all runs of a project's tests.

    ``expose`` are folders whose ``bin`` goes first on PATH, ``readable`` those that the sandbox shows, maybe more of
    them; ``slots`` lets only so many runs happen at once.
    """

    sandbox: Sandbox
    limits: Limits
    expose: Sequence[Path]
    readable: Sequence[Path]
    slots: asyncio.Semaphore

    async def run(
        self, tree: Path, edits: Sequence[Edit], command: str, prepared: Path | None, *, witnessed: bool = True
    ) -> Run:
        """One run that judges. Raises ``SelfImproverError`` if it cannot be started at all."""
        async with self.slots, workspace(tree, edits) as place:
            with room():
                return await self._judged(place, command, prepared, witnessed=witnessed)

    async def _judged(self, place: Workspace, command: str, prepared: Path | None, *, witnessed: bool) -> Run:
        env = self._environment(place, prepared)
        key = b""
        if witnessed:
            key = await asyncio.to_thread(witness.install, place.tools, place.report.parent)
            env["PYTHONPATH"] = str(place.tools)
            env["PYTEST_ADDOPTS"] += f" -p {witness.PLUGIN}"
        ending = await self.sandbox.run(self._job(place, env, command, prepared), self.limits)
        record = await asyncio.to_thread(witness.read_record, place.report.parent, key) if witnessed else None
        report = record or await asyncio.to_thread(read_report, place.report)
        printed = await asyncio.to_thread(last_part, place.output)
        return Run(ending.status, ending.seconds, report, printed, ending.why, record is not None)

    async def lines_run(
        self, tree: Path, edits: Sequence[Edit], command: str, prepared: Path | None
    ) -> frozenset[tuple[str, int]]:
        """Which lines of the edited Python files a run was seen to run; that run judges nothing."""
        async with self.slots, workspace(tree, edits) as place:
            env = self._environment(place, prepared)
            with room():
                await asyncio.to_thread(lines.install, place.tools, place.tree, place.report.parent, edits)
            env["PYTHONPATH"] = str(place.tools)
            await self.sandbox.run(self._job(place, env, command, prepared), self.limits)
            return await asyncio.to_thread(lines.read_seen, place.report.parent, edits)

    async def replay(
        self, tree: Path, edits: Sequence[Edit], command: str, content: bytes, prepared: Path | None
    ) -> Run:
        """One run of ``command`` with ``content`` on its standard input; no report is asked for."""
        async with self.slots, workspace(tree, edits) as place:
            with room():
                given = await asyncio.to_thread(_put, content, place.tools)
                env = self._environment(place, prepared)
                fed = f"exec < {shlex.quote(str(given))}\n{command}"
                ending = await self.sandbox.run(self._job(place, env, fed, prepared), self.limits)
                printed = await asyncio.to_thread(last_part, place.output)
                return Run(ending.status, ending.seconds, None, printed, ending.why)

    def _environment(self, place: Workspace, prepared: Path | None) -> dict[str, str]:
        first = () if prepared is None else (prepared,)
        env = environment((*first, *self.expose), place.scratch, place.report)
        if prepared is not None:
            env["SELFIMPROVER_ENV"] = str(prepared)
        return env

    def _job(self, place: Workspace, env: dict[str, str], command: str, prepared: Path | None) -> Job:
        more = () if prepared is None else (prepared,)
        return Job(
            command=command,
            folder=place.tree,
            env=env,
            output=place.output,
            writable=place.writable,
            readable=(*self.readable, place.tools, *more),
        )


def _put(content: bytes, folder: Path) -> Path:
    path = folder / "input"
    path.write_bytes(content)
    path.chmod(0o644)  # it is read by whatever user the sandbox runs jobs as
    return path


def refused_plugin(run: Run) -> bool:
    """Whether the run ended because its pytest could not load our witness, as where the command sets PYTHONPATH."""
    return run.report is None and "Error importing plugin" in run.printed and witness.PLUGIN in run.printed


def chosen(command: str, select: str) -> str:
    """The test command for one selection of tests: its words are appended, quoted, so that none is a command."""
    return " ".join([command, *(shlex.quote(word) for word in shlex.split(select))])


def last_part(path: Path, limit: int = _PRINTED) -> str:
    """The end of what a job printed."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - limit))
            return file.read(limit).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
