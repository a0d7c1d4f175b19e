"""The client against a server that behaves like GitHub, badly included."""

import asyncio
import gzip
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from selfimprover.errors import ForgeError, UsageError
from selfimprover.forges.github.addresses import path
from selfimprover.forges.github.auth import TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import (
    DoubtError,
    ForbiddenError,
    LimitedError,
    MissingError,
    RefusedByGitHubError,
    UnauthorisedError,
    UnavailableError,
)
from selfimprover.forges.github.tarball import unpack
from tests.fakes.github import FakeGitHub, executable, symlink
from tests.integration.scripted_server import DRIP, DROP, HANG, TOKEN, Clock, Stage, reply, scripted, stage

OK = reply(200, {"ok": True})
MADE = reply(201, {"made": True})
BROKEN = reply(502, b"<html>Bad gateway</html>", content_type="text/html")
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}


async def test_every_request_says_who_we_are_and_which_api_we_mean() -> None:
    async with stage(OK, MADE) as at:
        await at.github.get("/repos/o/r")
        await at.github.write("POST", "/repos/o/r/labels", {"name": "ü"})

    for seen in at.script.seen:
        assert seen.headers["authorization"] == f"Bearer {TOKEN}"
        assert seen.headers["accept"] == "application/vnd.github+json"
        assert seen.headers["x-github-api-version"] == "2026-03-10"
        assert seen.headers["user-agent"] == "selfimprover"
    assert at.script.seen[1].body == {"name": "ü"}
    assert at.script.seen[1].headers["content-type"] == "application/json"


async def test_query_values_arrive_as_they_were_meant() -> None:
    async with stage(OK) as at:
        await at.github.get("/repos/o/r/pulls", head="o:selfimprover/a b&c", draft=True, page=2, sort=None)

    assert at.script.targets == ["GET /repos/o/r/pulls?head=o%3Aselfimprover%2Fa%20b%26c&draft=true&page=2"]


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


def content(file: Path) -> bytes:
    return file.read_bytes()


# --- reads -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        BROKEN,
        reply(500),
        DROP,
        reply(200, b'{"a": ', content_type="application/json"),
        reply(200, b"<html>Log in</html>", content_type="text/html"),
        reply(200, b'{"cut": true}', content_length="4000", connection="close"),
    ],
    ids=["502", "500", "dropped", "cut JSON", "login page", "cut body"],
)
async def test_a_read_that_failed_is_repeated_with_pauses(bad: bytes) -> None:
    async with stage(bad, bad, OK) as at:
        answer = await at.github.get("/repos/o/r")

    assert answer.data == {"ok": True}
    assert len(at.clock.slept) == 2
    assert 0.5 <= at.clock.slept[0] <= 1.0 <= at.clock.slept[1] <= 2.0


async def test_a_read_that_fails_on_and_on_ends_in_an_error_and_not_in_a_loop() -> None:
    async with stage(*[BROKEN] * 10) as at:
        with pytest.raises(UnavailableError, match="GitHub failed with 502"):
            await at.github.get("/repos/o/r")

    assert len(at.script.seen) == 4


async def test_a_web_page_in_place_of_an_answer_is_named_as_what_it_is() -> None:
    async with stage(*[reply(200, b"<html>", content_type="text/html; charset=utf-8")] * 4) as at:
        with pytest.raises(ForgeError, match=r"text/html, not GitHub's JSON; is a proxy or login page between us"):
            await at.github.get("/repos/o/r")


@pytest.mark.parametrize("silence", [HANG, DRIP], ids=["no answer", "a byte now and then"])
async def test_a_server_that_never_ends_cannot_hold_a_read_beyond_its_deadline(silence: bytes) -> None:
    async with stage(*[silence] * 4, deadline=0.15) as at:
        with pytest.raises(UnavailableError, match="no answer in time"):
            await at.github.get("/repos/o/r")


async def test_waits_are_counted_in_the_deadline() -> None:
    async with stage(*[BROKEN] * 10, deadline=1.2) as at:
        with pytest.raises(UnavailableError):
            await at.github.get("/repos/o/r")

    assert sum(at.clock.slept) < 1.2
    assert len(at.script.seen) < 4


