"""Who asks, limits, and apps over the API."""

from tests.fakes.github.accounts import LEVELS, App, Installation, Token
from tests.fakes.github.answers import Answer, ApiError, Json
from tests.fakes.github.clock import written
from tests.fakes.github.routing import Context, route

_SINCE = "2026-01-01T00:00:00Z"


@route("GET", "/rate_limit")
def rate_limit(context: Context) -> Answer:
    core, other = context.limits.numbers(context.token), {"limit": 30, "remaining": 30, "used": 0, "reset": 0}
    body: Json = {"resources": {"core": core, "search": other, "graphql": core}}
    if context.shapes.old:
        body["rate"] = core
    return Answer(200, body)


@route("GET", "/user")
def get_user(context: Context) -> Answer:
    token = _token(context)
    if token.app:
        raise ApiError(401, "A JSON web token cannot be used here")
    if token.kind == "installation":
        raise ApiError(403, "Resource not accessible by integration")
    return Answer(200, context.shapes.whole_user(token.user, _SINCE))


@route("GET", "/app")
def get_app(context: Context) -> Answer:
    return Answer(200, context.shapes.app(_app(context), _SINCE))


@route("GET", "/app/installations")
def list_installations(context: Context) -> Answer:
    app = _app(context)
    found = [one for one in context.world.accounts.installations.values() if one.app == app]
    return context.page(found, lambda one: context.shapes.installation(one, _SINCE))


@route("GET", "~/installation")
def installation_of(context: Context) -> Answer:
    app, one = _app(context), context.repository
    for found in context.world.accounts.installations.values():
        if found.app == app and (one.id in found.repositories if found.repositories else found.account == one.owner):
            return Answer(200, context.shapes.installation(found, _SINCE))
    raise ApiError(404, "Not Found")


@route("GET", "/installation/repositories")
def repositories(context: Context) -> Answer:
    token = _token(context)
    if token.installation is None:
        what = (
            "You must authenticate with an installation access token in order to list repositories for an installation"
        )
        raise ApiError(403, what)
    account, chosen = token.installation.account, token.repositories
    ours = [
        one
        for one in context.world.repositories.values()
        if (one.owner == account if chosen is None else one.id in chosen)
    ]
    listed, headers = context.paged(ours)
    shapes = [context.shapes.repository(one, token) for one in listed]
    kind = "all" if chosen is None else "selected"
    return Answer(200, {"total_count": len(ours), "repository_selection": kind, "repositories": shapes}, headers)


@route("POST", "/app/installations/{id}/access_tokens", body="AppInstallationsInstallationIdAccessTokensPostBody")
def create_token(context: Context) -> Answer:
    app, number = _app(context), context.args["id"]
    one = context.world.accounts.installations.get(int(number) if number.isdecimal() else 0)
    if one is None or one.app != app:
        raise ApiError(404, "Not Found")
    if one.suspended_at:
        raise ApiError(403, "This installation has been suspended")
    permissions = context.body.get("permissions") or one.permissions
    if any(LEVELS[one.permissions.get(name, "")] < LEVELS[level] for name, level in permissions.items()):
        raise ApiError(422, "The permissions requested are not granted to this installation.")
    chosen = _chosen(context, one)
    token = context.world.accounts.issue(one, permissions, one.repositories if chosen is None else chosen)
    assert token.expires_at
    body: Json = {
        "token": token.secret,
        "expires_at": written(token.expires_at),
        "permissions": dict(token.permissions),
        "repository_selection": "all" if token.repositories is None else "selected",
    }
    if chosen is not None:
        body["repositories"] = [context.shapes.repository(context.world.repositories[at]) for at in sorted(chosen)]
    return Answer(201, body)


def _chosen(context: Context, installation: Installation) -> frozenset[int] | None:
    names, numbers = context.body.get("repositories"), context.body.get("repository_ids")
    if names is None and numbers is None:
        return None
    ours = {
        one.id: one.name
        for one in context.world.repositories.values()
        if (
            one.owner == installation.account
            if installation.repositories is None
            else one.id in installation.repositories
        )
    }
    chosen = [at for at, name in ours.items() if name in (names or ()) or at in (numbers or ())]
    if len(chosen) < len(set(names or ())) + len(set(numbers or ())):
        what = "There is at least one repository that does not exist or is not accessible to the parent installation."
        raise ApiError(422, what)
    return frozenset(chosen)


def _token(context: Context) -> Token:
    if context.token is None:
        raise ApiError(401, "Requires authentication")
    return context.token


def _app(context: Context) -> App:
    if context.token is None or context.token.app is None:
        raise ApiError(401, "A JSON web token could not be decoded")
    return context.token.app
