"""What can be made to go wrong on the fake GitHub, and what its log tells afterwards."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.fakes.github import FakeGitHub
from tests.integration.github_bench import Bench, bench

PULLS = "/repos/*/pulls"
BODY = {"title": "t", "head": "fix/one", "base": "main"}


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench(FakeGitHub()) as one:
        yield one


# --- answers and connections ------------------------------------------------------------------------------------


def test_the_nth_call_meets_its_fault_and_no_other(at: Bench) -> None:
    fault = at.hub.faults.answer("GET", PULLS, 502, nth=2, times=2)

    answers = [at.get(path).status_code for path in ("/pulls", "", "/pulls", "/pulls", "/pulls")]

    assert answers == [200, 200, 502, 502, 200]
    assert fault.fired


def test_an_error_comes_with_the_effect_or_without_it(at: Bench) -> None:
    at.make_branch()
    at.hub.faults.answer("POST", PULLS, 503)
    at.hub.faults.answer("POST", PULLS, 504, effect=True, nth=2)

    assert (at.post("/pulls", BODY).status_code, len(at.one.pulls)) == (503, 0)
    assert (at.post("/pulls", BODY).status_code, len(at.one.pulls)) == (504, 1)
    assert at.post("/pulls", BODY).status_code == 422


def test_a_proxy_answers_with_a_page(at: Bench) -> None:
    at.hub.faults.html("GET", PULLS)

    answer = at.get("/pulls")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(("body", "text"), [(b'{"number": ', '{"number": '), ([1], "[1]")])
def test_json_can_be_broken_or_of_the_wrong_shape_after_the_effect(at: Bench, body: object, text: str) -> None:
    at.make_branch()
    at.hub.faults.wrong_json("POST", PULLS, body)

    answer = at.post("/pulls", BODY)

    assert (answer.status_code, answer.text, len(at.one.pulls)) == (200, text, 1)


@pytest.mark.parametrize("reset", [False, True])
def test_a_reply_is_lost_after_the_effect(at: Bench, reset: bool) -> None:
    at.make_branch()
    at.hub.faults.lose_reply("POST", PULLS, reset=reset)

    with pytest.raises(httpx.TransportError):
        at.post("/pulls", BODY)

    assert len(at.one.pulls) == 1
    assert at.get("/pulls").status_code == 200


def test_a_connection_is_dropped_before_the_effect(at: Bench) -> None:
    at.make_branch()
    at.hub.faults.drop("POST", PULLS)

    with pytest.raises(httpx.RemoteProtocolError):
        at.post("/pulls", BODY)

    assert len(at.one.pulls) == 0
    assert at.post("/pulls", BODY).status_code == 201


def test_an_answer_is_cut_off(at: Bench) -> None:
    at.hub.faults.cut("GET", PULLS)
    at.make_pull()

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        at.get("/pulls")


def test_an_archive_is_cut_off(at: Bench) -> None:
    at.hub.faults.cut("GET", "*/legacy.tar.gz/*")

    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        httpx.get(at.get("/tarball/main").headers["Location"])


def test_an_archive_is_replaced(at: Bench) -> None:
    at.hub.faults.answer("GET", "*/legacy.tar.gz/*", 200, b"no archive")

    assert httpx.get(at.get("/tarball/main").headers["Location"]).content == b"no archive"


def test_a_first_byte_that_is_late_comes_after_the_effect_and_holds_up_nobody_else(at: Bench) -> None:
    at.make_branch()
    at.hub.faults.delay("POST", PULLS, 60)
    at.client.timeout = httpx.Timeout(5, read=0.05)

    with pytest.raises(httpx.ReadTimeout):
        at.post("/pulls", BODY)

    at.client.timeout = httpx.Timeout(5)
    assert len(at.get("/pulls").json()) == 1


def test_a_body_stalls_in_the_middle(at: Bench) -> None:
    at.make_pull()
    at.hub.faults.stall("GET", PULLS, 60)

    with (
        at.client.stream("GET", f"{at.hub.url}/repos/octo/app/pulls", timeout=httpx.Timeout(5, read=0.05)) as answer,
        pytest.raises(httpx.ReadTimeout),
    ):
        answer.read()

    assert answer.status_code == 200


# --- lag ------------------------------------------------------------------------------------------------------


def test_a_new_pull_request_is_listed_only_after_some_reads(at: Bench) -> None:
    at.hub.lag.pull_reads = 2
    at.make_pull()

    seen = [len(at.get("/pulls?state=all&head=octo:fix/one").json()) for _ in range(3)]

    assert seen == [0, 0, 1]
    assert at.get("/pulls/1").status_code == 200


def test_a_new_pull_request_is_listed_only_after_some_time(at: Bench) -> None:
    at.hub.lag.pull_time = timedelta(seconds=20)
    at.make_pull()
    before = at.get("/pulls").json()
    duplicate = at.post("/pulls", BODY).status_code
    at.hub.clock.move(timedelta(seconds=20))

    assert (before, duplicate, len(at.get("/pulls").json())) == ([], 422, 1)


def test_a_new_ref_is_seen_only_after_some_reads_and_a_pull_request_for_it_fails_before(at: Bench) -> None:
    at.hub.lag.ref_reads = 2
    sha = at.make_branch()

    answers = [
        at.get("/git/ref/heads/fix/one").status_code,
        at.post("/pulls", BODY).json()["errors"][0]["field"],
        at.post("/git/refs", {"ref": "refs/heads/fix/one", "sha": sha}).json()["message"],
        at.get("/git/ref/heads/fix/one").status_code,
    ]

    assert answers == [404, "head", "Reference already exists", 200]
    assert at.post("/pulls", BODY).status_code == 201


# --- limits ---------------------------------------------------------------------------------------------------


def test_every_answer_tells_what_is_left(at: Bench) -> None:
    left = [int(at.get(path).headers["X-RateLimit-Remaining"]) for path in ("", "/nothing", "//rate_limit", "")]

    assert left == [4999, 4998, 4998, 4997]
    core = at.get("//rate_limit").json()["resources"]["core"]
    assert (core["limit"], core["remaining"], core["used"]) == (5000, 4997, 3)


@pytest.mark.parametrize("status", [403, 429])
def test_the_primary_limit_lasts_until_its_reset(at: Bench, status: int) -> None:
    resets_at = at.hub.limits.exhaust(status)

    refused = at.get("")
    asked = at.get("//rate_limit")
    at.hub.clock.move(timedelta(hours=1))

    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (status, "0")
    assert int(refused.headers["X-RateLimit-Reset"]) == int(resets_at.timestamp())
    assert "rate limit exceeded" in refused.json()["message"]
    assert asked.status_code == 200
    assert at.get("").status_code == 200


def test_the_primary_limit_is_met_by_counting(at: Bench) -> None:
    at.hub.limits.limit = 2

    assert [at.get("").status_code for _ in range(3)] == [200, 200, 403]


@pytest.mark.parametrize(("status", "wait"), [(403, 60), (429, None), (403, "Mon, 16 Feb 2026 00:18:00 GMT")])
def test_a_secondary_limit_asks_to_wait_or_does_not(at: Bench, status: int, wait: int | str | None) -> None:
    at.hub.limits.secondary(status, wait, times=2)

    answers = [at.get("") for _ in range(3)]

    assert [one.status_code for one in answers] == [status, status, 200]
    assert answers[0].headers.get("Retry-After") == (None if wait is None else str(wait))
    assert answers[0].headers["X-RateLimit-Remaining"] != "0"
    assert "secondary rate limit" in answers[0].json()["message"]


def test_writes_that_come_too_fast_meet_the_secondary_limit() -> None:
    times = iter([0.0, 0.5, 2.0, 3.0])
    moment = datetime(2026, 2, 16, tzinfo=UTC)
    with bench(FakeGitHub(now=lambda: moment)) as at:
        at.hub.limits.min_write_gap = 1
        answers = []
        for seconds in times:
            at.hub.clock.freeze(moment + timedelta(seconds=seconds))
            answers.append(at.post("/git/blobs", {"content": "x"}).status_code)
            assert at.get("").status_code == 200

        assert answers == [201, 403, 201, 201]
        assert at.hub.log.write_gaps() == [0.5, 1.5, 1.0]


# --- the log ----------------------------------------------------------------------------------------------------


def test_the_log_knows_every_call_and_no_token(at: Bench) -> None:
    at.make_pull()
    at.hub.faults.lose_reply("GET", PULLS)
    with pytest.raises(httpx.TransportError):
        at.get("/pulls")

    (made,) = at.hub.log.select("POST", PULLS)
    (lost,) = at.hub.log.select("GET", PULLS)

    assert (made.status, made.body["head"], made.user, made.authorized) == (201, "fix/one", "selfimprover-bot", True)
    assert "authorization" not in made.headers
    assert (lost.status, lost.fault) == (None, "lost reply")
    assert at.hub.log.lines()[-1] == "GET /repos/octo/app/pulls -> lost reply"
    assert [call.method for call in at.hub.log.writes()] == ["POST"] * 4
    assert at.hub.log.bytes_up() > 0
    assert at.hub.log.bytes_down() > at.hub.log.bytes_up()


def test_secrets_in_bodies_and_addresses_are_found(at: Bench) -> None:
    at.post("/git/blobs", {"content": "secret-one"})
    at.get("/contents/a?ref=secret-two")
    at.get("/git/ref/heads/secret%2Dthree")

    assert all(one in at.hub.log.bodies() for one in (b"secret-one", b"secret-two", b"secret-three"))


def test_queries_of_graphql_and_tokens_for_apps_are_no_writes(at: Bench) -> None:
    for query in ("query { node(id: 1) { id } }", "mutation { nothing }"):
        at.client.post(at.hub.graphql_url, json={"query": query})
    at.post("//app/installations/1/access_tokens", {})

    assert [call.body["query"] for call in at.hub.log.writes()] == ["mutation { nothing }"]


# --- the fake itself ----------------------------------------------------------------------------------------------


def test_an_enterprise_server_has_its_api_below_a_path() -> None:
    with bench(FakeGitHub(enterprise=True)) as at:
        assert at.hub.url.endswith("/api/v3")
        assert at.get("").json()["url"] == f"{at.hub.url}/repos/octo/app"
        assert at.client.post(at.hub.graphql_url, json={"query": "{ node(id: 1) { id } }"}).status_code == 200
        assert at.get("/tarball/main").headers["Location"].startswith(at.hub.codeload_url)


async def test_a_late_answer_holds_up_neither_other_clients_nor_a_person(at: Bench) -> None:
    at.hub.faults.delay("GET", "/repos/octo/app", 60, times=None)
    headers = {"Authorization": f"Bearer {at.hub.token()}", "X-GitHub-Api-Version": "2026-03-10"}
    async with httpx.AsyncClient(base_url=at.hub.url, headers=headers, verify=False, timeout=60) as client:
        late = [asyncio.ensure_future(client.get("/repos/octo/app")) for _ in range(9)]
        pushed = at.one.commit("main", {"x": "y\n"})
        seen = (await client.get("/repos/octo/app/git/ref/heads/main")).json()["object"]["sha"]
        still_waiting = [one.done() for one in late]
        at.hub.close()
        answers = await asyncio.gather(*late, return_exceptions=True)

    assert seen == pushed
    assert not any(still_waiting)
    assert all(isinstance(one, httpx.TransportError) for one in answers)


def test_a_fake_that_fails_says_so_at_its_end() -> None:
    hub = FakeGitHub().start()
    one = hub.repository("octo/app")
    one.refs["refs/heads/main"] = "not a commit"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{hub.url}/repos/octo/app/commits/main", headers={"Authorization": f"Bearer {hub.token()}"})

    with pytest.raises(AssertionError, match="the fake GitHub is wrong"):
        hub.close()


def test_nothing_is_left_of_a_fake_that_ended(at: Bench) -> None:
    with FakeGitHub() as other:
        url = other.url
        httpx.get(url)

    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
