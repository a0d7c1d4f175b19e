"""What goes over the wire: requests as they came, answers, and refusals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Request:
    """``path`` is still percent-encoded; names of ``headers`` are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    def body(self) -> Any:
        """The parsed body, ``None`` if there is none or it is not JSON."""
        try:
            return json.loads(self.raw)
        except ValueError:
            return None


@dataclass
class Answer:
    """``body`` is JSON, or ``bytes`` to be sent as they are, or ``None`` for no body at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, separators=(",", ":")).encode()


class ApiError(Exception):
    """A refusal in GitHub's shape; ``errors`` become ``errors[]``."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Json | str] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        body: Json = {"message": message, **more}
        if errors:
            body["errors"] = list(errors)
        body |= {"documentation_url": DOCS, "status": str(status)}
        self.answer = Answer(status, body, dict(headers or {}))


def invalid(resource: str, field_: str | None, code: str, message: str | None = None) -> ApiError:
    """422 *Validation Failed* with one entry of ``errors[]``."""
    entry: Json = {"resource": resource, "code": code}
    if field_:
        entry["field"] = field_
    if message:
        entry["message"] = message
    return ApiError(422, "Validation Failed", [entry])
