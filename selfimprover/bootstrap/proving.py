"""What proves drafts: sandboxes, each of which proves itself once a night, and a verifier for each project."""

import asyncio
import hashlib
import os
from pathlib import Path

from selfimprover.bootstrap.app import App
from selfimprover.interfaces import Fingerprinter, Verifier
from selfimprover.redaction import Redactor
from selfimprover.settings import Project
from selfimprover.verification.base_results import BaseResults
from selfimprover.verification.choosing import Chosen
from selfimprover.verification.dependencies import Dependencies
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.sandbox import Limits, Sandbox
from selfimprover.verification.verifier import TreeVerifier

_NOTHING_RUNS = Chosen(None, problem="a dry run runs no test")
_HOW = "`selfimprover check` shows the proof"


class Proving:
    """The verifiers of one night. What two projects have in common is proven once, and the cores are shared."""

    def __init__(self, app: App, redact: Redactor, fingerprinter: Fingerprinter, *, dry_run: bool) -> None:
        self._app = app
        self._redact = redact
        self._fingerprinter = fingerprinter
        self._dry_run = dry_run
        self._chosen: dict[tuple[str, str | None], Chosen] = {}
        self._results = BaseResults(app.folder.path / "base-results")
        self._slots = asyncio.Semaphore(os.cpu_count() or 1)

    async def verifier(self, project: Project) -> Verifier:
        """How a project's drafts are proven. Raises ``UsageError`` for a folder that must not be shown to its tests."""
        verify, chosen = project.verify, await self._isolation(project)
        limits = Limits(timeout=verify.timeout.total_seconds(), memory=verify.memory)
        readable = await asyncio.to_thread(exposed, verify.expose) if verify.sandbox != "none" else verify.expose
        why = f"no sandbox, so nothing was run: {chosen.problem} ({'; '.join(filter(None, (chosen.mend, _HOW)))})"
        dependencies = None
        if chosen.sandbox is not None and verify.setup:
            dependencies = self.dependencies(project, chosen.sandbox, limits, readable)
        return TreeVerifier(
            verify.test,
            sandbox=chosen.sandbox,
            limits=limits,
            replay=verify.replay,
            no_sandbox=why,
            expose=verify.expose,
            readable=readable,
            allow=project.fix.paths,
            deny=project.fix.deny,
            dependencies=dependencies,
            results=self._results,
            slots=self._slots,
            fingerprinter=self._fingerprinter,
            redact=self._redact,
        )

    async def _isolation(self, project: Project) -> Chosen:
        if self._dry_run:
            return _NOTHING_RUNS
        wanted = (project.verify.sandbox, project.verify.image)
        if wanted not in self._chosen:
            self._chosen[wanted] = await self._app.isolation(project)
        return self._chosen[wanted]

    def dependencies(
        self, project: Project, sandbox: Sandbox, limits: Limits, readable: tuple[Path, ...]
    ) -> Dependencies:
        """The environments of a project: what prepares them, and where they are kept."""
        name = hashlib.sha256(project.name.encode()).hexdigest()[:16]
        return Dependencies(
            folder=self._app.folder.path / "environments" / name,
            sandbox=sandbox,
            limits=limits,
            setup=project.verify.setup,
            network=project.verify.setup_network,
            expose=project.verify.expose,
            readable=readable,
        )
