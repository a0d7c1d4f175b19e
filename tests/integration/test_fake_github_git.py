"""Refs, trees, contents, comparisons and archives of the fake GitHub."""

import io
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.fakes.github import FakeGitHub, executable, submodule, symlink
from tests.fakes.github.state import Content
from tests.integration.github_bench import Bench, bench


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench(FakeGitHub()) as one:
        yield one


def test_a_ref_with_slashes_is_found_plain_and_encoded_and_only_in_full(at: Bench) -> None:
    sha = at.make_branch("fix/one")

    found = [at.get(f"/git/ref/{name}") for name in ("heads/fix/one", "heads%2Ffix%2Fone", "heads/fix")]

    assert [one.status_code for one in found] == [200, 200, 404]
    assert found[0].json()["object"]["sha"] == found[1].json()["object"]["sha"] == sha


def test_matching_refs_are_those_that_begin_so(at: Bench) -> None:
    at.make_branch("fix/one")
    at.make_branch("fix/one-more")
    at.make_branch("fixed")

    names = [one["ref"] for one in at.get("/git/matching-refs/heads/fix/one").json()]

    assert names == ["refs/heads/fix/one", "refs/heads/fix/one-more"]


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("refs/heads/fix/one", "Reference already exists"),
        ("refs/heads/fix/one/two", "Reference update failed"),
        ("refs/heads/fix", "Reference update failed"),
        ("refs/heads/a..b", "refs/heads/a..b is not a valid ref name."),
        ("fix/two", "fix/two is not a valid ref name."),
    ],
)
def test_a_ref_that_cannot_be_made_is_refused(at: Bench, ref: str, message: str) -> None:
    sha = at.make_branch("fix/one")

    answer = at.post("/git/refs", {"ref": ref, "sha": sha})

    assert (answer.status_code, answer.json()["message"]) == (422, message)


def test_a_ref_needs_a_commit_that_is_there(at: Bench) -> None:
    answer = at.post("/git/refs", {"ref": "refs/heads/x", "sha": "1" * 40})

    assert (answer.status_code, answer.json()["message"]) == (422, "Object does not exist")


def test_a_ref_moves_backwards_only_by_force(at: Bench) -> None:
    at.make_branch()
    other = {"sha": at.make_commit("value = 3\n")}

    plain = at.ask("PATCH", "/git/refs/heads/fix/one", other)
    forced = at.ask("PATCH", "/git/refs/heads/fix/one", {**other, "force": True})
    absent = at.ask("PATCH", "/git/refs/heads/none", other)

    assert (plain.status_code, plain.json()["message"]) == (422, "Update is not a fast forward")
    assert forced.status_code == 200
    assert at.one.branch("fix/one") == other["sha"]
    assert (absent.status_code, absent.json()["message"]) == (422, "Reference does not exist")


def test_a_ref_is_deleted_once_and_the_default_branch_never(at: Bench) -> None:
    at.make_branch()

    answers = [
        at.ask("DELETE", f"/git/refs/heads/{name}").status_code
        for name in ("fix/one", "fix/one", at.one.default_branch)
    ]

    assert answers == [204, 422, 422]


def test_a_ruleset_refuses_creations_and_updates(at: Bench) -> None:
    head = at.make_branch("fix/zero")
    at.one.add_ruleset("fix/*", creations=True, updates=True, deletions=True)

    made = at.post("/git/refs", {"ref": "refs/heads/fix/one", "sha": head})
    moved = at.ask("PATCH", "/git/refs/heads/fix/zero", {"sha": at.one.branch("main"), "force": True})
    gone = at.ask("DELETE", "/git/refs/heads/fix/zero")

    assert {one.status_code for one in (made, moved, gone)} == {422}
    assert "Cannot create ref due to creations being restricted." in made.json()["message"]
    assert at.post("/git/refs", {"ref": "refs/heads/other", "sha": head}).status_code == 201


