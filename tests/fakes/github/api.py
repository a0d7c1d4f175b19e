"""Lets requests in, or not, and has them answered: everything of GitHub but HTTP itself."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.fakes.github import api_accounts, api_git, api_pulls, api_repositories, graphql
from tests.fakes.github.accounts import Token
from tests.fakes.github.answers import Answer, ApiError, Request
from tests.fakes.github.bodies import checked
from tests.fakes.github.limits import Limits
from tests.fakes.github.log import Call
from tests.fakes.github.routing import Context, Route, matching
from tests.fakes.github.shapes import Shapes
from tests.fakes.github.state import Repository, World
from tests.fakes.github.tarballs import tarball

MODULES = (api_accounts, api_git, api_pulls, api_repositories, graphql)
"""Their import fills the table of routes."""
NEW, OLD = "2026-03-10", "2022-11-28"
_ROLE_FOR = {"read": {"pull", "triage", "push", "maintain", "admin"}, "write": {"push", "maintain", "admin"}}
_IN_REPOSITORY = re.compile(r"/(?:repos/([^/]+/[^/]+)|repositories/(\d+))((?:/.*)?)")


@dataclass(slots=True)
class _Link:
    repository: Repository
    commit: str
    ends_at: datetime


class Api:
    """``answers_as`` fixes the shape of answers whatever version is asked for."""

    def __init__(self, world: World, limits: Limits) -> None:
        self.world = world
        self.limits = limits
        self.url = ""
        self.codeload_url = ""
        self.answers_as: str | None = None
        self.links: dict[str, _Link] = {}

    def answer(self, request: Request, call: Call) -> Answer:
        """The answer of the API; ``call`` learns who asked."""
        with self.world.lock:
            context = Context(self.world, self.limits, request, Shapes(self.url), self._link)
            try:
                answer = self._let_in(context, call)
            except ApiError as refusal:
                answer = refusal.answer
                if answer.status not in {401, 429} and "rate limit" not in answer.body["message"]:
                    self.limits.count(context.token)
            else:
                self._use_etag(context, answer)
                if answer.status != 304 and request.path != "/rate_limit":
                    self.limits.count(context.token)
            answer.headers = {**self._headers(context), **answer.headers}
            return answer

    def _let_in(self, context: Context, call: Call) -> Answer:
        request, world = context.request, self.world
        if not request.headers.get("user-agent"):
            what = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
            raise ApiError(403, what)
        context.shapes = Shapes(self.url, old=self._is_old(request))
        context.token = world.accounts.authenticate(request.headers.get("authorization"))
        call.user = context.token.user.login if context.token else None
        if request.path != "/rate_limit":
            self.limits.check(context.token, write=call.is_write)
        found, context.args = self._resolve(context)
        context.needs = found.needs
        if found.in_repository:
            self._allow(context, found)
        if found.body is not None or request.path == "/graphql":
            context.body = checked(_wrapped(request), found.body or ())
        return found.handler(context)

    def _is_old(self, request: Request) -> bool:
        version = request.headers.get("x-github-api-version", OLD)
        if version not in {NEW, OLD}:
            raise ApiError(400, f"Bad Request: {version} is not a supported version of the API.")
        return (self.answers_as or version) == OLD

    def _resolve(self, context: Context) -> tuple[Route, dict[str, str]]:
        request = context.request
        path = _IN_REPOSITORY.fullmatch(request.path)
        if path is None:
            return matching(request.method, request.path, in_repository=False)
        name, number, rest = path.groups()
        context.found = self.world.find(name) if name else self.world.repositories.get(int(number))
        if context.found is None and name and name.lower() in self.world.renamed:
            self._redirect(request, self.world.renamed[name.lower()], rest)
        if context.found is None or not self._sees(context):
            raise ApiError(404, "Not Found")
        return matching(request.method, rest, in_repository=True)

    def _redirect(self, request: Request, number: int, rest: str) -> None:
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        url = f"{self.url}/repositories/{number}{rest}" + (f"?{query}" if query else "")
        status, what = (301, "Moved Permanently") if request.method == "GET" else (307, "Temporary Redirect")
        raise ApiError(status, what, headers={"Location": url}, url=url)

    def _sees(self, context: Context) -> bool:
        """Whether the repository is there for whoever asks."""
        token, one = context.token, context.repository
        if token and token.app:
            return True
        if not one.private:
            return True
        if token is None or one.role(token.user, token.role) is None:
            return False
        if token.kind == "classic":
            return "repo" in token.scopes
        return self._is_chosen(token, one)

    def _is_chosen(self, token: Token, one: Repository) -> bool:
        installation = token.installation
        if installation and (installation.suspended_at or installation.account != one.owner):
            return False
        return token.repositories is None or one.id in token.repositories

    def _allow(self, context: Context, found: Route) -> None:
        """Refuses what the token or the state of the repository does not permit."""
        token, one = context.token, context.repository
        level = "write" if "=write" in found.needs else "read"
        if token and token.app and found.needs:
            raise ApiError(401, "A JSON web token cannot be used here")
        if level == "write" and token is None:
            raise ApiError(401, "Requires authentication")
        if token and found.needs and (level == "write" or one.private):
            self._check_rights(token, one, found.needs, level)
        if level == "write" and one.archived:
            raise ApiError(403, "Repository was archived so is read-only.")

    def _check_rights(self, token: Token, one: Repository, needs: str, level: str) -> None:
        may_user = one.role(token.user, token.role) in _ROLE_FOR[level]
        if token.kind == "classic":
            scoped = "repo" in token.scopes or ("public_repo" in token.scopes and not one.private)
            if not (scoped and may_user):
                raise ApiError(404, "Not Found")
        elif not (token.may(needs) and may_user and self._is_chosen(token, one)):
            raise ApiError(403, api_git.refusal_of(token.kind))

    def _use_etag(self, context: Context, answer: Answer) -> None:
        if context.request.method != "GET" or answer.status != 200:
            return
        secret = context.token.secret if context.token else ""
        etag = f'W/"{hashlib.sha256(secret.encode() + answer.content()).hexdigest()}"'
        answer.headers["ETag"] = etag
        if etag in context.request.headers.get("if-none-match", ""):
            answer.status, answer.body = 304, None
            answer.headers.pop("Link", None)

    def _headers(self, context: Context) -> dict[str, str]:
        token, version = context.token, self.answers_as or (OLD if context.shapes.old else NEW)
        headers = {
            **self.limits.headers(token),
            "X-GitHub-Request-Id": secrets.token_hex(8),
            "X-GitHub-Api-Version-Selected": version,
        }
        if token and token.kind == "classic":
            headers["X-OAuth-Scopes"] = ", ".join(token.scopes)
            headers["X-Accepted-OAuth-Scopes"] = "repo" if context.needs else ""
        elif context.needs:
            headers["X-Accepted-GitHub-Permissions"] = context.needs
        if token and token.expires_at and token.kind != "installation":
            headers["GitHub-Authentication-Token-Expiration"] = token.expires_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        return headers

    # --- archives -------------------------------------------------------------------------------------------

    def _link(self, repository: Repository, ref: str, commit: str) -> str:
        secret = secrets.token_hex(16)
        self.links[secret] = _Link(repository, commit, self.world.clock.now() + timedelta(minutes=5))
        return f"{self.codeload_url}/{repository.full_name}/legacy.tar.gz/{ref}?token={secret}"

    def codeload(self, request: Request) -> Answer:
        """The other host, which knows nobody but whoever has a link."""
        with self.world.lock:
            link = self.links.get(request.query.get("token", ""))
            if link is None or link.ends_at <= self.world.clock.now():
                return Answer(404, b"404: Not Found", {"Content-Type": "text/plain; charset=utf-8"})
            one = link.repository
            top = f"{one.owner.login}-{one.name}-{link.commit[:7]}"
            headers = {
                "Content-Type": "application/x-gzip",
                "Content-Disposition": f"attachment; filename={top}.tar.gz",
                "Transfer-Encoding": "chunked",
            }
            return Answer(200, tarball(one.objects, link.commit, top), headers)


def _wrapped(request: Request) -> bytes:
    """Labels may be a bare list."""
    if request.path.endswith("/labels") and request.raw.lstrip().startswith(b"["):
        return b'{"labels":' + request.raw + b"}"
    return request.raw
