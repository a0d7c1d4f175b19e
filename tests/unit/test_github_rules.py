"""What GitHub's answers, headers and addresses mean, without any of them travelling."""

import ast
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.errors import ForgeError, UsageError
from selfimprover.forges.github import addresses, rules
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
from selfimprover.forges.github.limits import wait_for
from selfimprover.forges.github.wording import complaint, plain

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
JSON = {"content-type": "application/json; charset=utf-8"}
TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
MODULES = Path(rules.__file__).parent


def decipher(status: int, body: object = None, method: str = "GET", **headers: str) -> rules.Answer:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return rules.decipher(status, named, content, method=method, what="api.github.com/x")


@pytest.mark.parametrize("name", ["rules", "limits", "graphql", "addresses", "wording", "errors"])
def test_the_rules_import_nothing_that_does_input_or_output(name: str) -> None:
    tree = ast.parse((MODULES / f"{name}.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert not {one.split(".")[0] for one in imported} & {"httpx", "asyncio", "socket", "os", "pathlib", "time"}


def test_only_one_module_sees_the_numbers_of_statuses() -> None:
    seeing = [path.name for path in MODULES.glob("*.py") if "HTTPStatus" in path.read_text()]

    assert seeing == ["rules.py"]


# --- addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "api", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com", "https://api.github.com/graphql"),
        (" https://api.github.com/ ", "https://api.github.com", "https://api.github.com/graphql"),
        ("https://github.com", "https://api.github.com", "https://api.github.com/graphql"),
        ("https://GIT.corp.example", "https://git.corp.example/api/v3", "https://git.corp.example/api/graphql"),
        ("https://git.corp/api/v3/", "https://git.corp/api/v3", "https://git.corp/api/graphql"),
        ("https://git.corp:8443//api//v3", "https://git.corp:8443/api/v3", "https://git.corp:8443/api/graphql"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
        ("https://api.octo.ghe.com", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"),
        ("http://localhost:1/api/v3", "http://localhost:1/api/v3", "http://localhost:1/api/graphql"),
        ("http://[::1]:1/", "http://[::1]:1", "http://[::1]:1/graphql"),
    ],
)
def test_an_api_url_is_understood_as_people_write_it(written: str, api: str, graphql: str) -> None:
    assert addresses.normalise_api_url(written) == api
    assert addresses.normalise_api_url(api) == api
    assert addresses.graphql_url(api) == graphql


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("http://git.corp/api/v3", "in the clear"),
        ("ftp://git.corp", "in the clear"),
        ("git.corp", "a scheme, a host"),
        ("", "a scheme, a host"),
        ("https://me:pw@git.corp", "user or password"),
        ("https://token@git.corp", "user or password"),
        ("https://git.corp/?x=pw", "a scheme, a host"),
        ("https://git.corp:port", "not a URL"),
        ("https://[::1", "not a URL"),
    ],
)
def test_an_api_url_that_would_leak_or_fail_is_refused_without_being_shown(written: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        addresses.normalise_api_url(written)

    assert "pw" not in str(caught.value)
    assert str(caught.value).startswith("github.api_url: ")


def test_branches_with_slashes_are_quoted_where_they_are_one_segment_and_not_where_they_are_several() -> None:
    assert addresses.path("/repos/{+repo}/branches/{b}", repo="o/r", b="a/b c") == "/repos/o/r/branches/a%2Fb%20c"
    assert (
        addresses.path("/repos/{+repo}/git/ref/{+ref}", repo="o/r", ref="heads/a/b") == "/repos/o/r/git/ref/heads/a/b"
    )
    assert addresses.path("/repos/{+repo}/pulls/{n}", repo="o/r", n=7) == "/repos/o/r/pulls/7"


@pytest.mark.parametrize("value", ["", ".", "..", "a//b", "/a", "a/", "../x", "a/../b", "a\0b", "\ud800"])
def test_no_value_makes_another_path(value: str) -> None:
    with pytest.raises(ForgeError, match="no path at GitHub"):
        addresses.path("/repos/{+repo}", repo=value)


@given(TEXT)
def test_a_quoted_value_comes_back_as_it_was_and_stays_in_its_segment(value: str) -> None:
    try:
        made = addresses.path("/a/{value}/b", value=value)
    except ForgeError:
        return
    before, middle, after = made.split("/")[1:]

    assert (before, unquote(middle), after) == ("a", value, "b")
    assert addresses.url("https://api.github.com", made) == f"https://api.github.com{made}"


@pytest.mark.parametrize("path", ["/repos/", "repos", "/", "", "/a//b", "/a/../b", "/a/./b", "/a?b", "/a#b", "/a\nb"])
def test_an_address_never_ends_in_a_slash_and_never_leaves_its_path(path: str) -> None:
    with pytest.raises(ForgeError, match="no path at GitHub"):
        addresses.url("https://api.github.com", path)


@given(st.dictionaries(st.text("abc", min_size=1), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_query_comes_back_as_it_was(query: dict[str, str]) -> None:
    made = addresses.url("https://api.github.com", "/a", **query)

    assert dict(parse_qsl(urlsplit(made).query, keep_blank_values=True)) == query


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (None, None),
        ("", None),
        ('<https://a/p?page=2>; rel="next", <https://a/p?page=9>; rel="last"', "https://a/p?page=2"),
        ('<https://a/p?page=1>; rel="prev", <https://a/p?page=3>; rel="next"', "https://a/p?page=3"),
        ('<https://a/p?x=1,2;3>; title="a, b"; rel="next"', "https://a/p?x=1,2;3"),
        ("<https://a/p>; rel=next", "https://a/p"),
        ('<https://a/p>; rel="last NEXT"', "https://a/p"),
        ('<https://a/p>; rel="nextish"', None),
        ('<https://a/p>; rel="prev", <https://a/q>; rel="last"', None),
    ],
)
def test_the_next_page_is_what_the_link_calls_next(link: str | None, expected: str | None) -> None:
    assert addresses.next_page(link) == expected


@given(TEXT)
def test_no_link_header_breaks_anything(link: str) -> None:
    addresses.next_page(link)
    addresses.same_origin("https://api.github.com", link)
    addresses.may_fetch_file("https://api.github.com", link)
    addresses.shown(link)
    addresses.template(link)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://api.github.com/repositories/1", True),
        ("https://API.github.com:443/x", True),
        ("http://api.github.com/x", False),
        ("https://api.github.com:444/x", False),
        ("https://api.github.com.example/x", False),
        ("https://me@api.github.com/x", False),
        ("https://api.github.com@example.com/x", False),
        ("//example.com", False),
        ("https://[", False),
    ],
)
def test_our_token_goes_to_the_api_and_nowhere_else(other: str, *, same: bool) -> None:
    assert addresses.same_origin("https://api.github.com", other) is same


