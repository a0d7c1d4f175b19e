"""What had to be left out or cut while telemetry was read, counted, and said in one sentence each."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from selfimprover.telemetry.database import quoted
from selfimprover.telemetry.rows import MAX_TEXT, text_of

SANE_FROM = 978_307_200_000_000
"""2001-01-01 in microseconds since 1970: an earlier time is that of a clock that was not set."""

_EXAMPLE_LENGTH = 40
_LOOKED_AT = -4
_WHY = {
    -1: "a time that cannot be read",
    -2: "a time before 2001",
    -3: "a time that is more than a day from now in the future",
}


@dataclass
class Remarks:
    """Grows while telemetry is read; what is counted again counts once."""

    redact: Callable[[str], str]
    newest: str | None = None
    """What the newest rows showed; it counts where the rows that were looked at were not counted."""
    cut: int = 0
    gone: int = 0
    _looked_at: int = 0
    _odd: dict[int, tuple[int, str]] = field(default_factory=dict)

    def note_newest(self, written: list[str | None], count: int) -> None:
        """Of the newest ``count`` rows, those whose time cannot be read, as it is written."""
        self.newest = None
        if written:
            self.newest = (
                f"{len(written)} of the newest {count} rows have a time that cannot be read, "
                f"for example {self.example(written[0])}; such rows are left out."
            )

    def note_odd(self, rows: Iterable[sqlite3.Row]) -> None:
        """Lines of ``status_counts`` about rows that it could not count. The look at the most rows is what stays."""
        counts: Counter[int] = Counter()
        examples: dict[int, str] = {}
        for row in rows:
            counts[row["place"]] += int(row["count"])
            examples.setdefault(row["place"], self.example(text_of(row["status"])))
        if counts[_LOOKED_AT] > self._looked_at:
            self._looked_at = counts.pop(_LOOKED_AT)
            self._odd = {place: (count, examples[place]) for place, count in counts.items()}

    def example(self, written: str | None) -> str:
        """A foreign text, short, redacted and harmless."""
        return "nothing" if written is None else f"'{quoted(self.redact(written)[:_EXAMPLE_LENGTH])}'"

    def sentences(self) -> list[str]:
        """One for each thing."""
        said = [self.newest] if self.newest and not self._looked_at else []
        for place, why in _WHY.items():
            count, example = self._odd.get(place, (0, ""))
            if count:
                have, are = ("has", "it is") if count == 1 else ("have", "they are")
                said.append(
                    f"{count:,} of the {self._looked_at:,} rows looked at {have} {why}, for example {example};"
                    f" {are} left out."
                )
        if self.cut:
            texts, were = ("text", "was") if self.cut == 1 else ("texts", "were")
            said.append(f"{self.cut:,} {texts} longer than {MAX_TEXT:,} characters {were} cut in the middle.")
        if self.gone:
            tasks, were = ("task", "was") if self.gone == 1 else ("tasks", "were")
            said.append(f"{self.gone:,} failed {tasks} {were} deleted or changed while they were read, and left out.")
        return said
