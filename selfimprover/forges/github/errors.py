"""What GitHub can answer that a caller acts on. Everything else is a plain ``ForgeError``."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from selfimprover.errors import ForgeError

TOO_LARGE = "leave the project out: its repository is too large to be worked on here"
"""How to mend an archive that passes a limit."""

_NONE: Mapping[str, str] = MappingProxyType({})


class MissingError(ForgeError):
    """It does not exist, or the token may not know that it does: GitHub tells these apart for nobody."""


class RefusedByGitHubError(ForgeError):
    """GitHub understood the request and will not do it; it is never repeated unchanged.

    ``codes`` are those of its ``errors[]`` (``already_exists``, ``invalid``, ``custom`` …), ``messages`` what it says,
    the general sentence first.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        mend: str = "",
        codes: tuple[str, ...] = (),
        messages: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.codes = codes
        self.messages = messages

    @property
    def already_exists(self) -> bool:
        """Whether what was to be made is there already, such as a ref or the pull request of a branch."""
        return "already_exists" in self.codes or any("already exists" in text.lower() for text in self.messages)


class StaleError(ForgeError):
    """Something is not as the request supposed: a head moved, or the repository is empty."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", empty: bool = False) -> None:
        super().__init__(what, where=where, mend=mend)
        self.empty = empty


class ForbiddenError(ForgeError):
    """The token may not do this. ``permissions`` are those that would do, as GitHub names them; often empty."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", permissions: str = "") -> None:
        super().__init__(what, where=where, mend=mend)
        self.permissions = permissions


class UnauthorisedError(ForgeError):
    """The token, the key or the clock is wrong: nothing can be asked of GitHub at all."""


class LimitedError(ForgeError):
    """A rate limit that does not end in time; nothing was done. Asking before ``until`` may get the token banned.

    ``headers`` are the answer's, which say how long to wait.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        mend: str = "",
        until: datetime | None = None,
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.until = until
        self.headers = headers


class DoubtError(ForgeError):
    """A write of which nobody knows whether it was done: look before doing anything else."""


class BadArchiveError(ForgeError):
    """The archive of a commit is no good, or too large: fetching it once more tonight would give the same."""


class UnavailableError(ForgeError):
    """GitHub could not be reached or failed by itself, and nothing was changed: asking once more may help."""