@pytest.mark.parametrize(
    ("api", "location", "may"),
    [
        ("https://api.github.com", "https://codeload.github.com/o/r/legacy.tar.gz/x?token=y", True),
        ("https://api.github.com", "https://objects.githubusercontent.com/x", True),
        ("https://api.github.com", "https://github.com.example/x", False),
        ("https://api.github.com", "https://evilgithub.com/x", False),
        ("https://api.github.com", "http://codeload.github.com/x", False),
        ("https://api.github.com", "https://me:pw@codeload.github.com/x", False),
        ("https://api.github.com", "http://127.0.0.1/x", False),
        ("https://git.corp/api/v3", "https://codeload.git.corp/x", True),
        ("https://git.corp/api/v3", "https://git.corp/_codeload/x", True),
        ("https://git.corp/api/v3", "https://objects.githubusercontent.com/x", False),
        ("https://api.octo.ghe.com", "https://codeload.octo.ghe.com/x", True),
        ("http://127.0.0.1:1", "http://127.0.0.1:2/x", True),
        ("http://127.0.0.1:1", "http://10.0.0.1/x", False),
        ("http://127.0.0.1:1", "https://[", False),
    ],
)
def test_archives_come_from_githubs_own_hosts(api: str, location: str, *, may: bool) -> None:
    assert addresses.may_fetch_file(api, location) is may


