"""Fingerprints of errors, the patterns that they mean, and how often those occurred."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from selfimprover.domain.telemetry import TaskRecord


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The identity of an error text under one version of the algorithm, with what it was made from."""

    value: str
    """16 hex digits; the rest is told by it, but for what has no part in the identity."""
    version: int
    error_type: str | None = field(compare=False)
    """The short name of the exception class, if there is one."""
    locus: str | None = field(compare=False)
    """``file.py:function`` of the innermost frame in the project's own code, if it takes part in the identity."""
    template: str = field(compare=False)
    """The message with its varying parts masked; no part of the identity where type and locus say it all."""
    place: str | None = field(default=None, compare=False)
    """Where in the project's own code it came from; no part of the identity unless it is the locus."""
    root: str | None = field(default=None, compare=False)
    """Type and place or message of the first exception of its chain, if that is another."""


@dataclass(frozen=True, slots=True)
class Join:
    """Why one fingerprint means the same pattern as another."""

    fingerprint: str
    reason: str
    """A sentence for a person."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Failures that share one cause, as far as text and stack can tell."""

    fingerprint: Fingerprint
    """The smallest of them, with the template that covers all."""
    members: tuple[str, ...]
    """The values of all fingerprints that mean it, in order."""
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownPatterns:
    """What earlier nights and people found out about fingerprints."""

    fingerprints: tuple[Fingerprint, ...] = ()
    """Those seen before, which are evidence for what is one."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Value of a fingerprint → id of the finding that it means; those of the oldest finding first."""
    apart: frozenset[str] = frozenset()
    """Values that a person took out of a pattern."""
    settled: frozenset[str] = frozenset()
    """The findings that people know already: they have a pull request, or somebody dismissed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """The failures of one pattern in one window of one project."""

    pattern: Pattern
    count: int
    first_seen: datetime
    last_seen: datetime
    kinds: frozenset[str | None]
    """The kinds of task that failed."""
    days: Mapping[date, int]
    """Local day → failures."""
    places: tuple[tuple[str, int], ...]
    """Where in the project's own code they came from and how often, most frequent first."""
    samples: tuple[TaskRecord, ...]
    """A few of them, newest first; those with a traceback rather than those without."""
