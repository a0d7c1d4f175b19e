"""The ledger of nights, read by the standard library alone: for a daemon that idles and a ``status`` that is quick."""

import json
import sqlite3
from datetime import date, datetime

from selfimprover.domain import LedgerNight
from selfimprover.errors import UsageError
from selfimprover.memory import file


class Ledger:
    """Reads the ledger of a memory; before the first night there is none, and everything is empty."""

    def __init__(self, url: str) -> None:
        self._url = url

    def last_ended(self) -> LedgerNight | None:
        """The night that ended last."""
        nights = self._nights("status = 'ended' ORDER BY ended DESC LIMIT 1")
        return nights[0] if nights else None

    def unfinished(self) -> list[LedgerNight]:
        """The nights that were begun and neither ended nor abandoned, newest first."""
        return self._nights("status = 'running' ORDER BY at DESC")

    def is_settled(self, day: date) -> bool:
        """Whether some run has stood in for the due night of the day, or is about to."""
        return bool(self._nights("due = ?", day.isoformat()))

    def _nights(self, where: str, *parameters: str) -> list[LedgerNight]:
        if file.current_revision(self._url) not in file.REVISIONS[1:]:
            return []
        path = file.path_of(self._url)
        select = f"SELECT key, at, status, tries, ended, report FROM night WHERE {where}"  # noqa: S608
        try:
            found = file.ask(path, lambda connection: connection.execute(select, parameters).fetchall())
        except sqlite3.Error as error:
            raise UsageError(
                f"it cannot be read: {error}", where=f"memory {path}", mend="`selfimprover memory verify` looks at it"
            ) from error
        return [_night(*row) for row in found]


def _night(key: str, at: str, status: str, tries: int, ended: str | None, report: str | None) -> LedgerNight:
    document = json.loads(report) if report else {"findings": [], "errors": []}
    return LedgerNight(
        key=key,
        at=datetime.fromisoformat(at),
        status=status,
        tries=tries,
        ended=datetime.fromisoformat(ended) if ended else None,
        findings=len(document["findings"]),
        pull_requests=sum(one["state"] == "open" and one.get("before") != "open" for one in document["findings"]),
        errors=len(document["errors"]),
    )