async def test_nobody_at_home_is_one_clear_line() -> None:
    async with stage() as at:
        pass
    async with GitHub(at.script.url, TokenAuth(TOKEN), sleep=at.clock.sleep) as github:
        with pytest.raises(UnavailableError, match=r"^GET 127\.0\.0\.1:\d+/repos/o/r: GitHub cannot be reached \("):
            await github.get("/repos/o/r")


async def test_what_is_final_is_not_repeated() -> None:
    async with stage(reply(404, {"message": "Not Found"})) as at:
        with pytest.raises(MissingError):
            await at.github.get("/repos/o/r")

    assert len(at.script.seen) == 1


async def test_an_unchanged_thing_is_none_and_a_changed_one_brings_its_new_mark() -> None:
    async with stage(reply(200, {}, etag='W/"1"'), reply(304), reply(200, {"new": 1}, etag='W/"2"')) as at:
        first = await at.github.get("/repos/o/r/pulls/1")
        second = await at.github.get_if_changed("/repos/o/r/pulls/1", first.etag)
        third = await at.github.get_if_changed("/repos/o/r/pulls/1", first.etag)

    assert first.etag == 'W/"1"'
    assert second is None
    assert third is not None
    assert third.etag == 'W/"2"'
    assert [seen.headers.get("if-none-match") for seen in at.script.seen] == [None, 'W/"1"', 'W/"1"']


async def test_unchanged_is_no_answer_to_who_did_not_ask_for_changes() -> None:
    async with stage(reply(304), OK) as at:
        assert (await at.github.get("/a")).data == {"ok": True}


async def test_a_mark_that_no_header_can_carry_is_left_out() -> None:
    async with stage(OK) as at:
        assert await at.github.get_if_changed("/a", 'W/"ü\n"') is not None

    assert "if-none-match" not in at.script.seen[0].headers


async def test_an_answer_that_grows_without_end_is_given_up() -> None:
    bomb = gzip.compress(b"[" + b" " * (80 << 20), 1)
    async with stage(*[reply(200, bomb, content_encoding="gzip")] * 4) as at:
        with pytest.raises(ForgeError, match="too large"):
            await at.github.get("/repos/o/r")


# --- pages -------------------------------------------------------------------------------------------------


async def test_every_page_is_read_by_the_link_as_it_is_given() -> None:
    async with stage() as at:
        link = (
            f'<{at.script.url}/repositories/7/pulls?page=2&x=%2F>; rel="next", <{at.script.url}/p?page=9>; rel="last"'
        )
        at.script.then(reply(200, [{"n": 1}], link=link), reply(200, [{"n": 2}]))
        found = await at.github.get_all("/repos/o/r/pulls", state="all")

    assert found == [{"n": 1}, {"n": 2}]
    assert at.script.targets == [
        "GET /repos/o/r/pulls?per_page=100&state=all",
        "GET /repositories/7/pulls?page=2&x=%2F",
    ]


async def test_a_wrapped_list_is_read_by_its_key() -> None:
    async with stage(reply(200, {"total_count": 1, "check_runs": [{"id": 1}]})) as at:
        assert await at.github.get_all("/repos/o/r/commits/x/check-runs", key="check_runs") == [{"id": 1}]


async def test_the_token_does_not_follow_a_page_to_another_host() -> None:
    async with scripted(OK) as other, stage(reply(200, [], link=f'<{other.url}/p>; rel="next"')) as at:
        with pytest.raises(ForgeError, match="another host"):
            await at.github.get_all("/repos/o/r/pulls")

        assert other.seen == []


async def test_pages_that_lead_in_a_circle_come_to_an_end() -> None:
    async with stage() as at:
        at.script.then(*[reply(200, [{}], link=f'<{at.script.url}/p>; rel="next"')] * 200)
        with pytest.raises(ForgeError, match="more than 100 pages"):
            await at.github.get_all("/repos/o/r/pulls")

    assert len(at.script.seen) == 100


