"""What the tests do on a base, found out once and kept: for the night in memory, for later ones in a folder."""

import asyncio
import contextlib
import hashlib
import json
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from selfimprover.verification.junit import Report
from selfimprover.verification.results import Run

_FORMAT = 1
_KEPT_DAYS = 30


class BaseResults:
    """Runs by what they depend on; without a ``folder`` they last as long as this object.

    Only runs that a comparison can use are written down: a base that timed out may have had a bad night.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, Run] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(
        self, depends: Mapping[str, object], make: Callable[[], Awaitable[Run]], *, written: bool = True
    ) -> Run:
        """The run for ``depends``; ``make`` is called at most once at a time, and only if none is known.

        One that is judged by what it printed is not to be ``written`` down: that is not kept.
        """
        name = hashlib.sha256(json.dumps({**depends, "format": _FORMAT}, sort_keys=True).encode()).hexdigest()
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name not in self._known:
                stored = await asyncio.to_thread(self._read, name) if written else None
                self._known[name] = stored or await make()
                if stored is None and written:
                    await asyncio.to_thread(self._write, name, self._known[name])
            return self._known[name]

    def _read(self, name: str) -> Run | None:
        if self._folder is None:
            return None
        try:
            stored = json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))
            return _run(stored)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # there is none, or it was cut off: it is made again

    def _write(self, name: str, run: Run) -> None:
        if self._folder is None or run.status is None or run.why or not run.executed:
            return
        with contextlib.suppress(OSError):  # a cache: without room for it, the next night runs the tests again
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._prune(self._folder)
            draft = self._folder / f".{name}.{secrets.token_hex(4)}"
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(_document(run)), encoding="utf-8")
            draft.replace(self._folder / f"{name}.json")

    def _prune(self, folder: Path) -> None:
        oldest = time.time() - _KEPT_DAYS * 86_400
        for path in folder.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


def _document(run: Run) -> dict[str, object]:
    """Ids and counts; nothing of what the tests printed, which nobody has redacted."""
    report = run.report and {"passed": run.report.passed, "failed": run.report.failed, "skipped": run.report.skipped}
    return {
        "status": run.status,
        "seconds": run.seconds,
        "report": report,
        "executed": None if report else run.executed,
        "witnessed": run.witnessed,
    }


def _run(stored: Mapping[str, object]) -> Run:
    report = stored["report"]
    made = None
    if isinstance(report, dict):
        passed, failed, skipped = (Counter({str(one): int(n) for one, n in report[key].items()}) for key in _KEYS)
        made = Report(passed, failed, skipped)
    told = stored["executed"]
    printed = f"Ran {int(told)} tests in all" if isinstance(told, int) else ""
    return Run(int(str(stored["status"])), float(str(stored["seconds"])), made, printed, "", bool(stored["witnessed"]))


_KEYS = ("passed", "failed", "skipped")
