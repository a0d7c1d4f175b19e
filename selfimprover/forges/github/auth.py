"""Who we are to GitHub: a person's token, or a GitHub App with tokens of an hour each."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from selfimprover.errors import ForgeError, UsageError
from selfimprover.forges.github.addresses import path
from selfimprover.forges.github.errors import MissingError, RefusedByGitHubError, UnauthorisedError
from selfimprover.forges.github.rules import Answer

Exchange = Callable[[str, str, Mapping[str, object]], Awaitable[Answer]]
"""Posts a body to a path with a bearer token that is none of ours to keep: ``(path, bearer, body)``."""

_BACKDATED = timedelta(seconds=60)
_LIFE = timedelta(minutes=9)
_EARLY = timedelta(minutes=5)
_LARGEST_KEY = 1 << 16
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Auth(Protocol):
    """Where the bearer token of every request comes from."""

    async def token(self, exchange: Exchange) -> str:
        """A token that is good now; ``exchange`` is how to get one. Raises ``ForgeError``."""

    async def renew(self, used: str) -> bool:
        """GitHub did not take ``used``: whether ``token`` will now give another one."""


class TokenAuth:
    """A token as it is, fine-grained or classic."""

    def __init__(self, token: str) -> None:
        if not token.strip() or not token.isascii() or any(one.isspace() for one in token.strip()):
            raise UsageError("the token is empty or has characters that no token has", where="github.token")
        self._token = token.strip()

    async def token(self, exchange: Exchange) -> str:  # noqa: ARG002  (the protocol's signature)
        """The token."""
        return self._token

    async def renew(self, used: str) -> bool:  # noqa: ARG002
        """There is no other one."""
        return False

    def __repr__(self) -> str:
        return "TokenAuth(***)"


class AppAuth:
    """A GitHub App's installation: tokens narrowed to ``repositories`` (names without owner) and ``permissions``.

    ``app_id`` is the App's client id or number, ``private_key`` the PEM text or its file. A token is renewed five
    minutes before its hour is over, once for all who ask at the same time. Raises ``UsageError`` for an unusable key.
    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
    """

    def __init__(
        self,
        app_id: str | int,
        private_key: str | Path,
        installation_id: int,
        *,
        repositories: Sequence[str] = (),
        permissions: Mapping[str, str] = _NOTHING,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app_id = str(app_id)
        self._key = load_key(private_key)
        self._installation_id = installation_id
        self._wanted: dict[str, object] = {}
        if repositories:
            self._wanted["repositories"] = list(repositories)
        if permissions:
            self._wanted["permissions"] = dict(permissions)
        self._now = now
        self._token: str | None = None
        self._ends = datetime.min.replace(tzinfo=UTC)
        self._renewing = asyncio.Lock()
        self.granted: Mapping[str, str] = _NOTHING
        """The permissions of the newest token, by GitHub's names."""

    async def token(self, exchange: Exchange) -> str:
        """The installation's token, a new one if the last is nearly over."""
        async with self._renewing:
            if self._token is None or self._now() >= self._ends - _EARLY:
                self._keep(await self._ask(exchange))
            return str(self._token)

    async def renew(self, used: str) -> bool:
        """Forgets ``used``; who comes late finds that somebody else has renewed it already."""
        if self._token == used:
            self._token = None
        return True

    def __repr__(self) -> str:
        return f"AppAuth(app_id={self._app_id!r}, installation_id={self._installation_id})"

    def app_token(self) -> str:
        """The App's own token (JWT), good for nine minutes and by a clock that is a minute fast.

        https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
        """
        now = self._now()
        claims = {
            "iat": int((now - _BACKDATED).timestamp()),
            "exp": int((now + _LIFE).timestamp()),
            "iss": self._app_id,
        }
        return jwt.encode(claims, self._key, algorithm="RS256")

    async def _ask(self, exchange: Exchange) -> Answer:
        """Asks for a token.

        https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
        """
        place = path("/app/installations/{id}/access_tokens", id=self._installation_id)
        try:
            return await exchange(place, self.app_token(), self._wanted)
        except MissingError as error:
            mend = "check github.installation_id, and that the App is still installed"
            raise MissingError(
                f"there is no installation {self._installation_id}", where=error.where, mend=mend
            ) from error
        except RefusedByGitHubError as error:
            mend = (
                "install the App on the repository, correct projects.repository.name if it was renamed,"
                " and accept the permissions that it asks for"
            )
            raise RefusedByGitHubError(
                error.what, where=error.where, mend=mend, codes=error.codes, messages=error.messages
            ) from error
        except UnauthorisedError as error:
            if "clock" in error.mend:
                raise
            mend = "check that github.app_id and github.private_key_file belong together"
            raise UnauthorisedError(error.what, where=error.where, mend=mend) from error

    def _keep(self, answer: Answer) -> None:
        """Tokens have no fixed length or alphabet, so only their being there is asked for."""
        data = answer.data if isinstance(answer.data, dict) else {}
        token, granted = data.get("token"), data.get("permissions")
        try:
            ends = datetime.fromisoformat(str(data.get("expires_at")))
        except ValueError:
            ends = None
        if not isinstance(token, str) or not token or not token.isascii() or ends is None or ends.tzinfo is None:
            raise ForgeError("GitHub's answer has no token with an end", where="the token of the App's installation")
        self._token, self._ends = token, ends
        self.granted = {str(name): str(level) for name, level in granted.items()} if isinstance(granted, dict) else {}


def load_key(source: str | Path) -> RSAPrivateKey:
    """The RSA key in a PEM text or file; raises ``UsageError`` that names the file and never shows what is in it."""
    where = str(source) if isinstance(source, Path) else "the App's private key"
    mend = "make one in the App's settings, and keep the .pem file as it was downloaded"
    try:
        key = load_pem_private_key(_pem(source), password=None)
    except OSError as error:
        raise UsageError(f"the key cannot be read: {error.strerror}", where=where) from error
    except TypeError:
        raise UsageError("the key is locked by a password", where=where, mend="store it without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("this is not a private key in PEM form", where=where, mend=mend) from None
    if not isinstance(key, RSAPrivateKey):
        raise UsageError("this is not an RSA key", where=where, mend=mend)
    return key


def _pem(source: str | Path) -> bytes:
    if isinstance(source, str):
        return source.encode("utf-8", "replace")
    if source.exists() and not source.is_file():
        raise UsageError("this is not a file", where=str(source))
    with source.open("rb") as file:
        return file.read(_LARGEST_KEY)