@pytest.mark.parametrize("body", [{"a": 1}, [1], {"check_runs": None}, [[]]])
async def test_a_list_of_another_shape_is_an_error_and_not_an_empty_list(body: object) -> None:
    async with stage(reply(200, body)) as at:
        with pytest.raises(ForgeError, match="not the list"):
            await at.github.get_all("/repos/o/r/commits/x/check-runs", key="check_runs")


# --- writes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lost",
    [
        BROKEN,
        reply(504),
        reply(500),
        DROP,
        reply(201, b'{"sha": "ab'),
        reply(201),
        reply(201, b"<p>", content_type="a/b"),
    ],
    ids=["502", "504", "500", "dropped", "cut JSON", "empty", "web page"],
)
async def test_a_write_of_unknown_effect_is_never_repeated_but_doubted(lost: bytes) -> None:
    async with stage(lost, MADE) as at:
        with pytest.raises(DoubtError, match="whether it was done is not known"):
            await at.github.write("POST", "/repos/o/r/pulls", {"title": "x"})

    assert len(at.script.seen) == 1


@pytest.mark.parametrize("silence", [HANG, DRIP], ids=["no answer", "a byte now and then"])
async def test_a_write_that_gets_no_answer_in_time_is_doubted(silence: bytes) -> None:
    async with stage(silence, MADE, deadline=0.15) as at:
        with pytest.raises(DoubtError):
            await at.github.write("PATCH", "/repos/o/r/pulls/1", {"title": "x"})

    assert len(at.script.seen) == 1


async def test_a_write_that_was_never_sent_is_no_doubt() -> None:
    async with stage() as at:
        pass
    async with GitHub(at.script.url, TokenAuth(TOKEN), sleep=at.clock.sleep) as github:
        with pytest.raises(UnavailableError):
            await github.write("POST", "/repos/o/r/pulls", {})


