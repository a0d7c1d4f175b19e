"""What a token may do beside what it is needed for: asked of GitHub without changing anything.

https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
"""

from collections.abc import Mapping
from dataclasses import dataclass

from selfimprover.errors import ForgeError
from selfimprover.forges.github.auth import AppAuth, Auth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import ForbiddenError, MissingError, RefusedByGitHubError

NEEDED: Mapping[str, str] = {
    "contents": "write",
    "pull_requests": "write",
    "checks": "read",
    "statuses": "read",
}
"""Permission → level. Labels, assignees and comments of a pull request need no right to issues beside it."""

_EXCESS = ("workflows", "administration", "secrets", "actions_variables", "environments", "organization_administration")
_LEVELS = ("", "read", "write", "admin")
_CLASSIC_EXCESS = ("workflow", "delete_repo", "admin:", "write:org", "write:packages")


@dataclass(frozen=True, slots=True)
class Rights:
    """What there is, what is missing, and what nobody needs, in words such as ``contents:write``."""

    kind: str
    """``GitHub App``, ``classic token`` or ``fine-grained token``."""
    missing: tuple[str, ...]
    excess: tuple[str, ...]


async def rights(client: GitHub, auth: Auth, repository: str) -> Rights:
    """Looks at the token's rights on a repository; raises ``ForgeError`` if it cannot even be read."""
    answer = await client.get(f"/repos/{repository}")
    if isinstance(auth, AppAuth):
        return _of_app(auth.granted)
    if answer.scopes is not None:
        may_push = bool((answer.data.get("permissions") or {}).get("push"))
        return _of_classic(answer.scopes, private=bool(answer.data.get("private")), may_push=may_push)
    return await _of_fine_grained(client, repository, str(answer.data["default_branch"]))


def _of_app(granted: Mapping[str, str]) -> Rights:
    missing = [name for name, level in NEEDED.items() if not _suffices(granted.get(name, ""), level)]
    excess = [f"{name}:{granted[name]}" for name in _EXCESS if granted.get(name) in {"write", "admin"}]
    return Rights("GitHub App", tuple(f"{name}:{NEEDED[name]}" for name in missing), tuple(excess))


def _of_classic(scopes: tuple[str, ...], *, private: bool, may_push: bool) -> Rights:
    enough = "repo" in scopes or (not private and "public_repo" in scopes)
    missing = [] if enough else ["the scope repo" if private else "the scope public_repo"]
    missing += [] if may_push else ["the right to push to the repository"]
    excess = [scope for scope in scopes if scope.startswith(_CLASSIC_EXCESS)]
    return Rights("classic token", tuple(missing), tuple(excess))


async def _of_fine_grained(client: GitHub, repository: str, branch: str) -> Rights:
    """Such a token tells nobody what it may do: it is asked for what cannot be done, and why not is the answer."""
    here = f"/repos/{repository}"
    missing = []
    for name, path in (("contents", "git/trees"), ("pull_requests", "pulls")):
        try:
            await client.write("POST", f"{here}/{path}", {})
        except (ForbiddenError, MissingError):
            missing.append(f"{name}:write")
        except RefusedByGitHubError:
            continue  # it may, but not this
    for name, path in (("checks", "check-runs"), ("statuses", "status")):
        if not await _may_read(client, f"{here}/commits/{branch}/{path}"):
            missing.append(f"{name}:read")
    administers = await _may_read(client, f"{here}/actions/permissions")
    return Rights("fine-grained token", tuple(missing), ("administration:read",) if administers else ())


async def _may_read(client: GitHub, path: str) -> bool:
    try:
        await client.get(path)
    except (ForbiddenError, MissingError):
        return False
    except ForgeError:
        return True  # whatever is wrong, it is not the right to read
    return True


def _suffices(granted: str, needed: str) -> bool:
    return granted in _LEVELS and _LEVELS.index(granted) >= _LEVELS.index(needed)
