"""Runs a night that kills itself with SIGKILL at its n-th crash point; a program of ``test_crashes``.

Crash points lie after every call that changes the memory, the forge or GitHub, and so before the next one.
Arguments: config file, instant, n. With n = 0 nothing is killed; the number of points passed is printed.
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from selfimprover import logs
from selfimprover.bootstrap import nights, open_app
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.local import LocalForge
from selfimprover.memory.store import SqlMemory

P = ParamSpec("P")
T = TypeVar("T")

POINTS: dict[type, tuple[str, ...]] = {
    SqlMemory: (
        *("begin_night", "end_night", "remember", "move", "park", "store_draft", "store_verdict"),
        *("store_push", "store_pull_request", "store_outcome"),
        *("adopt", "store_head", "store_revision", "note_answer", "refresh_pull_request"),
    ),
    LocalForge: ("push", "open"),
    GitHub: ("write", "graphql"),
}


class Crash:
    """Counts points and kills this process at the chosen one."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(method)
        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            result = await method(*args, **kwargs)
            self.point()
            return result

        return call


async def main(config: Path, at: str, crash_at: int) -> int:
    crash = Crash(crash_at)
    for kind, names in POINTS.items():
        for name in names:
            setattr(kind, name, crash.around(getattr(kind, name)))
    logs.set_up(quiet=True)
    app = open_app(config)
    with app.held():
        async with nights.night(app) as (night, _parts, _projects):
            await night.run(app.instant(at))
    return crash.passed


if __name__ == "__main__":
    print(asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