async def test_a_refusal_says_what_github_says_and_is_final() -> None:
    errors = [{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for o:b."}]
    async with stage(reply(422, {"message": "Validation Failed", "errors": errors})) as at:
        with pytest.raises(RefusedByGitHubError, match="already exists for o:b") as caught:
            await at.github.write("POST", "/repos/o/r/pulls", {})

    assert caught.value.already_exists
    assert caught.value.codes == ("custom",)
    assert len(at.script.seen) == 1


async def test_writes_keep_their_distance_even_when_many_ask_at_once() -> None:
    async with stage(MADE, MADE, MADE) as at:
        await asyncio.gather(*(at.github.write("POST", f"/repos/o/r/labels/{n}", {}) for n in range(3)))

    assert len(at.script.seen) == 3
    assert at.clock.slept == pytest.approx([1.0, 1.0])


async def test_a_failed_write_keeps_the_distance_as_well() -> None:
    async with stage(BROKEN, MADE) as at:
        with pytest.raises(DoubtError):
            await at.github.write("POST", "/a", {})
        await at.github.write("POST", "/a", {})

    assert at.clock.slept == pytest.approx([1.0])


async def test_reads_need_no_distance_and_do_not_wait_for_writes() -> None:
    async with stage(MADE, OK, OK) as at:
        await at.github.write("POST", "/a", {})
        await at.github.get("/a")
        await at.github.get("/a")

    assert at.clock.slept == []


async def test_a_write_for_which_no_time_is_left_is_not_sent_and_is_no_doubt() -> None:
    async with stage(MADE, MADE, deadline=5, write_interval=10) as at:
        await at.github.write("POST", "/a", {})
        with pytest.raises(UnavailableError, match="the time for it is over"):
            await at.github.write("POST", "/a", {})

    assert len(at.script.seen) == 1


async def test_a_write_may_have_no_body_and_no_answer() -> None:
    async with stage(reply(204)) as at:
        answer = await at.github.write("DELETE", "/repos/o/r/git/refs/heads/x")

    assert answer.data is None
    assert at.script.seen[0].raw == b""


async def test_text_that_no_server_can_read_is_refused_before_sending() -> None:
    async with stage() as at:
        with pytest.raises(ForgeError, match="none that GitHub could read"):
            await at.github.write("POST", "/a", {"title": "half a pair \ud800"})

    assert at.script.seen == []


# --- limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limited", "seconds"),
    [
        (reply(429, SECONDARY, retry_after="7"), 7),
        (reply(403, SECONDARY, retry_after="7"), 7),
        (reply(403, SECONDARY, retry_after="Tue, 24 Nov 2026 03:00:09 GMT"), 9),
        (reply(403, SECONDARY, date="Tue, 24 Nov 2026 04:00:00 GMT", retry_after="Tue, 24 Nov 2026 04:00:05 GMT"), 5),
        (
            reply(
                403, {"message": "API rate limit exceeded"}, x_ratelimit_remaining="0", x_ratelimit_reset="1795489230"
            ),
            31,
        ),
        (reply(403, {"message": "You have triggered an abuse detection mechanism"}), 60),
        (reply(429, {"message": "?"}), 60),
    ],
    ids=["429", "403", "a date", "a date by another clock", "primary", "no headers", "429 without words"],
)
@pytest.mark.parametrize("write", [False, True])
async def test_a_limit_is_waited_out_and_the_request_repeated(limited: bytes, seconds: int, *, write: bool) -> None:
    async with stage(limited, OK, deadline=100) as at:
        answer = await (at.github.write("POST", "/a", {"n": 1}) if write else at.github.get("/a"))

    assert answer.data == {"ok": True}
    assert at.clock.slept == pytest.approx([seconds])
    assert at.script.seen[0].raw == at.script.seen[1].raw


async def test_a_limit_that_says_nothing_is_waited_for_twice_as_long_each_time() -> None:
    limited = reply(429, SECONDARY)
    async with stage(limited, limited, limited, OK, limited, OK, deadline=1000) as at:
        await at.github.get("/a")
        await at.github.get("/a")

    assert at.clock.slept == pytest.approx([60, 120, 240, 60])


async def test_a_limit_beyond_the_deadline_is_told_with_its_end_and_nobody_asks_before_it() -> None:
    async with stage(reply(403, SECONDARY, retry_after="600"), OK) as at:
        for _ in range(3):
            with pytest.raises(LimitedError, match=r"the limit ends at 2026-11-24 03:10:00 UTC") as caught:
                await at.github.write("POST", "/a", {})
            assert caught.value.until is not None
        assert len(at.script.seen) == 1
        assert at.clock.slept == []

        at.clock.seconds += 599
        assert (await at.github.get("/a")).data == {"ok": True}

    assert at.clock.slept == pytest.approx([1])


async def test_of_limits_that_come_at_once_the_longest_counts() -> None:
    long, short = (reply(403, SECONDARY, retry_after=seconds) for seconds in ("600", "7"))
    async with stage(long, short) as at:
        found = await asyncio.gather(*(at.github.get("/a") for _ in range(2)), return_exceptions=True)

    assert [str(one)[-50:] for one in found] == [str(found[0])[-50:]] * 2
    assert "ends at 2026-11-24 03:10:00 UTC" in str(found[0])


async def test_a_missing_permission_is_no_limit_even_when_the_limit_is_used_up() -> None:
    said = {"message": "Resource not accessible by integration"}
    headers = {"x_accepted_github_permissions": "contents=write", "x_ratelimit_remaining": "0"}
    async with stage(reply(403, said, **headers)) as at:
        with pytest.raises(ForbiddenError, match=r"one of these permissions: contents=write") as caught:
            await at.github.write("POST", "/repos/o/r/git/refs", {})

    assert caught.value.permissions == "contents=write"
    assert len(at.script.seen) == 1


# --- redirects ---------------------------------------------------------------------------------------------


async def test_a_renamed_repository_is_followed_once_and_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    async with stage(reply(301, location="/repositories/42/pulls"), reply(200, [])) as at:
        at.script.then(reply(200, {"full_name": "o/new"}), OK, reply(200, [{"number": 1}]), MADE)
        await at.github.get("/repos/o/r/pulls")
        await at.github.get("/repos/o/r", x=1)
        listed = await at.github.get_all("/repos/o/r/pulls")
        await at.github.write("POST", "/repos/o/r/pulls", {"title": "x"})

    assert listed == [{"number": 1}]
    assert at.github.renamed_to == "o/new"
    assert at.script.targets == [
        *("GET /repos/o/r/pulls", "GET /repositories/42/pulls", "GET /repositories/42", "GET /repositories/42?x=1"),
        *("GET /repositories/42/pulls?per_page=100", "POST /repositories/42/pulls"),
    ]
    assert capsys.readouterr().out.count('set projects.repository.name = "o/new"') == 1


async def test_only_a_redirect_for_good_is_kept_in_mind() -> None:
    async with stage(*[reply(302, location="/repositories/42/pulls"), reply(200, [])] * 2) as at:
        await at.github.get("/repos/o/r/pulls")
        await at.github.get("/repos/o/r/pulls")

    assert at.script.targets == ["GET /repos/o/r/pulls", "GET /repositories/42/pulls"] * 2


@pytest.mark.parametrize("place", ["/repos/o/rest", "/repos/o2/r", "/app"])
async def test_a_rename_moves_no_other_repository(place: str) -> None:
    async with stage(reply(301, location="/repositories/42/pulls"), reply(200, []), reply(404), OK) as at:
        await at.github.get("/repos/o/r/pulls")
        await at.github.get(place)

    assert at.script.targets[-1] == f"GET {place}"


@pytest.mark.parametrize(("status", "looks"), [(301, 1), (307, 0), (308, 1)])
async def test_a_renamed_repository_has_its_number_until_its_name_is_known(status: int, looks: int) -> None:
    answers = [reply(status, location="/repositories/42/pulls"), MADE, *[reply(403, {"message": "no"})] * looks]
    async with stage(*answers) as at:
        await at.github.write("POST", "/repos/o/r/pulls", {"title": "x"})

    assert at.github.renamed_to == "repositories/42"
    assert [(seen.method, seen.body) for seen in at.script.seen[:2]] == [("POST", {"title": "x"})] * 2
    assert len(at.script.seen) == 2 + looks


async def test_a_rename_is_noticed_by_reads_and_writes_alike() -> None:
    with FakeGitHub() as hub:
        repository = hub.repository("octo/app")
        repository.rename("renamed")
        body = {"sha": repository.refs["refs/heads/main"]}
        async with GitHub(hub.url, TokenAuth(hub.token()), write_interval=0) as github:
            await github.write("PATCH", "/repos/octo/app/git/refs/heads/main", body)
            first = github.renamed_to
            await github.get("/repos/octo/app")

        assert (str(first)[:13], github.renamed_to) == ("repositories/", "octo/renamed")


async def test_what_moved_for_a_while_is_followed_and_not_called_renamed() -> None:
    async with stage(reply(307, location="/elsewhere"), OK) as at:
        assert (await at.github.get("/a")).data == {"ok": True}

    assert at.github.renamed_to is None


async def test_what_moved_within_its_repository_is_not_called_renamed() -> None:
    async with stage(reply(301, location="/repos/o/r/elsewhere"), OK) as at:
        assert (await at.github.get("/repos/o/r/here")).data == {"ok": True}

    assert at.github.renamed_to is None


async def test_no_redirect_leads_the_token_to_another_host() -> None:
    async with scripted(OK) as other, stage(reply(301, location=f"{other.url}/repos/o/r")) as at:
        with pytest.raises(ForgeError, match="another host"):
            await at.github.get("/repos/o/r")

        assert other.seen == []


async def test_redirects_are_followed_once() -> None:
    async with stage(*[reply(301, location="/round")] * 5) as at:
        with pytest.raises(ForgeError, match="on and on"):
            await at.github.get("/round")

    assert len(at.script.seen) == 2


@pytest.mark.parametrize("location", ["http://[", "http://", "//", "\x7f"])
async def test_a_redirect_to_nowhere_is_a_clear_error(location: str) -> None:
    async with stage(*[reply(302, location=location)] * 5) as at:
        with pytest.raises(ForgeError):
            await at.github.get("/a")


# --- GraphQL -----------------------------------------------------------------------------------------------


async def test_graphql_gives_the_data() -> None:
    async with stage(BROKEN, reply(200, {"data": {"viewer": {"login": "me"}}})) as at:
        data = await at.github.graphql("query($n: Int) { viewer { login } }", {"n": 1})

    assert data == {"viewer": {"login": "me"}}
    assert at.script.seen[1].target == "/graphql"
    assert at.script.seen[1].body == {"query": "query($n: Int) { viewer { login } }", "variables": {"n": 1}}


async def test_a_mutation_is_a_write() -> None:
    async with stage(reply(200, {"data": {"x": {}}}), BROKEN, MADE) as at:
        await at.github.graphql("mutation { x }")
        with pytest.raises(DoubtError):
            await at.github.graphql("mutation { x }")

    assert at.clock.slept == pytest.approx([1.0])
    assert at.github.calls.writes == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}, MissingError),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, ForbiddenError),
        ({"message": "Field 'x' doesn't exist on type 'Query'"}, RefusedByGitHubError),
        ({"message": "Something went wrong while executing your query."}, UnavailableError),
    ],
)
async def test_errors_of_graphql_come_with_status_200_and_are_raised(error: object, kind: type[ForgeError]) -> None:
    async with stage(*[reply(200, {"data": None, "errors": [error]})] * 4) as at:
        with pytest.raises(kind):
            await at.github.graphql("{ x }")


