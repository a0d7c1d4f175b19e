"""Reads the address of a git remote. What stands before the host is a secret as often as not, and is dropped."""

import re
from dataclasses import dataclass

_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
_URL = re.compile(rf"(?:https?|ssh|git|git\+ssh)://(?:[^/\s]*@)?{_HOST}(?::\d+)?/(?P<path>\S*)", re.IGNORECASE)
_SCP = re.compile(rf"(?:[^/\s:]*@)?{_HOST}:(?P<path>(?!/)\S+)")
_REPOSITORY = re.compile(r"/*([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+?)(?:\.git)?/*")
_LONGEST = 2_000
_GITHUB = frozenset({"github.com", "www.github.com", "ssh.github.com"})


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the remote is; nothing of an address but the host and, on GitHub, ``owner/repo``."""

    host: str
    github: str | None


def parse_remote(url: str) -> Remote | None:
    """The remote behind an address in one of git's usual forms; ``None`` for a path, or what is no address."""
    url = url.strip()
    if len(url) > _LONGEST:
        return None
    found = _URL.fullmatch(url) or (None if "://" in url else _SCP.fullmatch(url))
    if found is None or "@" in found["path"]:  # then what looks like a host is the beginning of a secret
        return None
    host = found["host"].lower()
    repository = _REPOSITORY.fullmatch(found["path"]) if host in _GITHUB else None
    if repository is None or repository[2] in {".", ".."}:
        return Remote(host, None)
    return Remote("github.com", f"{repository[1]}/{repository[2]}")
