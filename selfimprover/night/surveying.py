"""Reads the failures of each project once, and tells which of them are one pattern."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from selfimprover.domain import Calendar, Fingerprint, KnownPatterns, Occurrences, Pattern, TaskRecord, Window
from selfimprover.interfaces import Fingerprinter, Grouper, TelemetrySource
from selfimprover.night.owning import settle

_SAMPLES = 3
_PLACES = 10
_VARIANTS = 8
_MOST_TEXT = 16_000_000
"""Characters of samples that are held at once; beyond, those of the rarest errors go."""
_MOST_FINGERPRINTS = 50_000
"""Different fingerprints of one window; more are no patterns but noise, or an attack."""


@dataclass(slots=True)
class _Seen:
    """The failures of one fingerprint, as they stream by."""

    variants: dict[str, Fingerprint]
    """By their templates: what is no part of the identity may differ."""
    first_seen: datetime
    last_seen: datetime
    count: int = 0
    kinds: set[str | None] = field(default_factory=set)
    days: Counter[date] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    samples: list[TaskRecord] = field(default_factory=list)

    def add(self, record: TaskRecord, found: Fingerprint, day: date) -> int:
        """Counts a failure, and returns by how many characters the samples have grown."""
        self.count += 1
        self.first_seen = min(self.first_seen, record.created_at)
        self.last_seen = max(self.last_seen, record.created_at)
        self.kinds.add(record.kind)
        self.days[day] += 1
        if found.place is not None:
            self.places[found.place] += 1
        if len(self.variants) < _VARIANTS:
            self.variants.setdefault(found.template, found)
        self.samples.append(record)
        if len(self.samples) <= _SAMPLES:
            return _length(record)
        worst = min(self.samples, key=_worth)
        self.samples.remove(worst)
        return _length(record) - _length(worst)


class _Tally:
    """The failures of one window of one project by fingerprint."""

    def __init__(self, fingerprinter: Fingerprinter, calendar: Calendar) -> None:
        self._fingerprinter = fingerprinter
        self._calendar = calendar
        self._text = 0
        self.seen: dict[str, _Seen] = {}
        self.left_out = 0

    def add(self, records: Sequence[TaskRecord]) -> None:
        for record in records:
            found = self._fingerprinter.fingerprint(record.error, record.traceback)
            entry = self.seen.get(found.value)
            if entry is None:
                if len(self.seen) >= _MOST_FINGERPRINTS:
                    self.left_out += 1
                    continue
                entry = self.seen[found.value] = _Seen({}, record.created_at, record.created_at)
            self._text += entry.add(record, found, self._calendar.day_of(record.created_at))
        if self._text > _MOST_TEXT:
            self._shed()

    def _shed(self) -> None:
        """Lets samples go, those of the rarest first, until half of the room is free."""
        for entry in sorted(self.seen.values(), key=lambda one: (one.count, one.last_seen)):
            self._text -= sum(map(_length, entry.samples))
            entry.samples = []
            if self._text <= _MOST_TEXT // 2:
                return


class Survey:
    """One night's failures as patterns: an ``interfaces.Patterns``. Nothing of it blocks the event loop."""

    def __init__(
        self, fingerprinter: Fingerprinter, group: Grouper, calendar: Calendar, known: KnownPatterns | None = None
    ) -> None:
        self._fingerprinter = fingerprinter
        self._group = group
        self._calendar = calendar
        self._known = known or KnownPatterns()
        self._tallies: dict[tuple[str, Window], _Tally] = {}
        self._patterns: Mapping[str, Pattern] | None = None
        self.moves: Mapping[str, str] = {}
        """Findings that turned out to be one with another → that one."""

    async def read(self, telemetry: TelemetrySource, window: Window) -> None:
        """Reads a window, unless it was; raises ``TelemetryError``."""
        if (telemetry.project, window) in self._tallies:
            return
        tally = _Tally(self._fingerprinter, self._calendar)
        async for batch in telemetry.failures(window):
            await asyncio.to_thread(tally.add, batch)
        self._tallies[telemetry.project, window] = tally
        self._patterns = None

    async def in_window(self, telemetry: TelemetrySource, window: Window) -> Sequence[Occurrences]:
        """The patterns of the failures of one project, most frequent first; raises ``TelemetryError``."""
        await self.read(telemetry, window)
        patterns = await self._grouped()
        seen = self._tallies[telemetry.project, window].seen
        grouped: dict[str, list[_Seen]] = {}
        for value, entry in seen.items():
            grouped.setdefault(patterns[value].fingerprint.value, []).append(entry)
        found = [_occurrences(patterns[root], entries) for root, entries in grouped.items()]
        return sorted(found, key=lambda one: (-one.count, one.pattern.fingerprint.value))

    async def fresh(self) -> Sequence[Fingerprint]:
        """The fingerprints of tonight that were not known, in order."""
        known = {(one.value, one.template) for one in self._known.fingerprints}
        return [one for one in self._seen() if (one.value, one.template) not in known]

    def members(self, fingerprints: Collection[str]) -> frozenset[str]:
        """These values and all that tonight are found to mean the same."""
        patterns = self._patterns or {}
        same = (patterns[value].members for value in fingerprints if value in patterns)
        return frozenset(fingerprints).union(*same)

    def notes(self, project: str) -> Sequence[str]:
        """What of a project's failures was too much."""
        left_out = sum(tally.left_out for (name, _), tally in self._tallies.items() if name == project)
        if not left_out:
            return []
        return [f"{left_out} failures are in no pattern: there are more than {_MOST_FINGERPRINTS:,} kinds of error."]

    async def _grouped(self) -> Mapping[str, Pattern]:
        if self._patterns is None:
            self._patterns = await asyncio.to_thread(self._grouping)
        return self._patterns

    def _grouping(self) -> Mapping[str, Pattern]:
        first: dict[str, str] = {}
        owners = self._known.owners
        same = {value: first.setdefault(finding, value) for value, finding in owners.items()}
        found = self._group([*self._known.fingerprints, *self._seen()], same=same, apart=self._known.apart)
        settled, self.moves = settle(found, self._known)
        return settled

    def _seen(self) -> Sequence[Fingerprint]:
        found = {
            (one.value, one.template): one
            for tally in self._tallies.values()
            for entry in tally.seen.values()
            for one in entry.variants.values()
        }
        return [found[key] for key in sorted(found)]


def _occurrences(pattern: Pattern, entries: Sequence[_Seen]) -> Occurrences:
    days: Counter[date] = Counter()
    places: Counter[str] = Counter()
    for entry in entries:
        days += entry.days
        places += entry.places
    return Occurrences(
        pattern=pattern,
        count=sum(entry.count for entry in entries),
        first_seen=min(entry.first_seen for entry in entries),
        last_seen=max(entry.last_seen for entry in entries),
        kinds=frozenset(kind for entry in entries for kind in entry.kinds),
        days=days,
        places=tuple(sorted(places.items(), key=lambda item: (-item[1], item[0]))[:_PLACES]),
        samples=tuple(_best(sample for entry in entries for sample in entry.samples)),
    )


def _best(samples: Iterable[TaskRecord]) -> list[TaskRecord]:
    """The newest, but one with a traceback is worth more than a newer one without; newest first."""
    worth = sorted(samples, key=_worth, reverse=True)
    return sorted(worth[:_SAMPLES], key=lambda sample: sample.created_at, reverse=True)


def _worth(sample: TaskRecord) -> tuple[bool, datetime]:
    return sample.traceback is not None, sample.created_at


def _length(record: TaskRecord) -> int:
    return sum(len(text) for text in (record.error, record.traceback, record.input) if text)