async def test_a_limit_of_graphql_is_waited_out() -> None:
    limited = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    async with stage(
        reply(200, limited, x_ratelimit_remaining="0", x_ratelimit_reset="1795489219"), reply(200, {"data": {}})
    ) as at:
        assert await at.github.graphql("{ x }") == {}

    assert at.clock.slept == pytest.approx([20])


# --- archives ----------------------------------------------------------------------------------------------


async def _download(at: Stage, into: Path, most_bytes: int = 1000, deadline: float = 60.0) -> int:
    return await at.github.download("/repos/o/r/tarball/abc", into, most_bytes=most_bytes, deadline=deadline)


async def test_an_archive_is_fetched_from_where_github_points_without_our_token(tmp_path: Path) -> None:
    async with scripted(reply(200, b"\x1f\x8b archive", content_type="application/x-gzip")) as store, stage() as at:
        at.script.then(reply(302, location=f"{store.url}/o/r/legacy.tar.gz/abc?token=signature"))
        size = await _download(at, tmp_path / "a")

    assert content(tmp_path / "a") == b"\x1f\x8b archive"
    assert size == 10
    assert store.targets == ["GET /o/r/legacy.tar.gz/abc?token=signature"]
    assert "authorization" not in store.seen[0].headers
    assert TOKEN not in str(store.seen)


