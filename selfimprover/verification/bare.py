"""No sandbox: the job runs as our own user, with limits and a clean environment, because the configuration says so."""

from selfimprover.verification.sandbox import Ending, Job, Limits
from selfimprover.verification.supervision import Launch, supervise

_GRACE = 2.0


class Bare:
    """``sandbox = "none"``. What it runs can do whatever we can."""

    name = "none"

    def key(self) -> str:
        """It depends on nothing."""
        return self.name

    async def run(self, job: Job, limits: Limits) -> Ending:
        """Runs the job bare. Its memory and its processes are counted by the supervisor."""
        launch = Launch(
            argv=("/bin/sh", "-c", job.command),
            env=job.env,
            folder=job.folder,
            output=job.output,
            watched=job.writable,
            grace=_GRACE,
        )
        return await supervise(launch, limits)