def test_a_protected_branch_is_not_pushed_to(at: Bench) -> None:
    at.one.protect("main")

    answer = at.ask("PATCH", "/git/refs/heads/main", {"sha": at.make_commit()})

    assert (answer.status_code, answer.json()["message"]) == (422, "Reference update failed")
    assert at.get("/branches/main").json()["protected"] is True


def tree_of(at: Bench, *items: Any, base: bool = True) -> httpx.Response:
    tree = at.one.objects.commits[str(at.one.branch("main"))].tree
    return at.post("/git/trees", {**({"base_tree": tree} if base else {}), "tree": list(items)})


def paths(at: Bench, answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 201, answer.text
    listed = at.get(f"/git/trees/{answer.json()['sha']}?recursive=1").json()["tree"]
    return {one["path"]: one["mode"] for one in listed if one["type"] != "tree"}


def test_a_tree_keeps_what_is_not_named_and_deletes_null(at: Bench) -> None:
    added = {"path": "new/run.sh", "mode": "100755", "type": "blob", "content": "#!/bin/sh\n"}
    deleted = {"path": "README.md", "mode": "100644", "type": "blob", "sha": None}

    assert paths(at, tree_of(at, added, deleted)) == {"agent/mail.py": "100644", "new/run.sh": "100755"}
    assert paths(at, tree_of(at, added, base=False)) == {"new/run.sh": "100755"}


def test_a_file_may_take_the_place_of_a_folder_and_back(at: Bench) -> None:
    file = {"path": "agent", "mode": "100644", "type": "blob", "content": "x"}
    folder = {"path": "README.md/inner", "mode": "120000", "type": "blob", "content": "target"}

    assert paths(at, tree_of(at, file, folder)) == {"agent": "100644", "README.md/inner": "120000"}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"path": "none", "mode": "100644", "sha": None}, "GitRPC::BadObjectState"),
        ({"path": "../a", "mode": "100644", "content": "x"}, "tree.path contains a malformed path component"),
        ({"path": "a/.git/b", "mode": "100644", "content": "x"}, "tree.path contains a malformed path component"),
        ({"path": "/a", "mode": "100644", "content": "x"}, "tree.path contains a malformed path component"),
        ({"path": "a", "mode": "100644"}, "Must supply either tree.sha or tree.content"),
        ({"path": "a", "content": "x"}, "Must supply a valid tree.mode"),
        ({"path": "a", "mode": "100644", "sha": "1" * 40}, f"tree.sha {'1' * 40} is not a valid blob"),
        ({"path": "a", "mode": "040000", "type": "blob", "content": "x"}, "tree.mode 040000 is not valid"),
    ],
)
def test_a_tree_that_makes_no_sense_is_refused(at: Bench, item: Any, message: str) -> None:
    answer = tree_of(at, item)

    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)


def test_the_base_of_a_tree_is_a_tree_and_no_commit(at: Bench) -> None:
    item = {"path": "a", "mode": "100644", "content": "x"}

    answer = at.post("/git/trees", {"base_tree": at.one.branch("main"), "tree": [item]})

    assert (answer.status_code, answer.json()["message"]) == (422, "base_tree is not a valid tree oid")


def test_a_long_listing_is_cut_and_says_so(at: Bench) -> None:
    assert at.get("/git/trees/main?recursive=1").json()["truncated"] is False
    at.one.tree_limit = 2

    listing = at.get("/git/trees/main?recursive=0").json()

    assert (listing["truncated"], len(listing["tree"])) == (True, 2)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tree": "1" * 40}, "Tree SHA does not exist"),
        ({"parents": ["1" * 40]}, "Parent SHA does not exist or is not a commit object"),
    ],
)
def test_a_commit_needs_a_tree_and_parents_that_are_there(at: Bench, more: Any, message: str) -> None:
    tree = at.one.objects.commits[str(at.one.branch("main"))].tree

    answer = at.post("/git/commits", {"message": "m", "tree": tree, **more})

    assert (answer.status_code, answer.json()["message"]) == (422, message)


