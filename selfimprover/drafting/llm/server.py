"""Whom to ask, and how patiently."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from selfimprover.drafting.llm.faults import plain


@dataclass(frozen=True, slots=True)
class Server:
    """Whom to ask."""

    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    temperature: float = 0.0
    concurrency: int = 2

    @property
    def place(self) -> str:
        """Model and address as a message may show them."""
        parts = urlsplit(self.base_url)
        port = f":{parts.port}" if parts.port else ""
        return plain(f"model {self.model} at {parts.hostname or ''}{port}{parts.path}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often, in seconds."""

    call: float = 600.0
    """One question with all that is repeated and waited for."""
    attempt: float = 280.0
    """One request: a second one still fits."""
    connect: float = 15.0
    attempts: int = 4
    wait: float = 120.0
    """The longest wait that a server may ask for."""
    most_bytes: int = 8 << 20
