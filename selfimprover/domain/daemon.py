"""What the daemon says of itself, and what a look at the parts of a configuration showed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Examined:
    """One part: whether it is in order, what was seen, and how to mend it if not."""

    part: str
    ok: bool
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerNight:
    """A night of the ledger; the counts are of its report, and nought where it has none yet."""

    key: str
    at: datetime
    status: str
    """``running`` (also after a crash), ``ended`` or ``abandoned``."""
    tries: int
    ended: datetime | None = None
    findings: int = 0
    pull_requests: int = 0
    """Those that it opened."""
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonState:
    """What the daemon is doing, kept beside its lock for ``status`` and ``trigger``."""

    pid: int
    version: str
    config: str
    since: datetime
    doing: str
    """``starting``, ``waiting``, ``night`` or ``stopping``."""
    next_night: datetime | None
    night_began: float | None = None
    """When the last night began, on the monotonic clock (seconds) that the processes of a machine share."""
    night_over: float | None = None
    """When it was over, however it ended; earlier than ``night_began`` while it is on."""
    trouble: str | None = None
    """Why the last night did not come to its end."""
    refused: str | None = None
    """Why the configuration that it was last asked to load is not in force."""
    examined: tuple[Examined, ...] = ()
    """What the look at every part showed when the configuration was loaded."""