def test_what_is_shown_of_an_address_has_no_user_and_no_query() -> None:
    assert addresses.shown("https://me:pw@git.corp:8443/api/v3/x?token=y#z") == "git.corp:8443/api/v3/x"


# --- answers -----------------------------------------------------------------------------------------------


def test_an_answer_has_what_its_headers_say() -> None:
    answer = decipher(
        200,
        [1],
        etag='"e"',
        link='<https://api.github.com/p2>; rel="next"',
        x_ratelimit_remaining="4999",
        x_ratelimit_reset="1795489230",
        x_accepted_github_permissions="contents=read",
        x_oauth_scopes="repo, workflow",
    )

    assert answer.data == [1]
    assert (answer.etag, answer.next_page, answer.remaining) == ('"e"', "https://api.github.com/p2", 4999)
    assert answer.reset == datetime(2026, 11, 24, 3, 0, 30, tzinfo=UTC)
    assert (answer.permissions, answer.scopes) == ("contents=read", ("repo", "workflow"))


def test_a_token_without_scopes_is_told_from_a_classic_one_with_none() -> None:
    assert decipher(200, {}).scopes is None
    assert decipher(200, {}, x_oauth_scopes="").scopes == ()


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"{", b'{"a": NaN}', b'"text"', b"7", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a": 1} trailing'],
)
def test_an_answer_that_is_not_whole_json_is_no_answer(body: bytes) -> None:
    with pytest.raises(UnavailableError):
        decipher(200, body)
    with pytest.raises(DoubtError):
        decipher(201, body, method="POST")


def test_half_a_surrogate_pair_becomes_a_question_mark_and_a_whole_one_stays() -> None:
    answer = decipher(200, rb'{"a": "x\ud800y", "b": "\ud83d\ude00", "\uDFFF": ["\\ud800"]}')

    assert answer.data == {"a": "x?y", "b": "\U0001f600", "?": ["\\ud800"]}


