"""Everything that was asked of the fake, for tests that count calls or search for secrets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

WRITES = {"POST", "PATCH", "PUT", "DELETE"}


@dataclass
class Call:
    """A request and what became of it; ``host`` is api or codeload, ``headers`` are without Authorization.

    ``status`` is ``None`` if nothing was answered; ``fault`` says what went wrong on purpose.
    """

    host: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    authorized: bool
    """An Authorization header came along."""
    body: Any
    raw: bytes
    at: datetime
    """By the fake's clock."""
    status: int | None = None
    sent: int = 0
    """Bytes of the answer's body."""
    fault: str | None = None
    user: str | None = None

    @property
    def is_write(self) -> bool:
        """Whether it may change something that others see."""
        if self.path.endswith("/graphql"):
            return b"mutation" in self.raw
        return self.method in WRITES and not self.path.endswith("/access_tokens")


class Log:
    """All calls, oldest first."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self.calls))

    def __len__(self) -> int:
        return len(self.calls)

    def clear(self) -> None:
        self.calls.clear()

    def select(self, method: str = "*", pattern: str = "*", host: str = "*") -> list[Call]:
        """The calls whose method, path and host match, as in a shell; ``*`` spans slashes."""
        return [
            call
            for call in self
            if fnmatchcase(call.method, method) and fnmatchcase(call.path, pattern) and fnmatchcase(call.host, host)
        ]

    def writes(self) -> list[Call]:
        return [call for call in self if call.is_write]

    def write_gaps(self) -> list[float]:
        """Seconds from each write to the next, by the fake's clock."""
        times = [call.at for call in self.writes()]
        return [(after - before).total_seconds() for before, after in pairwise(times)]

    def bodies(self) -> bytes:
        """All that was sent in bodies, paths and queries, to be searched for secrets."""
        return b"\n".join(f"{call.path}?{dict(call.query)}".encode() + b"\n" + call.raw for call in self)

    def bytes_up(self) -> int:
        return sum(len(call.raw) for call in self)

    def bytes_down(self) -> int:
        return sum(call.sent for call in self)

    def lines(self) -> list[str]:
        """Method, path and status of each call, for a failing test to show."""
        return [f"{call.method} {call.path} -> {call.fault or call.status}" for call in self]