async def test_a_renamed_repository_has_its_archive_too(tmp_path: Path) -> None:
    async with (
        scripted(reply(200, b"x", content_type="application/x-gzip")) as store,
        stage(reply(301, location="/repositories/4/tarball/abc"), reply(302, location=f"{store.url}/x")) as at,
    ):
        assert await _download(at, tmp_path / "a") == 1

    assert at.github.renamed_to == "repositories/4"


@pytest.mark.parametrize("announced", [True, False])
async def test_an_archive_beyond_its_cap_is_given_up_and_leaves_nothing(tmp_path: Path, *, announced: bool) -> None:
    body = reply(200, b"x" * 2000, content_type="application/x-gzip", connection="close")
    body = body if announced else body.replace(b"content-length: 2000\r\n", b"")
    async with scripted(body) as store, stage() as at:
        at.script.then(reply(302, location=f"{store.url}/x"))
        with pytest.raises(ForgeError, match="larger than"):
            await _download(at, tmp_path / "a")

    assert is_empty(tmp_path)
    assert len(store.seen) == 1


@pytest.mark.parametrize(
    "bad",
    [
        DROP,
        reply(200, b"part", content_length="500", connection="close"),
        reply(404),
        BROKEN,
        reply(200, b"<html>", content_type="text/html"),
    ],
    ids=["dropped", "cut", "expired link", "502", "web page"],
)
async def test_an_archive_that_did_not_come_whole_is_asked_for_anew(tmp_path: Path, bad: bytes) -> None:
    whole = reply(200, b"whole", content_type="application/x-gzip")
    async with scripted(bad, whole) as store, stage() as at:
        at.script.then(*[reply(302, location=f"{store.url}/x?token=signature")] * 2)
        await _download(at, tmp_path / "a")

    assert content(tmp_path / "a") == b"whole"
    assert len(at.script.seen) == 2


