"""Who is let in to the fake GitHub, and the rules for every request."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.github import ALL_NEEDED, FakeGitHub
from tests.integration.github_bench import Bench, bench


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench(FakeGitHub()) as one:
        yield one


def test_a_request_without_user_agent_is_forbidden(at: Bench) -> None:
    assert at.get("", User_Agent="").status_code == 403


def test_an_unknown_version_of_the_api_is_a_bad_request(at: Bench) -> None:
    assert at.get("", X_GitHub_Api_Version="2027-01-01").status_code == 400


def test_without_a_version_the_old_one_answers(at: Bench) -> None:
    at.make_pull()
    del at.client.headers["X-GitHub-Api-Version"]

    answer = at.get("/pulls/1")

    assert answer.headers["X-GitHub-Api-Version-Selected"] == "2022-11-28"
    assert "merge_commit_sha" in answer.json()


@pytest.mark.parametrize("path", ["/", "/pulls/", "/pulls/1", "/nothing", "//nothing", "/git/ref/heads/none"])
def test_what_is_not_there_is_not_found(at: Bench, path: str) -> None:
    assert at.get(path).status_code == 404


def test_a_bad_an_expired_and_a_revoked_token_are_unauthorized(at: Bench) -> None:
    expired = at.hub.token(expires_at=at.hub.clock.now() + timedelta(hours=1))
    revoked = at.hub.token()
    assert at.get("", expired).status_code == at.get("", revoked).status_code == 200
    assert "UTC" in at.get("", expired).headers["GitHub-Authentication-Token-Expiration"]
    at.hub.revoke(revoked)
    at.hub.clock.move(timedelta(hours=1))

    answers = [at.get("", token) for token in ("nonsense", expired, revoked)]

    assert [(one.status_code, one.json()["message"]) for one in answers] == [(401, "Bad credentials")] * 3


def test_a_private_repository_is_not_there_for_strangers(at: Bench) -> None:
    del at.client.headers["Authorization"]
    other = at.hub.repository("octo/other")
    strangers = [None, at.hub.token(role=None), at.hub.token(repositories=[other]), at.hub.classic_token()]

    assert [at.get("", token).status_code for token in strangers] == [404] * 4


def test_a_public_repository_is_read_by_everybody_and_written_by_nobody_else(at: Bench) -> None:
    del at.client.headers["Authorization"]
    at.one.private = False
    ref = {"ref": "refs/heads/x", "sha": at.one.branch("main")}

    assert [at.get("", token).status_code for token in (None, at.hub.token(role=None))] == [200, 200]
    assert at.get("").headers["X-RateLimit-Limit"] == "60"
    assert at.post("/git/refs", ref).status_code == 401
    assert at.post("/git/refs", ref, at.hub.token(role=None)).status_code == 403
    elsewhere = at.hub.token(repositories=[at.hub.repository("octo/other")])
    assert (at.get("", elsewhere).status_code, at.post("/git/refs", ref, elsewhere).status_code) == (200, 403)


@pytest.mark.parametrize(
    ("lacking", "method", "path", "needed"),
    [
        ("contents", "GET", "/git/ref/heads/main", "contents=read"),
        ("pull_requests", "GET", "/pulls", "pull_requests=read"),
        ("checks", "GET", "/commits/main/check-runs", "checks=read"),
        ("statuses", "GET", "/commits/main/status", "statuses=read"),
    ],
)
def test_a_lacking_permission_is_named(at: Bench, lacking: str, method: str, path: str, needed: str) -> None:
    token = at.hub.token({name: level for name, level in ALL_NEEDED.items() if name != lacking})

    answer = at.ask(method, path, None, token)

    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by personal access token"
    assert answer.headers["X-Accepted-GitHub-Permissions"] == needed


def test_reading_is_no_permission_to_write(at: Bench) -> None:
    head = at.make_commit()
    token = at.hub.token(ALL_NEEDED | {"contents": "read"})

    answer = at.post("/git/refs", {"ref": "refs/heads/x", "sha": head}, token)

    assert (answer.status_code, answer.headers["X-Accepted-GitHub-Permissions"]) == (403, "contents=write")


def test_labels_need_issues_or_pull_requests(at: Bench) -> None:
    at.make_pull()
    body, others = {"labels": ["bug"]}, {"contents": "write", "metadata": "read"}

    answers = [
        at.post("/issues/1/labels", body, at.hub.token(others | more)).status_code
        for more in ({}, {"issues": "write"}, {"pull_requests": "write"})
    ]

    assert answers == [403, 200, 200]


def test_a_classic_token_shows_its_scopes_and_without_them_finds_nothing(at: Bench) -> None:
    full, little = at.hub.classic_token("repo", "workflow"), at.hub.classic_token("read:org")

    assert at.get("", full).headers["X-OAuth-Scopes"] == "repo, workflow"
    assert at.get("", full).headers["X-Accepted-OAuth-Scopes"] == "repo"
    assert at.get("", little).status_code == 404


def test_who_may_only_read_is_told_so_by_the_repository(at: Bench) -> None:
    reader = at.hub.token(role="pull")

    assert at.get("", reader).json()["permissions"]["push"] is False
    assert at.get("", at.hub.token(role="admin")).json()["permissions"]["admin"] is True
    assert at.post("/git/blobs", {"content": "x"}, reader).status_code == 403


def test_workflows_are_written_only_with_their_own_permission(at: Bench) -> None:
    item = {"path": ".github/workflows/ci.yml", "mode": "100644", "type": "blob", "content": "on: push\n"}
    tokens = [
        at.hub.token(),
        at.hub.classic_token("repo"),
        at.hub.token(ALL_NEEDED | {"workflows": "write"}),
        at.hub.classic_token("repo", "workflow"),
    ]

    answers = [at.post("/git/trees", {"tree": [item]}, token).status_code for token in tokens]

    assert answers == [403, 403, 201, 201]


def test_an_archived_repository_is_read_only(at: Bench) -> None:
    at.one.archived = True

    answer = at.post("/git/blobs", {"content": "x"})

    assert (answer.status_code, answer.json()["message"]) == (403, "Repository was archived so is read-only.")
    assert at.get("").json()["archived"] is True


def test_an_old_name_is_redirected_to_the_number(at: Bench) -> None:
    at.make_pull()
    at.one.rename("newer")

    read, write = at.get("/pulls?state=all"), at.post("/git/blobs", {"content": "x"})

    assert (read.status_code, write.status_code) == (301, 307)
    assert read.headers["Location"] == f"{at.hub.url}/repositories/{at.one.id}/pulls?state=all"
    assert at.client.get(read.headers["Location"]).json()[0]["base"]["repo"]["full_name"] == "octo/newer"


def test_a_transferred_repository_is_redirected_and_a_deleted_one_is_gone(at: Bench) -> None:
    at.one.transfer("new-owner")
    assert at.get("").status_code == 301

    at.one.delete()

    assert at.ask("GET", f"//repositories/{at.one.id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/git/ref/heads/main", None),
        ("GET", "/git/trees/main", None),
        ("POST", "/git/blobs", {"content": "x"}),
        ("POST", "/git/trees", {"tree": [{"path": "a", "mode": "100644", "content": "x"}]}),
        ("POST", "/git/refs", {"ref": "refs/heads/x", "sha": "0" * 40}),
    ],
)
def test_an_empty_repository_is_a_conflict(at: Bench, method: str, path: str, body: Any) -> None:
    at.one.make_empty()

    answer = at.ask(method, path, body)

    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")
    assert at.get("").json()["size"] == 0


def test_an_unchanged_answer_is_not_sent_again_and_costs_nothing(at: Bench) -> None:
    first = at.get("/pulls")
    again = at.get("/pulls", If_None_Match=first.headers["ETag"])
    after = at.get("/pulls", at.hub.token(), If_None_Match=first.headers["ETag"])
    at.make_pull()

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    assert after.status_code == 200  # another token has other tags
    assert at.get("/pulls", If_None_Match=first.headers["ETag"]).status_code == 200
