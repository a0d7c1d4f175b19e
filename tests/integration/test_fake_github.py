"""The fake GitHub is not our own imagination: githubkit's models, githubkit's client, and real git agree with it."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from githubkit import AppInstallationAuthStrategy, GitHub
from githubkit.exception import RequestFailed
from githubkit_schemas.v2026_03_10 import models
from pydantic import BaseModel, TypeAdapter

from tests.fakes.github import FakeGitHub, executable, submodule, symlink
from tests.fakes.github.git_data import is_branch_name
from tests.fakes.github.state import Content
from tests.integration.github_bench import AUTHOR, OLD_VERSION, Bench, bench

ODD_FILES: Mapping[str, Content] = {
    "a.txt": "dot\n",
    "a/inner.txt": "folder\n",
    "a-b": "minus\n",
    "crlf.txt": "one\r\ntwo\r\n",
    "no-newline": "end",
    "latin.txt": "h\xe9".encode("latin-1"),
    "binary.bin": bytes(range(256)),
    "run.sh": executable("#!/bin/sh\n"),
    "link": symlink("a/inner.txt"),
    "module": submodule("1" * 40),
    "ünïcode/☃.txt": "snow\n",
}


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench(FakeGitHub()) as one:
        yield one


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    folder = tmp_path / "real"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)

    def run(*arguments: str, stdin: bytes = b"", **env: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], input=stdin, capture_output=True, env=os.environ | env, check=True
        )
        return done.stdout.decode().strip()

    return run


# --- answers ------------------------------------------------------------------------------------------------


READS: list[tuple[str, Any]] = [
    ("", models.FullRepository),
    ("/git/ref/heads/fix/one", models.GitRef),
    ("/git/matching-refs/heads/fix", list[models.GitRef]),
    ("/git/commits/{head}", models.GitCommit),
    ("/git/trees/main?recursive=1", models.GitTree),
    ("/git/blobs/{blob}", models.Blob),
    ("/branches/main", models.BranchWithProtection),
    ("/contents/agent/mail.py?ref=main", models.ContentFile),
    ("/contents/link-out", models.ContentSymlink),
    ("/contents/module", models.ContentSubmodule),
    ("/contents", list[models.ContentDirectoryItems]),
    ("/compare/main...fix/one", models.CommitComparison),
    ("/pulls?state=all", list[models.PullRequestSimple]),
    ("/pulls/1", models.PullRequest),
    ("/pulls/2", models.PullRequest),
    ("/pulls/1/reviews", list[models.PullRequestReview]),
    ("/pulls/1/comments", list[models.PullRequestReviewComment]),
    ("/pulls/1/commits", list[models.Commit]),
    ("/pulls/1/files", list[models.DiffEntry]),
    ("/issues/1", models.Issue),
    ("/issues/1/comments", list[models.IssueComment]),
    ("/issues/1/labels", list[models.Label]),
    ("/issues/1/events", list[models.IssueEvent]),
    ("/issues/2/timeline", list[models.StateChangeIssueEvent]),
    ("/commits/{head}", models.Commit),
    ("/commits/fix/one/check-runs", models.ReposOwnerRepoCommitsRefCheckRunsGetResponse200),
    ("/commits/fix/one/status", models.CombinedCommitStatus),
    ("/commits/{head}/pulls", list[models.PullRequestSimple]),
    ("//rate_limit", models.RateLimitOverview),
    ("//user", models.PublicUser),
]


@pytest.mark.parametrize(("path", "model"), READS, ids=[path or "repository" for path, _ in READS])
def test_what_is_read_has_githubs_shape(at: Bench, path: str, model: Any) -> None:
    at.one.commit("main", {"link-out": symlink("/etc/passwd"), "module": submodule("2" * 40)})
    head = at.make_pull()
    at.post("/issues/1/labels", {"labels": ["bug"]})
    at.post("/issues/1/assignees", {"assignees": ["alice"]})
    at.one.comment(1, "Thank you")
    at.one.comment_line(1, "agent/mail.py", 1, "Why?")
    at.one.review(1, "CHANGES_REQUESTED", "Not yet")
    at.one.add_check_run("fix/one", conclusion="failure", summary="1 failed")
    at.one.add_check_run("fix/one", "lint", None)
    at.one.add_status("fix/one", state="pending")
    at.make_pull("fix/two")
    at.one.merge(2)
    sha = at.one.pull(head).head_sha
    blob = at.one.objects.at(at.one.objects.commits[sha].tree, "agent/mail.py")
    assert blob

    answer = at.get(path.format(head=sha, blob=blob.sha))

    assert answer.status_code == 200
    assert TypeAdapter(model).validate_json(answer.content) != []


WRITES: list[tuple[str, str, Any, int, type[BaseModel] | Any]] = [
    ("POST", "/git/blobs", {"content": "aGk=", "encoding": "base64"}, 201, models.ShortBlob),
    ("POST", "/git/refs", {"ref": "refs/heads/new", "sha": "{head}"}, 201, models.GitRef),
    ("PATCH", "/git/refs/heads/fix/one", {"sha": "{next}"}, 200, models.GitRef),
    ("POST", "/git/commits", {"message": "m", "tree": "{tree}", "author": AUTHOR}, 201, models.GitCommit),
    ("POST", "/pulls", {"title": "t", "head": "fix/two", "base": "main", "draft": True}, 201, models.PullRequest),
    ("PATCH", "/pulls/1", {"title": "t", "body": "b", "state": "closed"}, 200, models.PullRequest),
    ("PUT", "/pulls/1/merge", {"sha": "{head}", "merge_method": "squash"}, 200, models.PullRequestMergeResult),
    ("POST", "/pulls/1/requested_reviewers", {"reviewers": ["alice"]}, 201, models.PullRequestSimple),
    ("POST", "/issues/1/comments", {"body": "hello"}, 201, models.IssueComment),
    ("POST", "/issues/1/labels", {"labels": ["a", {"name": "b"}]}, 200, list[models.Label]),
    ("POST", "/issues/1/labels", ["a"], 200, list[models.Label]),
    ("DELETE", "/issues/1/labels/bug", None, 200, list[models.Label]),
    ("POST", "/issues/1/assignees", {"assignees": ["alice"]}, 201, models.Issue),
    (
        "POST",
        "/git/trees",
        {"base_tree": "{tree}", "tree": [{"path": "n", "mode": "100755", "content": "x"}]},
        201,
        models.GitTree,
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "model"), WRITES)
def test_what_is_written_is_answered_in_githubs_shape(
    at: Bench, method: str, path: str, body: Any, status: int, model: Any
) -> None:
    at.make_pull()
    at.post("/issues/1/labels", {"labels": ["bug"]})
    at.make_branch("fix/two", "value = 3\n")
    head = at.one.pull(1).head_sha
    places = {"{head}": head, "{tree}": at.one.objects.commits[head].tree}
    after = {"message": "n", "tree": places["{tree}"], "parents": [head], "author": AUTHOR}
    places["{next}"] = at.post("/git/commits", after).json()["sha"]
    if isinstance(body, dict):
        body = {name: places.get(value, value) if isinstance(value, str) else value for name, value in body.items()}

    answer = at.ask(method, path, body)

    assert answer.status_code == status, answer.text
    TypeAdapter(model).validate_json(answer.content)


@pytest.mark.parametrize(
    ("path", "body", "status", "model"),
    [
        ("/pulls", {"title": "t", "head": "fix/one", "base": "main"}, 422, models.ValidationError),
        ("/pulls", {"title": "t", "head": "none", "base": "main"}, 422, models.ValidationError),
        ("/pulls", {"title": "t", "base": "main", "draft": "yes"}, 422, models.ValidationError),
        ("/git/refs", {"ref": "refs/heads/fix/one", "sha": "{head}"}, 422, models.BasicError),
        ("/nothing", {}, 404, models.BasicError),
    ],
)
def test_refusals_have_githubs_shape(at: Bench, path: str, body: Any, status: int, model: type[BaseModel]) -> None:
    at.make_pull()
    body = {name: value.replace("{head}", at.one.pull(1).head_sha) for name, value in body.items()}

    answer = at.post(path, body)

    assert answer.status_code == status
    model.model_validate_json(answer.content)


def test_a_push_with_a_secret_is_refused_in_githubs_shape(at: Bench) -> None:
    at.one.push_protection = "AKIA[A-Z]+"

    answer = at.post("/git/blobs", {"content": "key = AKIAABC"})

    assert answer.status_code == 422
    refusal = models.RepositoryRuleViolationError.model_validate_json(answer.content)
    assert refusal.metadata


def test_new_answers_lack_what_the_version_dropped_and_old_ones_have_it(at: Bench) -> None:
    at.make_pull()
    at.post("/issues/1/assignees", {"assignees": ["alice"]})

    new, old = at.get("/pulls/1").json(), at.get("/pulls/1", X_GitHub_Api_Version=OLD_VERSION).json()

    assert not {"merge_commit_sha", "assignee"} & new.keys()
    assert old["assignee"]["login"] == "alice"
    assert old["merge_commit_sha"] not in {None, at.one.pull(1).head_sha, at.one.branch("main")}
    assert "rate" not in at.get("//rate_limit").json()
    at.hub.answer_as(OLD_VERSION)
    assert "rate" in at.get("//rate_limit").json()


# --- bodies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "code"),
    [
        ("POST", "/pulls", {"title": "t", "base": "main"}, "head", "missing_field"),
        ("POST", "/pulls", {"title": "t", "head": "fix/one", "base": "main", "draft": "yes"}, "draft", "invalid"),
        ("POST", "/pulls", {"title": "t", "head": "fix/one", "base": "main", "labels": ["a"]}, "labels", "invalid"),
        ("POST", "/git/refs", {"ref": "refs/heads/x"}, "sha", "missing_field"),
        ("POST", "/git/trees", {"tree": [{"path": "a", "mode": "644"}]}, "tree.0.mode", "invalid"),
        ("POST", "/git/trees", {"tree": [{"path": "a", "text": "b"}]}, "tree.0.text", "invalid"),
        (
            "POST",
            "/git/commits",
            {"message": "m", "tree": "t", "author": {"name": "a"}},
            "author.email",
            "missing_field",
        ),
        ("PUT", "/pulls/1/merge", {"merge_method": "fast"}, "merge_method", "invalid"),
        ("POST", "/issues/1/assignees", {"assignees": "alice"}, "assignees", "invalid"),
        ("PATCH", "/pulls/1", {"state": "merged"}, "state", "invalid"),
        ("PATCH", "/git/refs/heads/fix/one", {"sha": "x", "force": 1}, "force", "invalid"),
    ],
)
def test_a_body_that_githubs_description_does_not_know_is_refused(
    at: Bench, method: str, path: str, body: Any, field: str, code: str
) -> None:
    at.make_pull()

    answer = at.ask(method, path, body)

    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert any(one["field"].startswith(field) and one["code"] == code for one in errors), errors


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"text"'])
def test_a_body_that_is_no_json_object_is_a_bad_request(at: Bench, raw: bytes) -> None:
    assert at.client.post(f"{at.hub.url}/repos/octo/app/pulls", content=raw).status_code == 400


# --- githubkit as a client -----------------------------------------------------------------------------------


def foreign(hub: FakeGitHub, auth: Any) -> Any:
    """githubkit's client; its types are as large as all of GitHub, and no help here."""
    return GitHub(auth, base_url=f"{hub.url}/", http_cache=False, auto_retry=False, timeout=5)


