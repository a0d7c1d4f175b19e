"""Turns rows of a foreign table into task records: any stored type is taken, every long text is redacted and capped."""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo

from selfimprover.domain import CUT_MARK, TaskRecord
from selfimprover.telemetry import times

MAX_TEXT = 64_000
"""The longest text that is given out, in characters."""

_HALF = (MAX_TEXT - len(CUT_MARK)) // 2
_MARGIN = 4_096
"""What is redacted beyond each cut and then dropped, so that no half of a secret remains beside it."""
_MAX_REMEMBERED = 2_000_000


def text_of(value: object) -> str | None:
    """Any SQLite value as text: bytes as UTF-8 (replaced where they are not), NUL characters replaced."""
    if value is None:
        return None
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def instant_of(moment: object, local: object, zone: tzinfo) -> datetime | None:
    """The time (UTC) that the fragments ``moment`` and ``local`` read; ``None`` if they could not read it."""
    if not isinstance(moment, int):
        return None
    try:
        written = times.from_microseconds(moment)
        return times.local_to_utc(written.replace(tzinfo=None), zone) if local else written
    except OverflowError:
        return None


def instant_as_read(value: object, zone: tzinfo) -> datetime | None:
    """The time (UTC) that the fragment ``instant`` read; ``None`` if it could not read it."""
    if not isinstance(value, str):
        return instant_of(value, 0, zone)
    if value.startswith("L"):
        return instant_of(int(value[1:]), 1, zone)
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:  # a day or an hour that does not exist
        return None


class RecordReader:
    """Reads the rows of one project's ``failures`` statement. ``cut`` counts the texts that were too long.

    Ids are texts like any other: what leads to a row is its key.
    """

    def __init__(self, project: str, zone: tzinfo, redact: Callable[[str], str]) -> None:
        self._project = project
        self._zone = zone
        self._redact = redact
        self._remembered: dict[str, str] = {}
        self._letters = 0
        self.cut = 0

    def records(self, rows: Iterable[sqlite3.Row]) -> list[TaskRecord]:
        """The rows as records, in the same order; a row whose time cannot be read is left out.

        A text is redacted once, and kept once, however many rows have it.
        """
        return [record for row in rows if (record := self._record(row)) is not None]

    def _record(self, row: sqlite3.Row) -> TaskRecord | None:
        created_at = instant_as_read(row["created_at"], self._zone)
        if created_at is None:
            return None
        return TaskRecord(
            project=self._project,
            id=self._clean(row["id"]) or "",
            status=text_of(row["status"]) or "",
            created_at=created_at,
            error=self._clean(row["error"]),
            traceback=self._clean(row["traceback"]),
            agent=self._clean(row["agent"]),
            kind=self._clean(row["kind"]),
            started_at=instant_as_read(row["started_at"], self._zone),
            finished_at=instant_as_read(row["finished_at"], self._zone),
            parent_id=self._clean(row["parent_id"]),
            retries=_whole(row["retries"]),
            input=self._clean(row["input"]),
            version=self._clean(row["version"]),
        )

    def _clean(self, value: object) -> str | None:
        if type(value) is int:
            return str(value)  # what is kept as a number is no secret, and most ids are
        if type(value) is str and len(value) <= MAX_TEXT and (known := self._remembered.get(value)) is not None:
            return known
        raw = text_of(value)
        if raw is None:
            return None
        self.cut += len(raw) > MAX_TEXT
        known = self._remembered.get(raw)
        if known is None:
            known = self._remember(raw)
        return known

    def _remember(self, raw: str) -> str:
        if self._letters > _MAX_REMEMBERED:
            self._remembered.clear()
            self._letters = 0
        self._letters += len(raw)
        self._remembered[raw] = redacted = self._redacted(raw)
        return redacted

    def _redacted(self, raw: str) -> str:
        if len(raw) <= MAX_TEXT:
            return self._redact(raw)
        head = self._redact(raw[: _HALF + _MARGIN])[:-_MARGIN][:_HALF]
        tail = self._redact(raw[-_HALF - _MARGIN :])[_MARGIN:][-_HALF:]
        return f"{head}{CUT_MARK}{tail}"


def _whole(value: object) -> int | None:
    """A count, whatever type it is stored as; ``None`` if it is none."""
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):  # a word, not a number, infinity
        return None