def test_contents_come_raw_when_asked_and_without_text_when_large(at: Bench) -> None:
    at.one.commit("main", {"large": "x" * (1 << 20) + "x", "link": symlink("agent/mail.py")})

    raw = at.get("/contents/agent/mail.py", Accept="application/vnd.github.raw+json")
    large, link = at.get("/contents/large").json(), at.get("/contents/link").json()

    assert raw.text == "value = 1\n"
    assert (large["encoding"], large["content"]) == ("none", "")
    assert (link["type"], link["size"]) == ("file", len("value = 1\n"))  # the file that it points to
    assert at.get("/contents/agent/mail.py?ref=none").status_code == 404


@pytest.mark.parametrize(
    ("span", "status", "ahead", "behind"),
    [
        ("main...fix/one", "diverged", 1, 1),
        ("fix/one...octo:main", "diverged", 1, 1),
        ("v1...main", "ahead", 1, 0),
        ("main...v1", "behind", 0, 1),
        ("main...main", "identical", 0, 0),
    ],
)
def test_comparisons_count_both_sides(at: Bench, span: str, status: str, ahead: int, behind: int) -> None:
    at.make_branch()
    at.one.tag("v1", str(at.one.branch("main")))
    at.one.commit("main", {"other": "x\n"})

    answer = at.get(f"/compare/{span}").json()

    assert (answer["status"], answer["ahead_by"], answer["behind_by"]) == (status, ahead, behind)
    assert at.get("/compare/main...none").status_code == 404


def unpacked(content: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(content), mode="r:gz")


def test_an_archive_is_what_git_archive_makes(at: Bench) -> None:
    files: dict[str, Content] = {
        "run.sh": executable("#!/bin/sh\n"),
        "link": symlink("run.sh"),
        "sub": submodule("3" * 40),
    }
    hidden: dict[str, Content] = {
        ".gitattributes": "tests export-ignore\n",
        "tests/test_a.py": "x\n",
        "bin": b"\0\xff\n",
    }
    sha = at.one.commit("main", {**files, **hidden}, at=at.hub.clock.now() - timedelta(days=1))

    moved = at.get(f"/tarball/{sha}")
    answer = httpx.get(moved.headers["Location"])

    assert (moved.status_code, answer.headers["Content-Type"]) == (302, "application/x-gzip")
    assert "Content-Length" not in answer.headers
    with unpacked(answer.content) as archive:
        top = f"octo-app-{sha[:7]}"
        members = {one.name.removeprefix(top).lstrip("/"): one for one in archive}
        assert archive.pax_headers["comment"] == sha
        assert {"", "run.sh", "link", "sub", "bin", "agent", "agent/mail.py", "README.md"} < members.keys()
        assert members["run.sh"].mode & 0o100
        assert not members["bin"].mode & 0o100
        assert (members["link"].issym(), members["link"].linkname) == (True, "run.sh")
        assert members["sub"].isdir()
        assert "tests/test_a.py" not in members
        inner = archive.extractfile(members["bin"])
        assert inner
        assert inner.read() == b"\0\xff\n"


def test_an_archive_is_at_another_place_and_must_not_get_the_token(at: Bench) -> None:
    link = at.get("/tarball/main").headers["Location"]
    assert link.startswith(at.hub.codeload_url + "/")
    assert not link.startswith(at.hub.url)

    httpx.get(link)
    assert at.hub.leaks == []
    at.client.get(link)

    assert len(at.hub.leaks) == 1


def test_a_link_to_an_archive_dies_after_five_minutes(at: Bench) -> None:
    link = at.get("/tarball/main").headers["Location"]
    at.hub.clock.move(timedelta(minutes=4))
    assert httpx.get(link).status_code == 200
    at.hub.clock.move(timedelta(minutes=1))

    assert httpx.get(link).status_code == 404
    assert at.get("/tarball/none").status_code == 404