def test_githubkits_client_publishes_a_fix_and_merges_it(at: Bench) -> None:
    client, own = foreign(at.hub, at.hub.token()), ("octo", "app")
    rest = client.rest
    base = rest.git.get_ref(*own, "heads/main").parsed_data.object_.sha
    tree = rest.git.get_commit(*own, base).parsed_data.tree.sha
    blob = rest.git.create_blob(*own, content="value = 2\n", encoding="utf-8").parsed_data.sha
    item = {"path": "agent/mail.py", "mode": "100644", "type": "blob", "sha": blob}
    planted = rest.git.create_tree(*own, base_tree=tree, tree=[item]).parsed_data.sha
    commit = rest.git.create_commit(*own, message="Fix", tree=planted, parents=[base], author=AUTHOR).parsed_data.sha
    rest.git.create_ref(*own, ref="refs/heads/fix/one", sha=commit)
    pull = rest.pulls.create(*own, title="Fix", head="fix/one", base="main", body="Because.").parsed_data
    with pytest.raises(RequestFailed) as refused:
        rest.pulls.create(*own, title="Fix", head="fix/one", base="main")
    rest.issues.add_labels(*own, pull.number, labels=["bug"])
    rest.issues.add_assignees(*own, pull.number, assignees=["alice"])
    rest.pulls.request_reviewers(*own, pull.number, reviewers=["alice"])
    rest.issues.create_comment(*own, pull.number, body="Ready.")
    at.one.add_check_run("fix/one")
    runs = rest.checks.list_for_ref(*own, "fix/one").parsed_data
    states = [rest.pulls.get(*own, pull.number).parsed_data.mergeable_state for _ in range(2)]
    merged = rest.pulls.merge(*own, pull.number, sha=commit, merge_method="squash").parsed_data
    found = rest.pulls.list(*own, state="all", head="octo:fix/one").parsed_data

    assert refused.value.response.status_code == 422
    assert [run.conclusion for run in runs.check_runs] == ["success"]
    assert states == ["unknown", "clean"]
    assert [(one.number, one.state, one.merged_at is not None) for one in found] == [(1, "closed", True)]
    assert [label.name for label in found[0].labels] == ["bug"]
    assert at.one.branch("main") == merged.sha
    assert at.one.files("main")["agent/mail.py"] == b"value = 2\n"


