"""The record that our own plugin of pytest keeps of a run, beside the report that anybody could write.

What it is good for: code under test that ends the process, or that writes reports, does not get a complete record
sealed with a key that it has never seen. What it is not: proof against code that searches the memory of its own process
for the seal, or that bends pytest itself. Nothing within one process is; ``reach.py`` refuses the means to do so.
"""

import hashlib
import hmac
import json
import os
import secrets
import shutil
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from selfimprover.verification.junit import MAX_TEXT, MAX_TEXTS, Report

PLUGIN = "selfimprover_witness"
_SOURCE = Path(__file__).with_name("inside") / "witness" / f"{PLUGIN}.py"
_MAX_BYTES = 100_000_000
_WORSE = {"": 0, "passed": 1, "skipped": 2, "rerun": 3}
"""Outcomes, best first; any other is a failure."""


def install(tools: Path, report_folder: Path) -> bytes:
    """Puts the plugin into ``tools`` and its key into ``report_folder``; the key, which the run takes away."""
    shutil.copyfile(_SOURCE, tools / _SOURCE.name)
    key = secrets.token_bytes(32)
    (report_folder / "key").write_bytes(key)
    return key


def read_record(folder: Path, key: bytes) -> Report | None:
    """What the record beneath ``folder`` says; ``None`` unless it is whole, from start to finish, and truly ours."""
    content = _content(folder / "record")
    if content is None or not content.endswith(b"\n"):
        return None
    seal, tale = hmac.new(key, digestmod=hashlib.sha256), _Tale()
    for line in content[:-1].split(b"\n"):
        claimed, _, fact = line.partition(b" ")
        seal.update(fact)
        if not hmac.compare_digest(claimed, seal.copy().hexdigest().encode()):
            return None
        tale.hear(json.loads(fact))  # sealed by us, so it is what json.dumps wrote
    return tale.report()


def _content(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = file.read(_MAX_BYTES + 1)
    return content if len(content) <= _MAX_BYTES else None


class _Tale:
    """Puts the phases of each test together: set-up, call, tear-down."""

    def __init__(self) -> None:
        self._finished = False
        self._started = False
        self._broken = False
        self._passed: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._texts: dict[str, str] = {}
        self._open: dict[str, dict[str, str]] = {}

    def hear(self, fact: Mapping[str, object]) -> None:
        kind = fact["kind"]
        self._broken |= (kind == "start") == self._started or self._finished
        self._started = True
        if kind == "phase":
            self._phase(str(fact["id"]), str(fact["when"]), str(fact["outcome"]))
            self._keep(fact)
        elif kind == "collection":
            self._failed[str(fact["id"])] += 1
            self._keep(fact)
        elif kind == "finish":
            for test in list(self._open):
                self._close(test)
            self._finished = True

    def report(self) -> Report | None:
        if self._broken or not self._finished:
            return None
        return Report(self._passed, self._failed, self._skipped, self._texts)

    def _phase(self, test: str, when: str, outcome: str) -> None:
        phases = self._open.setdefault(test, {})
        # a test may report more than one outcome of its call, as with subtests: the worst counts
        phases[when] = max(outcome, phases.get(when, ""), key=lambda one: _WORSE.get(one, len(_WORSE)))
        if when == "teardown":
            self._close(test)

    def _close(self, test: str) -> None:
        phases = self._open.pop(test)
        outcomes = set(phases.values())
        if "rerun" in outcomes:  # the occurrence that follows counts
            return
        if outcomes == {"passed"} and "call" in phases:
            self._passed[test] += 1
        elif outcomes <= {"passed", "skipped"} and "skipped" in outcomes:
            self._skipped[test] += 1
        else:
            self._failed[test] += 1

    def _keep(self, fact: Mapping[str, object]) -> None:
        if fact["text"] and len(self._texts) < MAX_TEXTS:
            self._texts.setdefault(str(fact["id"]), str(fact["text"])[-MAX_TEXT:])
