"""What GitHub's answers mean: pure, and the only place that sees a status number.

https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from selfimprover.errors import ForgeError
from selfimprover.forges.github import addresses
from selfimprover.forges.github.errors import (
    DoubtError,
    ForbiddenError,
    LimitedError,
    MissingError,
    RefusedByGitHubError,
    StaleError,
    UnauthorisedError,
    UnavailableError,
)
from selfimprover.forges.github.limits import http_date, number
from selfimprover.forges.github.wording import Complaint, complaint, plain, whole_json

API_VERSION = "2026-03-10"
"""https://docs.github.com/en/rest/about-the-rest-api/api-versions"""

_LIMIT_HEADERS = ("retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-resource", "date")
_LIMIT_WORDS = ("rate limit", "abuse detection", "submitted too quickly")
_NOT_A_LIMIT = ("not accessible by", "must have", "archived", "read-only")
_LAST_SECOND = 253_402_300_799  # the end of the year 9999, beyond which there are no dates
_NO_BODY: set[int] = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.ACCEPTED}
_MOVED: dict[int, bool] = {
    HTTPStatus.MOVED_PERMANENTLY: True,
    HTTPStatus.PERMANENT_REDIRECT: True,
    HTTPStatus.FOUND: False,
    HTTPStatus.TEMPORARY_REDIRECT: False,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub answered. ``data`` is the JSON, ``None`` without a body.

    ``remaining`` and ``reset`` (UTC) are the rate limit's; ``permissions`` are those that the call would be content
    with, ``scopes`` those of a classic token (``None`` for other tokens). ``location`` is there for a redirect,
    ``for_good`` says that it is a permanent one, ``unchanged`` that what the caller has is still true.
    """

    status: int
    data: Any = None
    etag: str | None = None
    next_page: str | None = None
    remaining: int | None = None
    reset: datetime | None = None
    permissions: str = ""
    scopes: tuple[str, ...] | None = None
    location: str | None = None
    for_good: bool = False
    unchanged: bool = False


def request_headers(token: str | None = None, *, etag: str | None = None, body: bool = False) -> dict[str, str]:
    """The headers of every request. GitHub refuses requests without a User-Agent.

    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#headers
    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api (conditional requests)
    """
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": API_VERSION,
        "User-Agent": "selfimprover",
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if etag and etag.isascii() and etag.isprintable():
        headers["If-None-Match"] = etag
    if body:
        headers["Content-Type"] = "application/json"
    return headers


def decipher(
    status: int, headers: Mapping[str, str], body: bytes, *, method: str, what: str, write: bool | None = None
) -> Answer:
    """The meaning of an answer; ``headers`` with names in lower case, ``what`` is the address for messages.

    ``write`` says whether the request changes something; by default what is not a GET does. What leaves it open whether
    a write was done raises ``DoubtError``, and ``UnavailableError`` for a read. Raises the errors of ``errors.py``.
    """
    where = f"{method} {what}"
    changes = method not in {"GET", "HEAD"} if write is None else write
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _answer(status, headers, _json(status, headers, body, where=where, changes=changes))
    if status == HTTPStatus.NOT_MODIFIED:
        return _answer(status, headers, None)
    if status in _MOVED and headers.get("location"):
        return _answer(status, headers, None)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        raise unanswered(f"GitHub failed with {status}", where=where, write=changes)
    raise _refusal(status, headers, complaint(body), where)


def unanswered(what: str, *, where: str, write: bool) -> ForgeError:
    """The error for a request that got no usable answer.

    GitHub gives up on a request after 10 seconds, and may have done it all the same:
    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts
    """
    if write:
        return DoubtError(
            f"{what}; whether it was done is not known", where=where, mend="it is looked up before going on"
        )
    return UnavailableError(what, where=where, mend="try again later; https://www.githubstatus.com may know more")


def decipher_file(status: int, headers: Mapping[str, str], *, what: str) -> None:
    """Raises unless a file follows. Signed links of private repositories die after five minutes, so all is tried anew.

    https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar
    """
    where = f"GET {what}"
    if status != HTTPStatus.OK:
        raise unanswered(f"the archive's server answered {status}", where=where, write=False)
    if headers.get("content-type", "").lower().startswith("text/html"):
        raise unanswered("a web page came instead of the archive", where=where, write=False)


def _json(status: int, headers: Mapping[str, str], body: bytes, *, where: str, changes: bool) -> Any:
    if not body.strip():
        if status in _NO_BODY:
            return None
        raise unanswered("GitHub's answer is empty", where=where, write=changes)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and not kind.endswith("json"):
        what = f"the answer is {plain(kind)[:60]}, not GitHub's JSON; is a proxy or login page between us?"
        raise unanswered(what, where=where, write=changes)
    try:
        return whole_json(body)
    except ValueError:
        raise unanswered("the answer is not whole JSON", where=where, write=changes) from None


def _answer(status: int, headers: Mapping[str, str], data: Any) -> Answer:
    scopes = headers.get("x-oauth-scopes")
    reset = number(headers.get("x-ratelimit-reset"))
    return Answer(
        status=status,
        data=data,
        etag=headers.get("etag"),
        next_page=addresses.next_page(headers.get("link")),
        remaining=number(headers.get("x-ratelimit-remaining")),
        reset=None if reset is None or reset > _LAST_SECOND else datetime.fromtimestamp(reset, UTC),
        permissions=plain(headers.get("x-accepted-github-permissions")),
        scopes=None if scopes is None else tuple(one.strip() for one in scopes.split(",") if one.strip()),
        location=headers.get("location") if status in _MOVED else None,
        for_good=_MOVED.get(status, False),
        unchanged=status == HTTPStatus.NOT_MODIFIED,
    )


def _refusal(status: int, headers: Mapping[str, str], said: Complaint, where: str) -> ForgeError:
    """What a 4xx means.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    if status == HTTPStatus.UNAUTHORIZED:
        return _unauthorised(headers, said, where)
    if _is_limit(status, headers, said):
        kept = {name: headers[name] for name in _LIMIT_HEADERS if name in headers}
        return LimitedError(f"GitHub's rate limit is used up: {said.message}", where=where, headers=kept)
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(headers, said, where)
    return _impossible(status, said, where)


def _impossible(status: int, said: Complaint, where: str) -> ForgeError:
    """A 4xx that has nothing to do with who we are."""
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        mend = "check the name, and that the token may see the repository: GitHub says so of private ones, too"
        return MissingError(f"not found: {said.message}", where=where, mend=mend)
    if status == HTTPStatus.CONFLICT:
        empty = "is empty" in said.message.lower()
        mend = "push a first commit to it" if empty else "the next night looks again"
        return StaleError(said.message, where=where, mend=mend, empty=empty)
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY}:
        what = f"GitHub refuses: {said.whole}"
        return RefusedByGitHubError(what, where=where, codes=said.codes, messages=said.messages)
    return ForgeError(f"GitHub answered {status}: {said.whole}", where=where)