async def test_an_archive_that_drips_ends_at_the_deadline_and_leaves_nothing(tmp_path: Path) -> None:
    async with scripted(*[DRIP] * 4) as store, stage() as at:
        at.script.then(*[reply(302, location=f"{store.url}/x?token=signature")] * 4)
        with pytest.raises(UnavailableError, match="did not come in time") as caught:
            await _download(at, tmp_path / "a", most_bytes=1 << 30, deadline=0.15)

    assert "signature" not in str(caught.value)
    assert is_empty(tmp_path)


@pytest.mark.parametrize(
    "location", ["http://example.com/x", "https://example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "", "/"]
)
async def test_an_archive_is_fetched_only_from_where_github_keeps_them(tmp_path: Path, location: str) -> None:
    answer = reply(302, location=location) if location != "/" else reply(200, {})
    async with stage(answer) as at:
        with pytest.raises(ForgeError):
            await _download(at, tmp_path / "a")

    assert is_empty(tmp_path)
    assert len(at.script.seen) == 1


async def test_an_archive_for_which_there_is_no_room_is_one_clear_line(tmp_path: Path) -> None:
    async with scripted(reply(200, b"x", content_type="application/x-gzip")) as store, stage() as at:
        at.script.then(reply(302, location=f"{store.url}/x"))
        with pytest.raises(ForgeError, match="cannot be stored: No such file or directory"):
            await _download(at, tmp_path / "missing" / "a")


# --- secrets, counts and the machine's settings -------------------------------------------------------------


async def test_a_wrong_token_ends_it_at_once() -> None:
    async with stage(reply(401, {"message": "Bad credentials"})) as at:
        with pytest.raises(UnauthorisedError, match=r"Bad credentials \(the token is wrong, expired or revoked"):
            await at.github.get("/user")
        with pytest.raises(UnauthorisedError, match="Bad credentials"):
            await at.github.write("POST", "/repos/o/r/pulls", {})

    assert len(at.script.seen) == 1  # who goes on with it gets banned


async def test_no_error_or_log_line_holds_a_secret() -> None:
    mirrored = {"message": f"who is {TOKEN}? see https://me:pw@host/x?access_token=secret"}
    answers = [reply(status, mirrored) for status in (400, 401, 403, 404, 405, 409, 410, 418, 422, 429)]
    with structlog.testing.capture_logs() as lines:
        for answer in answers:
            async with stage(answer) as at:
                with pytest.raises(ForgeError) as caught:
                    await at.github.get("/repos/o/r", access_token="secret")
            said = f"{caught.value} {caught.value!r} {caught.value.__dict__}"
            assert TOKEN not in said
            assert "secret" not in said
            assert "me:pw" not in said

    assert len([line for line in lines if line["event"] == "github.request"]) == len(answers)
    assert TOKEN not in str(lines)
    assert "secret" not in str(lines)


async def test_log_lines_name_the_kind_of_call_and_not_its_numbers() -> None:
    async with stage(DROP, OK) as at:
        with structlog.testing.capture_logs() as lines:
            await at.github.get(f"/repos/o/r/commits/{'a' * 40}/check-runs", page=3)

    line = {"event": "github.request", "log_level": "debug", "method": "GET", "ms": 0}
    line["path"] = "/repos/o/r/commits/{sha}/check-runs"
    assert lines == [line | {"status": None}, line | {"status": 200}]


async def test_calls_and_bytes_are_counted() -> None:
    async with stage(OK, BROKEN, OK, MADE) as at:
        await at.github.get("/a")
        await at.github.get("/a")
        await at.github.write("POST", "/a", {"n": 1})

    calls = at.github.calls
    assert (calls.reads, calls.writes, calls.total) == (3, 1, 4)
    assert calls.bytes_sent == len('{"n": 1}')
    assert calls.bytes_received == len('{"ok": true}') * 2 + len("<html>Bad gateway</html>") + len('{"made": true}')


async def test_an_authority_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(UsageError, match=r"missing\.pem: SSL_CERT_FILE names a file that cannot be read"):
        GitHub("https://api.github.com", TokenAuth(TOKEN))


async def test_an_authority_of_ones_own_is_believed_by_ssl_cert_file_and_not_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path / "own.pem"))
    async with scripted(OK, tls=context) as script:
        async with GitHub(script.url, TokenAuth(TOKEN), sleep=Clock().sleep) as github:
            with pytest.raises(ForgeError, match=r"certificate is not trusted .*SSL_CERT_FILE"):
                await github.get("/user")
        assert github.calls.total == 1
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
        async with GitHub(script.url, TokenAuth(TOKEN)) as github:
            assert (await github.get("/user")).data == {"ok": True}


