"""The tests' fake GitHub in a process of its own, so that its work is not counted as ours."""

import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Hosted:
    """The other process; one question at a time."""

    link: Connection
    url: str
    token: str

    def make(self, repository: str, files: dict[str, str]) -> None:
        """A repository with these files on main."""
        self._ask("make", repository, files)

    def forget_calls(self) -> None:
        """Counts from nothing again."""
        self._ask("forget")

    def calls(self) -> int:
        """How many it answered since."""
        return int(self._ask("calls"))

    def _ask(self, *question: object) -> Any:
        self.link.send(question)
        return self.link.recv()


@contextmanager
def hosted() -> Iterator[Hosted]:
    """Runs it for as long as the context lasts."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        url, token = ours.recv()
        yield Hosted(ours, url, token)
    finally:
        ours.send(("end",))
        process.join()


def _serve(link: Connection) -> None:
    sys.path.insert(0, str(ROOT))
    from tests.fakes.github import FakeGitHub

    with FakeGitHub() as hub:
        hub.limits.limit = sys.maxsize  # many nights within a minute are the point here
        hub.world.mergeable_reads = 0  # no null at first, after which a night waits before it asks again
        link.send((hub.url, hub.token()))
        while True:
            match link.recv():
                case ("make", repository, files):
                    hub.repository(repository, files)
                    link.send(None)
                case ("forget",):
                    hub.log.clear()
                    link.send(None)
                case ("calls",):
                    link.send(len(hub.log))
                case _:
                    return