@pytest.mark.parametrize("status", [202, 204, 205])
def test_some_answers_have_no_body(status: int) -> None:
    assert decipher(status).data is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedByGitHubError),
        (401, UnauthorisedError),
        (403, ForbiddenError),
        (404, MissingError),
        (405, RefusedByGitHubError),
        (409, StaleError),
        (410, MissingError),
        (418, ForgeError),
        (422, RefusedByGitHubError),
        (429, LimitedError),
        (451, ForgeError),
        (408, UnavailableError),
        (500, UnavailableError),
        (502, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_a_status_has_one_meaning(status: int, kind: type[ForgeError]) -> None:
    with pytest.raises(ForgeError) as caught:
        decipher(status, {"message": "So it is."})

    assert type(caught.value) is kind
    assert caught.value.where == "GET api.github.com/x"


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_a_server_error_leaves_a_write_in_doubt(method: str, status: int) -> None:
    with pytest.raises(DoubtError):
        decipher(status, method=method)


@pytest.mark.parametrize(
    ("message", "headers", "limit"),
    [
        ("You have exceeded a secondary rate limit", {}, True),
        ("API rate limit exceeded for installation ID 1.", {"x_ratelimit_remaining": "0"}, True),
        ("You have triggered an abuse detection mechanism.", {}, True),
        ("was submitted too quickly", {}, True),
        ("Forbidden", {"retry_after": "1"}, True),
        ("Forbidden", {"x_ratelimit_remaining": "0"}, True),
        ("Forbidden", {"x_ratelimit_remaining": "1"}, False),
        ("Resource not accessible by integration", {"x_ratelimit_remaining": "0"}, False),
        ("Resource not accessible by personal access token", {}, False),
        ("Must have admin rights to Repository.", {"x_ratelimit_remaining": "0"}, False),
    ],
)
def test_a_403_is_a_limit_or_a_permission(message: str, headers: dict[str, str], *, limit: bool) -> None:
    with pytest.raises(LimitedError if limit else ForbiddenError):
        decipher(403, {"message": message}, **headers)


def test_an_archived_repository_is_told_as_such() -> None:
    with pytest.raises(ForgeError, match=r"the repository is archived: .* \(unarchive it"):
        decipher(403, {"message": "Repository was archived so is read-only."}, "POST", x_ratelimit_remaining="0")


def test_single_sign_on_is_told_without_its_link() -> None:
    with pytest.raises(ForbiddenError, match="single sign-on") as caught:
        decipher(
            403, {"message": "Resource protected by SAML"}, x_github_sso="required; url=https://g/?authorization=x"
        )

    assert "https://" not in str(caught.value)


def test_an_empty_repository_is_told_from_a_moved_head() -> None:
    with pytest.raises(StaleError) as empty:
        decipher(409, {"message": "Git Repository is empty."})
    with pytest.raises(StaleError) as moved:
        decipher(409, {"message": "Head branch was modified. Review and try the merge again."}, "PUT")

    assert (empty.value.empty, moved.value.empty) == (True, False)


@pytest.mark.parametrize(
    ("body", "exists"),
    [
        ({"message": "Reference already exists"}, True),
        ({"message": "Validation Failed", "errors": [{"resource": "Label", "code": "already_exists"}]}, True),
        (
            {
                "message": "Validation Failed",
                "errors": [{"code": "custom", "message": "A pull request already exists for o:b."}],
            },
            True,
        ),
        ({"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]}, False),
        ({"message": "Validation Failed", "errors": ["No commits between main and b"]}, False),
        ({"message": "Update is not a fast forward"}, False),
        (["no object"], False),
    ],
)
def test_a_refusal_says_whether_the_thing_is_there_already(body: object, *, exists: bool) -> None:
    with pytest.raises(RefusedByGitHubError) as caught:
        decipher(422, body, "POST")

    assert caught.value.already_exists is exists


def test_a_refusal_names_its_fields_and_sentences() -> None:
    errors = [{"field": "head", "code": "invalid"}, {"code": "missing_field", "field": "base"}, "No commits", 7, None]
    with pytest.raises(RefusedByGitHubError) as caught:
        decipher(422, {"message": "Validation Failed", "errors": errors}, "POST")

    assert caught.value.codes == ("invalid", "missing_field")
    assert caught.value.messages == ("Validation Failed", "head invalid", "base missing field", "No commits")
    assert caught.value.what == "GitHub refuses: Validation Failed; head invalid; base missing field; No commits"


def test_a_clock_that_is_off_is_told_with_the_time_at_github() -> None:
    message = "'Expiration time' claim ('exp') is too far in the future"
    with pytest.raises(UnauthorisedError, match=r"check this machine's clock; GitHub's says 2026-11-24 03:00:00 UTC"):
        decipher(401, {"message": message}, "POST", date="Tue, 24 Nov 2026 05:00:00 +0200")


@pytest.mark.parametrize(("status", "for_good"), [(301, True), (308, True), (302, False), (307, False)])
def test_a_redirect_is_an_answer_with_its_place(status: int, *, for_good: bool) -> None:
    answer = decipher(status, b"<html>", location="/repositories/1")

    assert (answer.location, answer.for_good) == ("/repositories/1", for_good)


def test_a_redirect_without_a_place_is_an_error() -> None:
    with pytest.raises(ForgeError, match="answered 302"):
        decipher(302)


@given(
    st.integers(100, 999),
    st.dictionaries(
        st.sampled_from(
            ["content-type", "link", "location", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date"]
        ),
        TEXT,
    ),
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | TEXT, st.lists).map(lambda x: json.dumps(x).encode()),
    st.sampled_from(["GET", "POST"]),
)
def test_whatever_comes_is_an_answer_or_a_clear_error(
    status: int, headers: dict[str, str], body: bytes, method: str
) -> None:
    problem: ForgeError | None = None
    try:
        answer = rules.decipher(status, headers, body, method=method, what="x")
    except ForgeError as error:
        problem = error
    if problem is None:
        assert answer.status == status
    else:
        assert str(problem).isprintable()
        assert not isinstance(problem, LimitedError) or 1 <= wait_for(problem.headers, NOW, 0) <= 86_400


# --- what GitHub says --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_0123456789abcdefABCDEF",
        "ghs_12345_eyJhbGciOi.abc-DEF_123",
        "github_pat_0123456789abcdefABCDEF_x",
        "v1.0123456789abcdef0123456789abcdef01234567",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    ],
)
def test_nothing_that_looks_like_a_token_is_repeated(secret: str) -> None:
    assert secret[8:] not in plain(f"who is {secret}?")


def test_users_and_queries_of_addresses_are_not_repeated() -> None:
    assert plain("see https://me:pw@host/x?token=y and rest") == "see https://***@host/x?*** and rest"


@given(TEXT)
def test_what_is_repeated_is_one_printable_line(text: str) -> None:
    assert plain(text).isprintable()


@given(st.binary(max_size=300))
def test_no_body_of_a_refusal_breaks_anything(body: bytes) -> None:
    assert complaint(body).whole


# --- limits ------------------------------------------------------------------------------------------------


def wait(attempt: int = 0, **headers: str) -> float:
    return wait_for({name.replace("_", "-"): value for name, value in headers.items()}, NOW, attempt)


def test_retry_after_goes_before_everything() -> None:
    assert wait(3, retry_after="17", x_ratelimit_remaining="0", x_ratelimit_reset="1795492800") == 17
    assert wait(retry_after=format_datetime(NOW + timedelta(seconds=20), usegmt=True)) == 20


def test_the_reset_counts_only_when_nothing_remains() -> None:
    reset = str(int(NOW.timestamp()) + 90)

    assert wait(x_ratelimit_remaining="0", x_ratelimit_reset=reset) == 91
    assert wait(x_ratelimit_remaining="5", x_ratelimit_reset=reset) == 60


def test_without_a_word_it_is_a_minute_that_doubles() -> None:
    assert [wait(attempt) for attempt in range(4)] == [60, 120, 240, 480]


def test_a_reset_is_measured_by_githubs_clock() -> None:
    there = NOW + timedelta(hours=5)
    reset = str(int(there.timestamp()) + 30)

    assert wait(x_ratelimit_remaining="0", x_ratelimit_reset=reset, date=format_datetime(there, usegmt=True)) == 31


@pytest.mark.parametrize("nonsense", ["-5", "1e9", "soon", "", "²", "9" * 400, "Tue, 99 Nov 2026 03:00:09 GMT"])
def test_nonsense_in_a_header_is_as_good_as_no_header(nonsense: str) -> None:
    assert wait(retry_after=nonsense) == 60
    assert wait(x_ratelimit_remaining="0", x_ratelimit_reset=nonsense) == 60
    assert wait(date=nonsense) == 60


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date"]),
        TEXT
        | st.integers().map(str)
        | st.datetimes().map(lambda at: format_datetime(at.replace(tzinfo=UTC), usegmt=True)),
    ),
    st.integers(-(10**9), 10**9),
)
def test_a_wait_is_never_shorter_than_a_second_nor_longer_than_a_day(headers: dict[str, str], attempt: int) -> None:
    assert 1 <= wait_for(headers, NOW, attempt) <= 86_400


@given(st.integers(1, 86_400))
def test_nobody_asks_before_the_time_that_github_names(seconds: int) -> None:
    assert wait(retry_after=str(seconds)) >= seconds
    assert wait(x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW.timestamp()) + seconds)) >= min(
        seconds, 86_400
    )
