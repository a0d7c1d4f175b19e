"""The fake as tests use it."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from tests.fakes.github.accounts import ALL_NEEDED, App, Installation, Token
from tests.fakes.github.answers import Answer, Request
from tests.fakes.github.api import Api
from tests.fakes.github.clock import Clock
from tests.fakes.github.faults import Faults
from tests.fakes.github.limits import Limits
from tests.fakes.github.log import Call, Log
from tests.fakes.github.server import Responder, Server
from tests.fakes.github.state import Content, Lag, Repository, World

FILES: Mapping[str, Content] = {"agent/mail.py": "value = 1\n", "README.md": "# App\n"}


class FakeGitHub:
    """``now`` replaces the time, ``enterprise`` puts the API below ``/api/v3``. Any thread may call everything.

    ``log``, ``faults``, ``limits`` and ``clock`` are described in their modules.
    """

    def __init__(self, *, now: Callable[[], datetime] | None = None, enterprise: bool = False) -> None:
        self.world = World(now)
        self.limits = Limits(self.world.clock)
        self.log = Log()
        self.faults = Faults()
        self._api = Api(self.world, self.limits)
        self._prefix = "/api/v3" if enterprise else ""
        self._server: Server | None = None

    def start(self) -> Self:
        hosts: dict[str, Responder] = {"api": self._api.answer, "codeload": self._codeload}
        self._server = Server(hosts, self.faults, self.log, self.clock.now, self._prefix)
        host = "http://127.0.0.1"
        self._api.url = f"{host}:{self._server.ports['api']}{self._prefix}"
        self._api.codeload_url = f"{host}:{self._server.ports['codeload']}"
        return self

    def close(self) -> None:
        if self._server:
            self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _codeload(self, request: Request, call: Call) -> Answer:
        return self._api.codeload(request)

    # --- where and when ---------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Of the API, without a slash at the end."""
        return self._api.url

    @property
    def graphql_url(self) -> str:
        return self.url.removesuffix("/v3") + "/graphql"

    @property
    def codeload_url(self) -> str:
        """Of the host that archives come from."""
        return self._api.codeload_url

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def lag(self) -> Lag:
        """How long new pull requests and refs stay out of sight; meets those made from now on."""
        return self.world.lag

    def answer_as(self, version: str | None) -> None:
        """Answers in the shape of this version, whatever is asked for; ``None`` ends that."""
        self._api.answers_as = version

    def expire_links(self) -> None:
        """Archive links given so far are dead."""
        with self.world.lock:
            self._api.links.clear()

    @property
    def leaks(self) -> list[Call]:
        """Requests that brought a token to the host of archives."""
        return [call for call in self.log.select(host="codeload") if call.authorized]

    # --- what there is -------------------------------------------------------------------------------------------

    def repository(
        self,
        full_name: str = "octo/app",
        files: Mapping[str, Content] | None = None,
        *,
        base: str = "main",
        private: bool = True,
        empty: bool = False,
    ) -> Repository:
        """The repository, made with one commit if it is not there yet; alice is a collaborator."""
        with self.world.lock:
            found = self.world.find(full_name)
            if found:
                return found
            owner, _, name = full_name.partition("/")
            made = Repository(self.world, self.world.accounts.user(owner), name, default_branch=base, private=private)
            made.add_collaborator("alice")
            if not empty:
                made.commit(base, FILES if files is None else files, "begin\n")
            return made

    def token(
        self,
        permissions: Mapping[str, str] | None = None,
        *,
        login: str = "selfimprover-bot",
        role: str | None = "push",
        repositories: Iterable[Repository] | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """A fine-grained token, with all that publishing needs unless ``permissions`` says otherwise."""
        chosen = None if repositories is None else frozenset(one.id for one in repositories)
        granted = {"metadata": "read", **(ALL_NEEDED if permissions is None else permissions)}
        return self._add(
            f"github_pat_{secrets.token_hex(41)}",
            login,
            "fine-grained",
            permissions=granted,
            repositories=chosen,
            expires_at=expires_at,
            role=role,
        )

    def classic_token(
        self,
        *scopes: str,
        login: str = "selfimprover-bot",
        role: str | None = "push",
        expires_at: datetime | None = None,
    ) -> str:
        """A classic token; without scopes it sees what everybody sees."""
        secret = f"ghp_{secrets.token_hex(18)}"
        return self._add(secret, login, "classic", scopes=scopes, expires_at=expires_at, role=role)

    def _add(self, secret: str, login: str, kind: str, **more: Any) -> str:
        with self.world.lock:
            self.world.accounts.add_token(Token(secret, self.world.accounts.user(login), kind, **more))
        return secret

    def revoke(self, secret: str) -> None:
        with self.world.lock:
            self.world.accounts.tokens[secret].revoked = True

    def app(
        self,
        public_key: str,
        *,
        slug: str = "selfimprover",
        owner: str = "octo",
        permissions: Mapping[str, str] | None = None,
    ) -> App:
        """A GitHub App; ``public_key`` (PEM) belongs to the private key that the client signs with."""
        with self.world.lock:
            granted = ALL_NEEDED if permissions is None else permissions
            return self.world.accounts.add_app(slug, public_key, owner, granted)

    def install(
        self,
        app: App,
        *,
        account: str = "octo",
        repositories: Iterable[Repository] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> Installation:
        """Installs an app in an account, for all of its repositories or some."""
        with self.world.lock:
            chosen = None if repositories is None else frozenset(one.id for one in repositories)
            user = self.world.accounts.user(account)
            granted = dict(app.permissions if permissions is None else permissions)
            made = Installation(self.world.next_id(), app, user, granted, chosen)
            self.world.accounts.installations[made.id] = made
            return made
