"""Work that goes on beside the dialogue."""

import asyncio


class Workers:
    """Starts coroutines and collects what they give."""

    def __init__(self):
        self._tasks = {}

    def start(self, name, coroutine):
        """Starts a worker."""
        self._tasks[name] = asyncio.ensure_future(coroutine)

    async def stop(self, patience):
        """Waits ``patience`` seconds, cancels and awaits what still runs, and returns the results by name.

        A worker that had to be cancelled has no result and is left out. An error of a worker is raised here.
        """
        if not self._tasks:
            return {}
        await asyncio.wait(self._tasks.values(), timeout=patience)
        return {name: task.result() for name, task in self._tasks.items()}
