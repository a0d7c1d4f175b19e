"""What goes wrong on purpose: for a method, a path and the nth call of both."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.fakes.github.answers import Answer


@dataclass
class Fault:
    """Meets the calls ``nth`` to ``nth + times - 1`` of those that match after it was added."""

    name: str
    method: str
    pattern: str
    nth: int = 1
    times: int | None = 1
    effect: bool = True
    """Whether the request is carried out."""
    answer: Answer | None = None
    """Given instead of the true one."""
    drop: bool = False
    """The connection ends without an answer."""
    reset: bool = False
    """… with a TCP reset."""
    cut: float | None = None
    """The connection ends after this part of the body."""
    delay: float = 0
    """Seconds before the first byte."""
    stall: float = 0
    """Seconds in the middle of the body."""
    seen: int = field(default=0, init=False)
    """Matching calls so far."""

    def meets(self, method: str, path: str) -> bool:
        """Whether it hits this call, which counts as seen."""
        if not (fnmatchcase(method, self.method) and fnmatchcase(path, self.pattern)):
            return False
        self.seen += 1
        return self.nth <= self.seen and (self.times is None or self.seen < self.nth + self.times)

    @property
    def fired(self) -> bool:
        return self.seen >= self.nth


class Faults:
    """The plan. ``pattern`` is matched as in a shell, where ``*`` spans slashes, on the decoded path."""

    def __init__(self) -> None:
        self.plan: list[Fault] = []

    def clear(self) -> None:
        self.plan.clear()

    def add(self, fault: Fault) -> Fault:
        self.plan.append(fault)
        return fault

    def meet(self, method: str, path: str) -> Fault | None:
        """The first fault that hits this call; all that match it count it."""
        hits = [fault for fault in list(self.plan) if fault.meets(method, path)]
        return hits[0] if hits else None

    def answer(
        self,
        method: str,
        pattern: str,
        status: int,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        effect: bool = False,
        nth: int = 1,
        times: int | None = 1,
    ) -> Fault:
        """Another answer, after the effect or without one; text goes as HTML, bytes as they are, all else as JSON."""
        extra = dict(headers or {})
        if body is None:
            body = {"message": "Server Error"}
        if isinstance(body, str):
            extra.setdefault("Content-Type", "text/html; charset=utf-8")
            body = body.encode()
        given = Answer(status, body, extra)
        return self.add(Fault(f"answer {status}", method, pattern, nth, times, effect=effect, answer=given))

    def html(self, method: str, pattern: str, status: int = 200, *, nth: int = 1, times: int | None = 1) -> Fault:
        """The page of a proxy that answers instead."""
        page = "<!DOCTYPE html><html><body><h1>Sign in to the network</h1></body></html>"
        return self.answer(method, pattern, status, page, nth=nth, times=times)

    def wrong_json(
        self, method: str, pattern: str, body: Any = b'{"message": ', *, nth: int = 1, times: int | None = 1
    ) -> Fault:
        """After the effect: 200 with JSON that is cut off, or with any ``body`` of the wrong shape."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return self.answer(method, pattern, 200, content, headers=kind, effect=True, nth=nth, times=times)

    def lose_reply(
        self, method: str, pattern: str, *, nth: int = 1, times: int | None = 1, reset: bool = False
    ) -> Fault:
        """The request is carried out, and the connection ends without an answer."""
        return self.add(Fault("lost reply", method, pattern, nth, times, drop=True, reset=reset))

    def drop(self, method: str, pattern: str, *, nth: int = 1, times: int | None = 1, reset: bool = False) -> Fault:
        """The connection ends before anything was done."""
        return self.add(Fault("dropped", method, pattern, nth, times, effect=False, drop=True, reset=reset))

    def cut(self, method: str, pattern: str, part: float = 0.5, *, nth: int = 1, times: int | None = 1) -> Fault:
        """The request is carried out, and the connection ends within the answer's body."""
        return self.add(Fault("cut off", method, pattern, nth, times, cut=part))

    def delay(self, method: str, pattern: str, seconds: float, *, nth: int = 1, times: int | None = 1) -> Fault:
        """The request is carried out at once, and answered late."""
        return self.add(Fault("delayed", method, pattern, nth, times, delay=seconds))

    def stall(self, method: str, pattern: str, seconds: float, *, nth: int = 1, times: int | None = 1) -> Fault:
        """The request is carried out, and the answer halts in the middle of its body."""
        return self.add(Fault("stalled", method, pattern, nth, times, stall=seconds))
