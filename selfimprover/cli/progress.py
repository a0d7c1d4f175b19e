"""Progress on stderr: a spinner on a terminal, nothing elsewhere (the log tells it there)."""

from collections.abc import Iterator
from contextlib import contextmanager

from selfimprover.interfaces import Progress

_VERBS = {
    "sync": "Asking the forge about pull requests of",
    "read": "Reading the telemetry of",
    "analyze": "Analyzing",
    "draft": "Drafting a fix for",
    "verify": "Proving:",
    "publish": "Publishing:",
}


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Progress]:
    """A ``Progress`` that a person can watch."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _step, _detail="": None
        return
    with console.status("Beginning") as status:
        yield lambda step, detail="": status.update(f"{_VERBS.get(step, step)} {escape(detail)}")
