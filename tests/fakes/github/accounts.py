"""Users, tokens, apps and their installations: who asks, and what they may do."""

import base64
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt

from tests.fakes.github.answers import ApiError
from tests.fakes.github.clock import Clock

ALL_NEEDED = {
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "read",
    "statuses": "read",
    "metadata": "read",
}
LEVELS = {"": 0, "read": 1, "write": 2, "admin": 3}
ROLES = ("pull", "triage", "push", "maintain", "admin")


@dataclass(frozen=True, slots=True)
class User:
    """An account; ``type`` is User, Organization or Bot."""

    login: str
    id: int
    type: str = "User"

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(slots=True)
class Token:
    """``kind`` is fine-grained, classic, installation or app (a JWT); ``repositories`` ``None`` means all."""

    secret: str
    user: User
    kind: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    repositories: frozenset[int] | None = None
    expires_at: datetime | None = None
    revoked: bool = False
    role: str | None = None
    """What the user may do in repositories that do not say it."""
    installation: "Installation | None" = None
    app: "App | None" = None

    def may(self, wanted: str) -> bool:
        """``wanted`` as ``X-Accepted-GitHub-Permissions`` has it: ``a=write,b=read; c=write``."""
        return any(self._has_all(one.split(",")) for one in wanted.split(";"))

    def _has_all(self, pairs: Iterable[str]) -> bool:
        needed = [pair.strip().split("=") for pair in pairs]
        return all(LEVELS[self.permissions.get(name, "")] >= LEVELS[level] for name, level in needed)


@dataclass(slots=True)
class App:
    """A GitHub App, whose private key only the client has."""

    id: int
    client_id: str
    slug: str
    public_key: str
    owner: User
    user: User
    permissions: dict[str, str]


@dataclass(slots=True)
class Installation:
    """An app in an account; ``repositories`` ``None`` means all."""

    id: int
    app: App
    account: User
    permissions: dict[str, str]
    repositories: frozenset[int] | None
    suspended_at: datetime | None = None


class Accounts:
    """Everybody the fake knows."""

    def __init__(self, clock: Clock, next_id: Callable[[], int]) -> None:
        self._clock = clock
        self._next_id = next_id
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: list[App] = []
        self.installations: dict[int, Installation] = {}

    def user(self, login: str, kind: str = "User") -> User:
        """The account, made if it is new."""
        return self.users.setdefault(login.lower(), User(login, self._next_id(), kind))

    def add_token(self, token: Token) -> Token:
        self.tokens[token.secret] = token
        return token

    def add_app(self, slug: str, public_key: str, owner: str, permissions: Mapping[str, str]) -> App:
        number = self._next_id()
        bot = self.user(f"{slug}[bot]", "Bot")
        app = App(number, f"Iv23li{number:014}", slug, public_key, self.user(owner), bot, dict(permissions))
        self.apps.append(app)
        return app

    def authenticate(self, header: str | None) -> Token | None:
        """Whose request this is; ``None`` without a header."""
        if header is None:
            return None
        scheme, _, secret = header.partition(" ")
        if scheme.lower() not in {"bearer", "token"}:
            raise ApiError(401, "Bad credentials")
        token = self.tokens.get(secret)
        if token is None and secret.count(".") == 2 and not secret.startswith("ghs_"):
            return self._by_jwt(secret)
        if token is None or token.revoked or (token.expires_at and token.expires_at <= self._clock.now()):
            raise ApiError(401, "Bad credentials")
        return token

    def issue(
        self, installation: Installation, permissions: Mapping[str, str], repositories: frozenset[int] | None
    ) -> Token:
        """An installation token for one hour, in the long form that tokens have since 2026."""
        head, body = (_encoded({"alg": "ES256"}), _encoded({"jti": secrets.token_hex(40), "iss": "github"}))
        return self.add_token(
            Token(
                secret=f"ghs_{installation.app.id}_{head}.{body}.{secrets.token_urlsafe(64)}",
                user=installation.app.user,
                kind="installation",
                permissions={"metadata": "read", **permissions},
                repositories=repositories,
                expires_at=(self._clock.now() + timedelta(hours=1)).replace(microsecond=0),
                installation=installation,
                role="push",
            )
        )

    def _by_jwt(self, secret: str) -> Token:
        now = self._clock.now().timestamp()
        app, claims = self._read(secret)
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int | float) or issued > now:
            what = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            raise ApiError(401, what)
        if not isinstance(expires, int | float) or expires <= now:
            what = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            raise ApiError(401, f"{what} at which the assertion expires")
        if expires > now + 600:
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
        return Token(secret=secret, user=app.user, kind="app", app=app)

    def _read(self, secret: str) -> tuple[App, dict[str, object]]:
        unchecked = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
        try:
            issuer = jwt.decode(secret, options={"verify_signature": False, "verify_iss": False}).get("iss")
            app = next(one for one in self.apps if str(issuer) in {str(one.id), one.client_id})
        except jwt.PyJWTError:
            raise ApiError(401, "A JSON web token could not be decoded") from None
        except StopIteration:
            raise ApiError(401, "Integration not found") from None
        options = {**unchecked, "verify_iss": False, "verify_sub": False}
        try:
            return app, jwt.decode(secret, app.public_key, algorithms=["RS256"], options=options)  # type: ignore[arg-type]
        except jwt.PyJWTError:
            raise ApiError(401, "A JSON web token could not be decoded") from None


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