def _certificate(file: Path) -> Path:
    """A certificate for this machine that vouches for itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    day = timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - day)
        .not_valid_after(datetime.now(UTC) + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file


async def test_a_proxy_that_is_none_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://me:pw@proxy")
    with pytest.raises(UsageError, match="the environment's proxy cannot be used") as caught:
        GitHub("https://api.github.com", TokenAuth(TOKEN))

    assert "pw" not in str(caught.value)


# --- the whole client on the whole fake ---------------------------------------------------------------------


@pytest.mark.parametrize("enterprise", [False, True])
async def test_a_repository_is_read_page_by_page_and_its_tree_fetched(tmp_path: Path, *, enterprise: bool) -> None:
    with FakeGitHub(enterprise=enterprise) as hub:
        repository = hub.repository("octo/app", {"a.py": "1\n", "run": executable("#!/bin/sh\n"), "l": symlink("a.py")})
        head = repository.refs["refs/heads/main"]
        repository.commit("x/y", {"b.py": "2\n"}, "change\n")
        async with GitHub(hub.url, TokenAuth(hub.token()), write_interval=0) as github:
            opened = await github.write("POST", "/repos/octo/app/pulls", {"title": "x", "head": "x/y", "base": "main"})
            comments = f"/repos/octo/app/issues/{opened.data['number']}/comments"
            for number in range(103):
                await github.write("POST", comments, {"body": f"{number}"})
            found = await github.get_all(comments)
            await github.download(f"/repos/octo/app/tarball/{head}", tmp_path / "tree.tar.gz", most_bytes=1 << 20)

        assert [comment["body"] for comment in found] == [f"{number}" for number in range(103)]
        assert hub.leaks == []
    assert unpack(tmp_path / "tree.tar.gz", tmp_path / "tree").files == 2
    assert sorted(path.name for path in (tmp_path / "tree").iterdir()) == ["a.py", "l", "run"]


async def test_a_lost_reply_is_a_doubt_that_a_look_settles() -> None:
    with FakeGitHub() as hub:
        head = hub.repository("octo/app").refs["refs/heads/main"]
        hub.faults.lose_reply("POST", "/repos/*/git/refs")
        async with GitHub(hub.url, TokenAuth(hub.token()), write_interval=0) as github:
            with pytest.raises(DoubtError):
                await github.write("POST", "/repos/octo/app/git/refs", {"ref": "refs/heads/a/b", "sha": head})
            found = await github.get(path("/repos/{+name}/git/ref/{+ref}", name="octo/app", ref="heads/a/b"))

        assert found.data["object"]["sha"] == head
        assert len(hub.log.select("POST", "/repos/*/git/refs")) == 1