async def test_githubkits_client_works_asynchronously_while_a_person_acts(at: Bench) -> None:
    at.make_pull(draft=True)
    async with foreign(at.hub, at.hub.token()) as client:
        before = (await client.rest.pulls.async_get("octo", "app", 1)).parsed_data
        at.one.mark_ready(1)
        at.one.merge(1)
        after = (await client.rest.pulls.async_get("octo", "app", 1)).parsed_data

    assert (before.draft, before.merged) == (True, False)
    assert (after.draft, after.merged) == (False, True)


def test_githubkits_client_marks_drafts_ready_by_graphql(at: Bench) -> None:
    at.make_pull(draft=True)
    client = foreign(at.hub, at.hub.token())
    ready = (
        "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id})"
        " { pullRequest { isDraft number } } }"
    )

    data = client.graphql(ready, {"id": at.one.pull(1).node_id})

    assert data == {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": False, "number": 1}}}
    assert not at.one.pull(1).draft


def test_githubkits_app_authentication_gets_an_installation_token(at: Bench) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    app = at.hub.app(public.decode())
    installation = at.hub.install(app, repositories=[at.one])
    client = foreign(at.hub, AppInstallationAuthStrategy(str(app.id), private, installation.id))

    listed = client.rest.apps.list_repos_accessible_to_installation().parsed_data
    as_app = client.with_auth(client.auth.as_app())
    own = as_app.rest.apps.get_authenticated().parsed_data

    assert [one.full_name for one in listed.repositories] == ["octo/app"]
    assert own.slug == "selfimprover"


# --- real git -------------------------------------------------------------------------------------------------


def test_trees_have_the_ids_of_real_git(at: Bench, git: Callable[..., str], tmp_path: Path) -> None:
    sha = at.one.commit("odd", ODD_FILES)
    tree = at.one.objects.commits[sha].tree
    for path, entry in at.one.objects.files(tree).items():
        if entry.type == "blob":
            git("hash-object", "-w", "--stdin", stdin=at.one.objects.blobs[entry.sha])
        git("update-index", "--add", "--cacheinfo", f"{entry.mode},{entry.sha},{path}")

    assert git("write-tree") == tree


@pytest.mark.parametrize("name", ["Ann Example", " .Änn <x> O'Neil, ", 'A "B" C'])
@pytest.mark.parametrize("date", ["2026-02-16T00:17:00Z", "2026-02-16T00:17:00+05:30", "2026-02-16T00:17:00-08:00"])
@pytest.mark.parametrize("message", ["Fix\n", "Fix it\n\nBody: ünïcode ☃", "  leading and trailing  \n\n\n", ""])
def test_commits_have_the_ids_of_real_git(
    at: Bench, git: Callable[..., str], name: str, date: str, message: str
) -> None:
    tree = git("mktree")
    parent = git("commit-tree", tree, stdin=b"begin\n", **identity("AUTHOR"), **identity("COMMITTER"))
    at.one.objects.add_tree({})
    base = at.one.branch("main")
    at.one.objects.commits[parent] = at.one.objects.commits[str(base)]
    author = {"name": name, "email": "ann@example.com", "date": date}
    body = {"message": message, "tree": tree, "parents": [parent], "author": author, "committer": AUTHOR}

    made = at.post("/git/commits", body)

    env = identity("AUTHOR", name, "ann@example.com", date) | identity("COMMITTER", *AUTHOR.values())
    assert made.json()["sha"] == git("commit-tree", tree, "-p", parent, stdin=message.encode(), **env)
    assert made.json()["message"] == message


def identity(role: str, name: str = "a", email: str = "a@b.c", date: str = "2026-01-01T00:00:00Z") -> dict[str, str]:
    return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": date}


def test_the_same_request_gives_the_same_commit_in_another_fake(at: Bench) -> None:
    moment = datetime(2026, 2, 15, tzinfo=UTC)
    ids = []
    for _ in range(2):
        with bench(FakeGitHub(now=lambda: moment)) as other:
            ids.append(other.make_commit())

    assert ids[0] == ids[1]
    assert at.make_commit() not in ids


@pytest.mark.parametrize(
    "name",
    [
        *("fix/one", "a", "a.b", "-a", "a..b", "a/", "/a", "a//b", "a.lock", "a.lock/b", ".a", "a/.b", "a b", "a~"),
        *("a^", "a:b", "a?", "a*", "a[b", "a\\b", "@", "a@{b", "a@b", "ä", "a.", "", "a\x7f"),
    ],
)
def test_branch_names_are_judged_as_by_real_git(git: Callable[..., str], name: str) -> None:
    try:
        git("check-ref-format", "--branch", name)
        allowed = True
    except subprocess.CalledProcessError:
        allowed = False

    assert is_branch_name(name) is allowed