def _is_limit(status: int, headers: Mapping[str, str], said: Complaint) -> bool:
    """A limit is a 429, or a 403 that says so by a header or in words; a missing permission is a 403, too.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    message = said.message.lower()
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return any("submitted too quickly" in words.lower() for words in (message, *said.messages))
    if status != HTTPStatus.FORBIDDEN:
        return False
    if "retry-after" in headers or any(words in message for words in _LIMIT_WORDS):
        return True
    return headers.get("x-ratelimit-remaining") == "0" and not any(words in message for words in _NOT_A_LIMIT)


def _forbidden(headers: Mapping[str, str], said: Complaint, where: str) -> ForgeError:
    """A 403 that is no limit.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible
    """
    if "archived" in said.message.lower():
        return ForgeError(
            f"the repository is archived: {said.message}", where=where, mend="unarchive it, or leave it out"
        )
    if "too_large" in said.codes:
        return ForgeError(f"GitHub refuses: {said.whole}", where=where)
    permissions = plain(headers.get("x-accepted-github-permissions"))
    if permissions:
        mend = f"give the token or App one of these permissions: {permissions}"
    elif "suspended" in said.message.lower():
        mend = "lift the suspension in the settings of the account"
    elif headers.get("x-github-sso"):
        mend = "authorise the token for the organisation's single sign-on"
    else:
        mend = "give the token or App the permission for it"
    return ForbiddenError(f"the token may not do this: {said.message}", where=where, mend=mend, permissions=permissions)


def _unauthorised(headers: Mapping[str, str], said: Complaint, where: str) -> UnauthorisedError:
    """Claims that are off in time mean that this machine's clock is.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
    """
    what = f"GitHub does not accept who we are: {said.message}"
    if "('exp')" in said.message or "('iat')" in said.message:
        there = http_date(headers.get("date"))
        time = f"; GitHub's says {there:%Y-%m-%d %H:%M:%S} UTC" if there else ""
        return UnauthorisedError(what, where=where, mend=f"check this machine's clock{time}")
    return UnauthorisedError(what, where=where, mend="the token is wrong, expired or revoked: make a new one")
