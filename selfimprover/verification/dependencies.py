"""The environment that a project's tests need, prepared by its own commands on the base tree and kept.

The contract, also in ``docs/verification.md``: the commands of ``projects.verify.setup`` run one after the
other by ``/bin/sh -c`` in a copy of the base tree, in the sandbox. ``$SELFIMPROVER_ENV`` names the folder to install
into; ``$SELFIMPROVER_ENV/bin`` is first on PATH, then and in every run of the tests, which see the folder read-only.
"""

import asyncio
import hashlib
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfimprover import edits as edit_rules
from selfimprover.verification.results import plain
from selfimprover.verification.runner import last_part
from selfimprover.verification.sandbox import Job, Limits, Sandbox, environment
from selfimprover.verification.workspace import Workspace, workspace

_FORMAT = 1
_KEPT = 5
_KEPT_DAYS = 14
_INSTALLED_MARKS = ("*.egg-link", "*.pth", "direct_url.json")
_MAX_MARK = 1 << 16


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment, or why there is none."""

    folder: Path | None
    key: str
    """Names what it was made from."""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Prepares environments beneath ``folder``, which belongs to one project."""

    folder: Path
    sandbox: Sandbox
    limits: Limits
    """Of each command."""
    setup: Sequence[str]
    network: bool
    expose: Sequence[Path] = ()
    readable: Sequence[Path] = ()
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def prepare(self, tree: Path) -> Prepared:
        """The environment for ``tree``, made now unless it is there. What failed is tried again the next time."""
        async with self._lock:
            key = await asyncio.to_thread(self._key, tree)
            place = self.folder / key
            if not (place / "ready").exists():
                await asyncio.to_thread(_make_room, place)
                problem = await self._make(tree, place / "env")
                if problem:
                    await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
                    return Prepared(None, key, problem)
            await asyncio.to_thread((place / "ready").touch)
            await asyncio.to_thread(_prune, self.folder, place)
            return Prepared(place / "env", key)

    async def _make(self, tree: Path, env: Path) -> str:
        """Runs the commands; what went wrong, empty if nothing did."""
        async with workspace(tree) as place:
            for command in self.setup:
                ending = await self.sandbox.run(self._job(command, place, env), self.limits)
                if ending.status is None:
                    return (
                        f"setup did not end within {self.limits.timeout:g} s: {command} (raise projects.verify.timeout)"
                    )
                if ending.status:
                    said = await asyncio.to_thread(_last_line, place.output)
                    return (
                        f"setup failed with exit status {ending.status}: {command}: {said} (mend projects.verify.setup)"
                    )
            return await asyncio.to_thread(_project_inside, env, place.tree)

    def _job(self, command: str, place: Workspace, env: Path) -> Job:
        return Job(
            command=command,
            folder=place.tree,
            env=environment((env, *self.expose), place.scratch, place.report) | {"SELFIMPROVER_ENV": str(env)},
            output=place.output,
            writable=(*place.writable, env),
            readable=tuple(self.readable),
            network=self.network,
        )

    def _key(self, tree: Path) -> str:
        """A digest of what the commands read, as far as it can be known before: see ``read_by``."""
        digest = hashlib.sha256()
        depends = {
            "format": _FORMAT,
            "setup": list(self.setup),
            "network": self.network,
            "sandbox": self.sandbox.key(),
            "expose": [str(folder) for folder in self.expose],
            "interpreter": _interpreter(self.expose),
        }
        digest.update(json.dumps(depends, sort_keys=True).encode())
        for path in sorted(read_by(self.setup, tree)):
            content = hashlib.sha256((tree / path).read_bytes()).hexdigest()
            digest.update(f"\x00{path}\x00{content}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:20]


def read_by(setup: Sequence[str], tree: Path) -> Iterator[str]:
    """The files of the tree that set-up depends on: those that say what is installed, and those that it names."""
    named = {word.removeprefix("./") for command in setup for word in _words(command)}
    for folder, folders, files in os.walk(tree):
        folders[:] = [one for one in folders if one not in {".git", "node_modules"}]
        for name in files:
            path = Path(folder, name).relative_to(tree).as_posix()
            wanted = path in named or any(edit_rules.matches(path, glob) for glob in edit_rules.DEPENDENCIES)
            if wanted and not (tree / path).is_symlink():
                yield path


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _interpreter(expose: Sequence[Path]) -> list[object]:
    """The Python that the commands would find, and what it is; ours stands for the machine besides."""
    path = environment(expose, Path(), Path())["PATH"]
    found = shutil.which("python3", path=path) or shutil.which("python", path=path)
    if found is None:
        return [sys.platform]
    real = os.path.realpath(found)
    state = Path(real).stat()
    return [sys.platform, os.uname().machine, real, state.st_size, state.st_mtime_ns]


def _make_room(place: Path) -> None:
    """An empty folder to install into: a half-made one is what a killed set-up left behind."""
    shutil.rmtree(place, ignore_errors=True)
    (place / "env").mkdir(parents=True, mode=0o755)


def _project_inside(env: Path, tree: Path) -> str:
    """Why the environment must not be used: tests would import the base's code from it instead of the patched.

    pip notes where a package came from (PEP 610), and an editable installation names its folder in a ``.pth`` file.
    """
    for mark in _INSTALLED_MARKS:
        for path in env.rglob(mark):
            if path.is_file() and not path.is_symlink() and os.fsencode(tree) in path.read_bytes()[:_MAX_MARK]:
                return (
                    "setup installed the project itself, so the tests would judge the base's code "
                    "(install what it depends on only, and let the tests find its code by PYTHONPATH)"
                )
    return ""


def _last_line(output: Path) -> str:
    lines = [line for line in last_part(output, 4096).splitlines() if line.strip()]
    return plain(lines[-1].strip()) if lines else "it printed nothing"


def _prune(folder: Path, used: Path) -> None:
    """Keeps the environment in use and a few others that were used lately."""
    others = sorted((_used(place), place) for place in folder.iterdir() if place != used)
    oldest = time.time() - _KEPT_DAYS * 86_400
    for number, (at, place) in enumerate(reversed(others), start=1):
        if at < oldest or number >= _KEPT:
            shutil.rmtree(place, ignore_errors=True)


def _used(place: Path) -> float:
    try:
        return (place / "ready").stat().st_mtime
    except OSError:
        return 0.0
