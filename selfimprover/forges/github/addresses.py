"""Where things are at GitHub: pure rules about URLs.

Paths are written like those in GitHub's reference: ``path("/repos/{+repo}/branches/{branch}", repo=…, branch=…)``.
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urljoin, urlsplit

from selfimprover.errors import ForgeError, UsageError
from selfimprover.forges.github.wording import plain

_PUBLIC = "https://api.github.com"
_PLACE = re.compile(r"\{(\+?)(\w+)\}")
_SHA = re.compile(r"[0-9a-f]{40,64}")
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r";\s*rel=\"?([^\";,]*)", re.IGNORECASE)
_REPOSITORY = re.compile(r"/(repositories/\d+|repos/[^/?#]+/[^/?#]+)(?=[/?#]|$)")

QueryValue = str | int | bool | None
"""What a parameter of a query may be; ``None`` leaves it out."""


def normalise_api_url(raw: str) -> str:
    """The API's address without a trailing slash, for what a person may have written; raises ``UsageError``.

    The API of GitHub Enterprise Server lives under ``/api/v3``, that of ``SUBDOMAIN.ghe.com`` on a host of its own:
    https://docs.github.com/en/enterprise-server@latest/rest/quickstart and
    https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom
    """
    try:
        parts = urlsplit(raw.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise _bad_api_url("it is not a URL") from None
    if parts.username is not None:
        raise _bad_api_url("a user or password has no place in it")
    if parts.query or parts.fragment or not host:
        raise _bad_api_url("it must be a scheme, a host and at most a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise _bad_api_url("the token would travel in the clear")
    path = "/".join(part for part in parts.path.split("/") if part)
    if not path and (host == "github.com" or (host.endswith(".ghe.com") and not host.startswith("api."))):
        host = f"api.{host}"
    elif not path and not host.startswith("api.") and not is_loopback(host):
        path = "api/v3"
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{f'/{path}' if path else ''}"


def graphql_url(api_url: str) -> str:
    """Where GraphQL is spoken, for a normalised ``api_url``.

    https://docs.github.com/en/enterprise-server@latest/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
    """
    return f"{api_url.removesuffix('/v3')}/graphql" if api_url.endswith("/api/v3") else f"{api_url}/graphql"


def path(template: str, **values: str | int) -> str:
    """A path with its values quoted: ``{name}`` wholly, so that ``a/b`` becomes ``a%2Fb``; ``{+name}`` keeps slashes.

    The reference wants refs in ``git/ref/{+ref}`` with their slashes (``heads/a/b``), and a branch in
    ``branches/{branch}`` as one segment. https://docs.github.com/en/rest/git/refs
    Raises ``ForgeError`` for a value that would be another path: empty, ``.``, ``..``, a doubled or trailing slash.
    """

    def fill(match: re.Match[str]) -> str:
        value = str(values[match[2]])
        parts = value.split("/") if match[1] else [value]
        if any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise ForgeError(f"no path at GitHub can be made of {value[:100]!r}", where=template)
        try:
            return "/".join(quote(part, safe="") for part in parts)
        except UnicodeEncodeError:
            raise ForgeError(f"no path at GitHub can be made of {value[:100]!r}", where=template) from None

    return _PLACE.sub(fill, template)


def url(api_url: str, path: str, **query: QueryValue) -> str:
    """The whole address; what is ``None`` in the query is left out. A trailing slash would be a 404, so it is refused.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#404-not-found-for-an-existing-resource
    """
    first, *parts = path.split("/")
    if first or not parts or {"", ".", ".."} & set(parts) or {"?", "#"} & set(path) or not path.isprintable():
        raise ForgeError(f"this is no path at GitHub: {path[:200]!r}")
    words = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in query.items()
        if value is not None
    }
    return f"{api_url}{path}{f'?{urlencode(words, quote_via=quote)}' if words else ''}"


def shown(address: str) -> str:
    """An address as a message may show it: no scheme, no user, no query."""
    try:
        parts = urlsplit(address)
        return plain(f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}")
    except ValueError:
        return "an address that is none"


def template(address: str) -> str:
    """An address's path with numbers and object ids taken out, so that a log counts calls of one kind as one."""
    try:
        parts = urlsplit(address).path.split("/")
    except ValueError:
        return "?"
    return "/".join("{sha}" if _SHA.fullmatch(part) else "{n}" if part.isdecimal() else part for part in parts)


def same_origin(one: str, other: str) -> bool:
    """Whether scheme, host and port are the same, which is where our token may go."""
    try:
        first, second = urlsplit(one), urlsplit(other)
        return (first.scheme, first.hostname, _port(first.scheme, first.port), None) == (
            second.scheme,
            second.hostname,
            _port(second.scheme, second.port),
            second.username,
        )
    except ValueError:
        return False


def next_page(link: str | None) -> str | None:
    """The address of the next page from a ``Link`` header; it is followed as given, for it may name another path.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api#using-link-headers
    """
    for address, parameters in _LINK.findall(link or ""):
        relation = _RELATION.search(parameters)
        if relation and "next" in relation[1].lower().split():
            return str(address)
    return None


def repository(address: str) -> str | None:
    """The repository that an address is about: ``owner/name``, or ``repositories/ID`` as redirects have it."""
    found = _REPOSITORY.search(urlsplit(address).path)
    return found[1].removeprefix("repos/") if found else None


def moved(address: str, places: Mapping[str, str]) -> str:
    """The address where a repository's things are now, for repositories that moved: old and new ``repository``."""
    found = _REPOSITORY.search(urlsplit(address).path)
    place = places.get(found[1].removeprefix("repos/")) if found else None
    return address if found is None or place is None else address.replace(f"/{found[1]}", place_of("", place), 1)


def place_of(api_url: str, repository: str) -> str:
    """Where a repository is, for what ``repository`` gives."""
    return f"{api_url}/{repository if repository.startswith('repositories/') else f'repos/{repository}'}"


def redirected(here: str, location: str) -> str:
    """The whole address that a redirect at ``here`` means; raises ``ForgeError`` if it is none."""
    try:
        return urljoin(here, location)
    except ValueError:
        raise ForgeError("GitHub points to an address that is none", where=shown(here)) from None


def may_fetch_file(api_url: str, location: str) -> bool:
    """Whether an archive may be fetched from ``location``: GitHub's own hosts over https, and loopback if we are there.

    Archives come from ``codeload`` beside the API's host:
    https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar
    """
    try:
        ours, theirs = urlsplit(api_url), urlsplit(location)
        host, _ = theirs.hostname or "", theirs.port
    except ValueError:
        return False
    if theirs.username is not None or not host:
        return False
    if ours.scheme == "http" and theirs.scheme == "http":
        return is_loopback(ours.hostname or "") and is_loopback(host)
    home = (ours.hostname or "").removeprefix("api.")
    trusted = (home, "githubusercontent.com") if home == "github.com" else (home,)
    return theirs.scheme == "https" and any(host == one or host.endswith(f".{one}") for one in trusted)


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port(scheme: str, port: int | None) -> int | None:
    return port or {"http": 80, "https": 443}.get(scheme)


def _bad_api_url(why: str) -> UsageError:
    return UsageError(why, where="github.api_url", mend=f"write {_PUBLIC} or https://your-host/api/v3")
