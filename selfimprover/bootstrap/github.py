"""Builds the forge on GitHub: the only place that sees its token."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from selfimprover.errors import UsageError
from selfimprover.forges.github import permissions
from selfimprover.forges.github.archives import Archives
from selfimprover.forges.github.auth import AppAuth, TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.forge import GitHubForge
from selfimprover.forges.github.permissions import Rights
from selfimprover.settings.model import GitHub as GitHubSettings
from selfimprover.settings.model import Repository

_PATIENCE = 150.0
"""Seconds for one call with what it waits for: a secondary limit that names no time asks for one minute, then two."""


async def rights(settings: GitHubSettings, repository: Repository) -> Rights:
    """What the token may do on a repository; raises ``ForgeError`` if that cannot be told."""
    assert repository.name is not None
    auth = _auth(settings, repository.name)
    async with GitHub(
        settings.api_url, auth, write_interval=settings.seconds_between_writes, deadline=_PATIENCE
    ) as client:
        return await permissions.rights(client, auth, repository.name)


@asynccontextmanager
async def forge(
    settings: GitHubSettings, repository: Repository, trees: Path, redact: Callable[[str], str], *, read_only: bool
) -> AsyncIterator[GitHubForge]:
    """The forge of one repository; its connections end with it."""
    assert repository.name is not None
    auth = _auth(settings, repository.name)
    async with GitHub(
        settings.api_url, auth, write_interval=settings.seconds_between_writes, deadline=_PATIENCE
    ) as client:
        yield GitHubForge(
            client,
            repository.name,
            base=repository.base,
            archives=Archives(trees),
            redact=redact,
            read_only=read_only,
        )


def _auth(settings: GitHubSettings, repository: str) -> TokenAuth | AppAuth:
    if settings.token is not None:
        return TokenAuth(settings.token.get_secret_value())
    if settings.app_id is None or settings.private_key_file is None or settings.installation_id is None:
        mend = "put a token into a secret file github__token, or name an App: app_id, private_key_file, installation_id"
        raise UsageError("there is neither a token nor an App", where="[github]", mend=mend)
    return AppAuth(
        settings.app_id,
        settings.private_key_file,
        settings.installation_id,
        repositories=[repository.partition("/")[2]],
    )
