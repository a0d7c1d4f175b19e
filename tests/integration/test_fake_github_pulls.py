"""The life of a pull request on the fake GitHub, and what people do to it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.github import FakeGitHub
from tests.integration.github_bench import Bench, bench


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench(FakeGitHub()) as one:
        yield one


def messages(answer: httpx.Response) -> str:
    body = answer.json()
    return " ".join([body["message"], *(one.get("message", "") for one in body.get("errors", ()))])


@pytest.mark.parametrize(
    ("more", "message", "field"),
    [
        ({}, "A pull request already exists for octo:fix/one.", None),
        ({"head": "octo:fix/one"}, "A pull request already exists for octo:fix/one.", None),
        ({"head": "same"}, "No commits between main and same", None),
        ({"head": "main"}, "No commits between main and main", None),
        ({"head": "orphan"}, "The orphan branch has no history in common with main", None),
        ({"head": "none"}, "", "head"),
        ({"head": "else:fix/two"}, "", "head"),
        ({"head": "fix/two", "base": "none"}, "", "base"),
        ({"head": "fix/two", "title": " "}, "", "title"),
        ({"head": "fix/two", "title": "x" * 257}, "title is too long (maximum is 256 characters)", "title"),
        ({"head": "fix/two", "body": "x" * 65537}, "body is too long (maximum is 65536 characters)", "body"),
    ],
)
def test_a_pull_request_that_cannot_be_opened_is_refused(at: Bench, more: Any, message: str, field: str | None) -> None:
    at.make_pull()
    at.make_branch("fix/two", "value = 3\n")
    at.one.push("same", str(at.one.branch("main")))
    tree = at.one.objects.commits[str(at.one.branch("main"))].tree
    orphan = at.post("/git/commits", {"message": "m", "tree": tree}).json()["sha"]
    at.one.push("orphan", orphan)

    answer = at.post("/pulls", {"title": "t", "head": "fix/one", "base": "main", **more})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error.get("message", ""), error.get("field")) == (message, field)
    assert len(at.one.pulls) == 1


def test_drafts_may_be_unsupported(at: Bench) -> None:
    at.one.drafts_allowed = False
    at.make_branch()

    answer = at.post("/pulls", {"title": "t", "head": "fix/one", "base": "main", "draft": True})

    assert (answer.status_code, "not supported" in answer.json()["message"]) == (422, True)


def test_lists_filter_by_head_state_and_base_but_not_by_a_head_without_owner(at: Bench) -> None:
    at.make_pull("fix/one")
    at.make_pull("fix/two")
    at.one.close(1)
    at.one.commit("stranger", {"x": "y\n"}, by="mallory")
    at.one.propose("stranger", by="mallory", fork=True)

    def numbers(query: str) -> list[int]:
        return [one["number"] for one in at.get(f"/pulls?{query}").json()]

    assert numbers("") == [3, 2]
    assert numbers("state=all&direction=asc") == [1, 2, 3]
    assert numbers("state=all&head=octo:fix/one") == [1]
    assert numbers("state=all&head=octo:stranger") == []
    assert numbers("state=all&head=mallory:stranger") == [3]
    assert numbers("state=all&head=fix/one") == [3, 2, 1]
    assert numbers("base=other") == []


def test_pages_are_linked_by_the_number_of_the_repository(at: Bench) -> None:
    for number in range(5):
        at.one.commit(f"b{number}", {"x": f"{number}\n"})
        at.one.propose(f"b{number}")
    assert "Link" not in at.get("/pulls").headers

    first = at.get("/pulls?per_page=2&head=octo")
    seen, links = first.json(), first.links
    assert links["last"]["url"].endswith("page=3")
    while "next" in links:
        assert links["next"]["url"].startswith(f"{at.hub.url}/repositories/{at.one.id}/pulls?")
        page = at.client.get(links["next"]["url"])
        seen, links = seen + page.json(), page.links

    assert [one["number"] for one in seen] == [5, 4, 3, 2, 1]


def test_a_page_has_a_hundred_items_at_most(at: Bench) -> None:
    at.make_pull()
    for _ in range(101):
        at.one.comment(1, "again")

    assert [len(at.get(f"/issues/1/comments{query}").json()) for query in ("", "?per_page=500")] == [30, 100]


def state_of(at: Bench, number: int = 1) -> tuple[bool | None, str]:
    pull = at.get(f"/pulls/{number}").json()
    return pull["mergeable"], pull["mergeable_state"]


def test_whether_it_can_be_merged_is_computed_when_asked_and_again_when_base_or_head_move(at: Bench) -> None:
    at.make_pull()
    assert [state_of(at), state_of(at)] == [(None, "unknown"), (True, "clean")]

    at.one.commit("main", {"agent/mail.py": "value = 9\n"})

    assert [state_of(at), state_of(at)] == [(None, "unknown"), (False, "dirty")]
    at.hub.world.mergeable_reads = 0
    assert state_of(at) == (False, "dirty")


def test_changes_of_different_lines_do_not_conflict(at: Bench) -> None:
    at.hub.world.mergeable_reads = 0
    lines = "".join(f"line {number}\n" for number in range(20))
    at.one.commit("main", {"long.txt": lines})
    at.one.commit("fix", {"long.txt": lines.replace("line 1\n", "first\n")})
    at.one.propose("fix")
    at.one.commit("main", {"long.txt": lines.replace("line 18\n", "last\n")})

    assert state_of(at) == (True, "clean")
    at.one.merge(1)
    merged = at.one.files("main")["long.txt"]
    assert (b"first\n" in merged, b"last\n" in merged) == (True, True)


def test_the_state_of_a_merge_tells_drafts_checks_and_protection(at: Bench) -> None:
    at.hub.world.mergeable_reads = 0
    at.make_pull(draft=True)
    states = [state_of(at)[1]]
    at.one.mark_ready(1)
    at.one.add_check_run("fix/one", "test", "failure")
    states.append(state_of(at)[1])
    at.one.add_check_run("fix/one", "test", "success")
    states.append(state_of(at)[1])
    at.one.protect("main", checks=("ci",), reviews=1, strict=True)
    states.append(state_of(at)[1])
    at.one.add_status("fix/one", "ci")
    at.one.review(1)
    states.append(state_of(at)[1])
    at.one.commit("main", {"other": "x\n"})
    states.append(state_of(at)[1])

    assert states == ["draft", "unstable", "clean", "blocked", "clean", "behind"]


def merge(at: Bench, **body: Any) -> httpx.Response:
    return at.ask("PUT", "/pulls/1/merge", body)


def test_a_merge_is_refused_while_anything_stands_against_it(at: Bench) -> None:
    at.make_pull(draft=True)
    draft = merge(at)
    at.one.mark_ready(1)
    at.one.merge_methods = frozenset({"squash"})
    method = merge(at)
    at.one.protect("main", checks=("test",))
    check = merge(at, merge_method="squash")
    at.one.add_check_run("fix/one")
    moved = merge(at, merge_method="squash", sha="1" * 40)
    at.one.commit("main", {"agent/mail.py": "value = 9\n"})
    conflict = merge(at, merge_method="squash")
    at.one.close(1)
    closed = merge(at, merge_method="squash")

    assert [one.status_code for one in (draft, method, check, moved, conflict, closed)] == [
        405,
        405,
        405,
        409,
        405,
        405,
    ]
    assert method.json()["message"] == "Merge commits are not allowed on this repository."
    assert check.json()["message"] == 'Required status check "test" is expected.'
    assert moved.json()["message"].startswith("Head branch was modified")


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_a_merged_pull_request_says_where_it_went(at: Bench, method: str, parents: int) -> None:
    at.make_pull()
    before = at.get("/pulls/1/merge").status_code
    at.one.commit("main", {"other": "x\n"})

    sha = merge(at, merge_method=method, sha=at.one.pull(1).head_sha).json()["sha"]

    events = at.get("/issues/1/events").json()
    pull = at.get("/pulls/1").json()
    assert (before, at.get("/pulls/1/merge").status_code) == (404, 204)
    assert [one["commit_id"] for one in events if one["event"] == "merged"] == [sha]
    assert (pull["state"], pull["merged"], pull["commits"]) == ("closed", True, 1)
    assert at.one.branch("main") == sha
    assert len(at.one.objects.commits[sha].parents) == parents
    assert at.one.files("main")["agent/mail.py"] == b"value = 2\n"
    assert merge(at).status_code == 405


def test_a_person_who_pushes_the_commits_to_the_base_merges(at: Bench) -> None:
    at.make_pull()

    at.one.push("main", at.one.pull(1).head_sha)

    assert at.get("/pulls/1").json()["merged"] is True
    assert at.one.pull(1).merge_commit == at.one.branch("main")


def test_a_push_moves_the_head_of_an_open_pull_request_only(at: Bench) -> None:
    at.make_pull()
    pushed = at.one.commit("fix/one", {"more": "x\n"})
    assert at.get("/pulls/1").json()["head"]["sha"] == pushed
    assert [one["author"]["login"] for one in at.get("/pulls/1/commits").json()[1:]] == ["alice"]
    at.one.close(1)

    at.one.commit("fix/one", {"more": "y\n"})

    assert at.get("/pulls/1").json()["head"]["sha"] == pushed


def test_deleting_the_branch_closes_and_only_its_return_lets_reopen(at: Bench) -> None:
    at.make_pull()
    head = at.one.pull(1).head_sha
    at.one.delete_branch("fix/one")
    pull = at.get("/pulls/1").json()
    refused = at.ask("PATCH", "/pulls/1", {"state": "open"})
    at.one.push("fix/one", head)
    opened = at.ask("PATCH", "/pulls/1", {"state": "open"})

    assert (pull["state"], pull["merged"]) == ("closed", False)
    assert (refused.status_code, "has been deleted" in messages(refused)) == (422, True)
    assert opened.json()["state"] == "open"


def test_a_closed_pull_request_is_not_reopened_beside_another_or_over_other_commits(at: Bench) -> None:
    at.make_pull()
    at.one.close(1)
    at.one.propose("fix/one")
    beside = at.ask("PATCH", "/pulls/1", {"state": "open"})
    at.one.close(2)
    at.one.commit("fix/one", {"more": "x\n"})
    over = at.ask("PATCH", "/pulls/1", {"state": "open"})

    assert "already exists" in messages(beside)
    assert "force-pushed or recreated" in messages(over)


def test_a_renamed_base_takes_its_pull_requests_along_and_is_missing_under_the_old_name(at: Bench) -> None:
    at.make_pull()
    at.one.rename_branch("main", "trunk")

    assert at.get("/pulls/1").json()["base"]["ref"] == "trunk"
    assert at.get("").json()["default_branch"] == "trunk"
    assert at.get("/git/ref/heads/main").status_code == 404


def test_reviews_are_asked_only_of_collaborators_and_not_of_the_author(at: Bench) -> None:
    at.one.add_collaborator("selfimprover-bot")
    at.make_pull()
    at.one.comment(1, "Who am I?", by="stranger")

    answers = [
        at.post("/pulls/1/requested_reviewers", {"reviewers": [login]}).status_code
        for login in ("alice", "stranger", "selfimprover-bot")
    ]

    assert answers == [201, 422, 422]
    assert [one["login"] for one in at.get("/pulls/1").json()["requested_reviewers"]] == ["alice"]


def test_whoever_cannot_be_assigned_is_left_out_silently(at: Bench) -> None:
    at.make_pull()
    at.one.comment(1, "Who am I?", by="stranger")

    answer = at.post("/issues/1/assignees", {"assignees": ["alice", "stranger"]})

    assert (answer.status_code, [one["login"] for one in answer.json()["assignees"]]) == (201, ["alice"])
    assert [at.get(f"/assignees/{login}").status_code for login in ("alice", "stranger")] == [204, 404]


def test_a_comment_has_a_greatest_length(at: Bench) -> None:
    at.make_pull()

    assert [at.post("/issues/1/comments", {"body": "x" * size}).status_code for size in (65536, 65537)] == [201, 422]


def test_reviews_stand_for_the_head_they_saw(at: Bench) -> None:
    at.make_pull()
    at.one.review(1, "CHANGES_REQUESTED", "Not yet", by="alice")
    before = at.one.pull(1).head_sha
    at.one.commit("fix/one", {"more": "x\n"})
    at.one.review(1, by="bob")

    found = [(one["state"], one["user"]["login"], one["commit_id"]) for one in at.get("/pulls/1/reviews").json()]

    assert found == [("CHANGES_REQUESTED", "alice", before), ("APPROVED", "bob", at.one.pull(1).head_sha)]


def test_only_the_latest_run_of_a_check_counts(at: Bench) -> None:
    head = at.make_branch()
    at.one.add_check_run(head, conclusion="failure")
    at.one.add_check_run(head, conclusion=None)

    latest, all_of_them = (at.get(f"/commits/fix/one/check-runs{query}").json() for query in ("", "?filter=all"))

    assert (latest["total_count"], all_of_them["total_count"]) == (1, 2)
    assert [(one["status"], one["conclusion"]) for one in latest["check_runs"]] == [("in_progress", None)]


@pytest.mark.parametrize(
    ("states", "combined"),
    [
        ((), "pending"),
        (("success",), "success"),
        (("pending", "success"), "pending"),
        (("error", "pending"), "failure"),
    ],
)
def test_statuses_are_combined_as_github_does(at: Bench, states: tuple[str, ...], combined: str) -> None:
    for number, state in enumerate(states):
        at.one.add_status("main", f"ci/{number}", "failure")
        at.one.add_status("main", f"ci/{number}", state)

    answer = at.get("/commits/main/status").json()

    assert (answer["state"], answer["total_count"]) == (combined, len(states))
    assert at.get("/commits/none/status").status_code == 422


def graphql(at: Bench, query: str, token: str | None = None, **variables: Any) -> Any:
    answer = at.client.post(
        at.hub.graphql_url,
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {token or at.hub.token()}"},
    )
    assert answer.status_code == 200
    return answer.json()


def test_the_merge_commit_is_asked_by_graphql(at: Bench) -> None:
    at.make_pull()
    query = """query($owner: String!, $name: String!, $number: Int!) {
        repository(owner: $owner, name: $name) { pullRequest(number: $number) { mergeCommit { oid } } } }"""
    names: dict[str, Any] = {"owner": "octo", "name": "app", "number": 1}
    before = graphql(at, query, **names)
    sha = at.one.merge(1)

    assert before["data"]["repository"]["pullRequest"]["mergeCommit"] is None
    assert graphql(at, query, **names)["data"]["repository"]["pullRequest"]["mergeCommit"] == {"oid": sha}


def test_graphql_takes_a_pull_request_back_to_draft(at: Bench) -> None:
    at.make_pull()
    node = at.get("/pulls/1").json()["node_id"]

    answer = graphql(
        at, "mutation M($input: X!) { convertPullRequestToDraft(input: $input) { pullRequest { isDraft } } }",
        input={"pullRequestId": node},
    )  # fmt: skip

    assert answer == {"data": {"convertPullRequestToDraft": {"pullRequest": {"isDraft": True}}}}
    assert at.one.pull(1).draft


def test_refusals_of_graphql_come_with_status_200(at: Bench) -> None:
    at.make_pull()
    ready = 'mutation { markPullRequestReadyForReview(input: {pullRequestId: "%s"}) { clientMutationId } }'
    wrong = 'query { node(id: "%s") { wrong } }'
    node = at.one.pull(1).node_id

    errors = [
        graphql(at, query, token)["errors"][0].get("type")
        for query, token in (
            (ready % "nothing", None),
            (ready % node, at.hub.token({"pull_requests": "read"})),
            (wrong % node, None),
        )
    ]

    assert errors == ["NOT_FOUND", "FORBIDDEN", None]
