"""Whole nights on the fake GitHub: from a finding to a pull request, and on through its life."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from selfimprover.bootstrap import open_app
from selfimprover.bootstrap.following import follow
from selfimprover.domain import CaseFile, ChecksState, PullRequest
from tests.fakes.github import FakeGitHub
from tests.integration.hosted import AT, LATER, NEXT, Hosted
from tests.place import AGENT, BUG


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub(now=lambda: datetime(2026, 2, 16, 0, 17, tzinfo=UTC)) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, hub: FakeGitHub) -> Hosted:
    return Hosted(tmp_path, hub)


def test_a_finding_becomes_a_pull_request_with_all_that_was_asked_for(place: Hosted, hub: FakeGitHub) -> None:
    place.hosted.add_collaborator("carol")

    finding = place.finding()

    assert (finding["state"], finding["pr_number"]) == ("open", 1)
    pull = place.hosted.pull(1)
    assert pull.head == f"selfimprover/fix-{finding['id']}"
    assert pull.labels == ["selfimprover"]
    assert b"handler.limit = value" in place.hosted.files(pull.head)["agent.py"]
    assert place.hosted.files("main")["agent.py"] == AGENT.encode()
    assert f"finding={finding['id']}" in str(pull.body)


def test_observe_mode_writes_nothing_and_publish_opens_what_it_held_back(place: Hosted, hub: FakeGitHub) -> None:
    place.configure(mode="observe")
    finding = place.finding()
    assert finding["state"] == "verified"
    assert (set(place.hosted.refs), place.hosted.pulls) == ({"refs/heads/main"}, {})

    published = place.run("findings", "publish", finding["id"])

    assert published.exit_code == 0, published.stderr
    assert place.hosted.pull(1).head.endswith(finding["id"])


def test_a_dry_run_writes_nothing(place: Hosted, hub: FakeGitHub) -> None:
    place.night("--dry-run")

    assert (set(place.hosted.refs), place.hosted.pulls) == ({"refs/heads/main"}, {})


def test_the_token_goes_to_github_alone_and_into_nothing_that_is_kept(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()

    kept = b"".join(path.read_bytes() for path in (place.folder / "state").rglob("*") if path.is_file())
    assert place.secret.encode() not in kept
    assert place.secret.encode() not in hub.log.bodies()
    assert hub.leaks == []


@pytest.mark.parametrize("path", ["/repos/*/pulls", "/repos/*/git/refs", "/repos/*/git/commits", "/repos/*/git/trees"])
def test_a_lost_reply_leads_to_one_pull_request(place: Hosted, hub: FakeGitHub, path: str) -> None:
    hub.faults.lose_reply("POST", path)

    states = [place.night(at=AT)["findings"][0]["state"], place.finding(NEXT)["state"]]

    assert states[-1] == "open"
    assert len(place.hosted.pulls) == 1


def test_what_a_person_closed_is_never_opened_again(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()
    place.hosted.close(1)
    place.hosted.delete_branch(place.hosted.pull(1).head)

    closed = [place.finding(at) for at in (NEXT, LATER)]

    assert [one["state"] for one in closed] == ["closed", "closed"]
    assert "rejected" in closed[0]["reason"]
    assert len(place.hosted.pulls) == 1


async def only_case(place: Hosted) -> CaseFile:
    async with open_app(place.config).memory() as memory:
        (case,) = await memory.cases()
        return case


def test_a_merge_is_known_with_its_commit(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()
    merged = place.hosted.merge(1, "squash")

    finding = place.finding(NEXT)

    assert finding["state"] == "merged"
    pull = asyncio.run(only_case(place)).pull_request
    assert pull is not None
    assert pull.merge_commit == merged


def test_a_branch_that_a_person_pushed_to_is_left_to_them(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()
    branch = place.hosted.pull(1).head
    place.hosted.commit(branch, {"agent.py": AGENT + "# by hand\n"}, "by hand")
    place.hosted.add_check_run(branch, conclusion="failure")
    writes = len(hub.log.writes())

    finding = place.finding(NEXT)

    assert "somebody pushed to its branch" in finding["reason"]
    assert len(hub.log.writes()) == writes


def test_checks_reviews_and_conflicts_are_told(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()
    branch = place.hosted.pull(1).head
    place.hosted.add_check_run(branch, name="lint", conclusion="failure")
    place.hosted.review(1, "CHANGES_REQUESTED", "Use a getter", by="bob")

    finding = place.finding(NEXT)
    (pull,) = json.loads(place.run("prs", "--json").stdout)

    assert "bob asks for changes" in finding["reason"]
    assert pull["checks"] == "failing"


def test_a_green_draft_is_marked_ready_in_ready_mode(place: Hosted, hub: FakeGitHub) -> None:
    place.configure(mode="draft")
    place.finding()
    assert place.hosted.pull(1).draft
    place.hosted.add_check_run(place.hosted.pull(1).head, conclusion="success")
    place.configure(mode="ready")

    place.finding(NEXT)

    assert not place.hosted.pull(1).draft


def test_a_pull_request_that_became_moot_is_closed_with_a_comment(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()
    fixed = place.hosted.files(place.hosted.pull(1).head)["agent.py"]
    place.hosted.commit("main", {"agent.py": fixed.decode()}, "the same by hand")

    finding = place.finding(NEXT)

    pull = place.hosted.pull(1)
    assert (pull.state, finding["state"]) == ("closed", "closed")
    assert "has this change already" in pull.comments[0].body


def test_an_error_that_stopped_by_itself_is_said_once(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()
    place.database.unlink()
    place.record("ValueError: another one", "ValueError: another one")

    for at in (NEXT, LATER):
        place.night(at=at)

    (comment,) = place.hosted.pull(1).comments
    assert "may have stopped by itself" in comment.body


def test_a_lost_memory_finds_its_pull_request_again(place: Hosted, hub: FakeGitHub) -> None:
    first = place.finding()
    for path in (place.folder / "state").iterdir():
        if path.name.startswith("memory"):
            path.unlink()
    for path in (place.folder / "state" / "backups").iterdir():
        path.unlink()

    again = place.finding(NEXT)

    assert (again["id"], again["state"], again["pr_number"]) == (first["id"], "open", 1)
    assert len(place.hosted.pulls) == 1


@pytest.mark.parametrize(
    ("ruin", "words"),
    [
        (lambda place, hub: hub.revoke(place.secret), "Bad credentials"),
        (lambda place, hub: place.hosted.make_empty(), "empty"),
        (lambda place, hub: place.hosted.rename_branch("main", "trunk"), 'base = "trunk"'),
        (lambda place, hub: place.hosted.delete(), "no such repository"),
        (lambda place, hub: hub.faults.html("GET", "/repos/*", 200, times=None), "not GitHub's JSON"),
        (lambda place, hub: hub.faults.answer("GET", "/repos/*", 503, times=None), "503"),
    ],
    ids=["revoked", "empty", "base gone", "deleted", "proxy page", "down"],
)
def test_a_forge_that_cannot_be_used_is_one_clear_error_and_nothing_is_lost(
    place: Hosted, hub: FakeGitHub, ruin: Any, words: str
) -> None:
    place.finding()
    ruin(place, hub)

    report = place.night(at=NEXT)

    (error,) = report["errors"]
    assert words in f"{error['what']} {error['mend']}", error
    assert [(one["state"], one["pr_number"]) for one in report["findings"]] == [("open", 1)]


def test_a_renamed_repository_is_followed(place: Hosted, hub: FakeGitHub) -> None:
    place.finding()
    place.hosted.rename("assistant")

    assert place.finding(NEXT)["state"] == "open"
    assert len(place.hosted.pulls) == 1


def test_a_ruleset_that_refuses_the_branch_parks_the_finding_with_the_reason(place: Hosted, hub: FakeGitHub) -> None:
    place.hosted.add_ruleset("selfimprover/*", creations=True)

    finding = place.finding()

    assert finding["state"] == "parked"
    assert "refuses the branch" in finding["reason"]


def test_check_tells_what_the_token_lacks_and_which_workflows_are_dangerous(tmp_path: Path, hub: FakeGitHub) -> None:
    place = Hosted(tmp_path, hub)
    deploy = "on: push\njobs:\n  d:\n    steps:\n      - run: d\n        env:\n          K: ${{ secrets.DEPLOY_KEY }}\n"
    place.hosted.commit("main", {".github/workflows/deploy.yml": deploy}, "deploy")

    parts = {one["part"]: one for one in json.loads(place.run("check", "--json").stdout)}
    assert parts["forge of app"]["ok"]
    assert parts["token of app"]["ok"], parts["token of app"]
    assert "DEPLOY_KEY" in parts["workflows of app"]["what"]
    assert "branches-ignore" in parts["workflows of app"]["what"]
    assert (set(place.hosted.refs), place.hosted.pulls) == ({"refs/heads/main"}, {})

    place.secret = hub.token({"contents": "read", "metadata": "read"})
    place.configure()
    parts = {one["part"]: one for one in json.loads(place.run("check", "--json").stdout)}
    assert not parts["token of app"]["ok"]
    assert "contents:write" in parts["token of app"]["what"]


# --- after the night


def followed(place: Hosted, *happenings: Any) -> list[float]:
    """What the daemon does after a night, with one happening before each look; returns how long it slept."""
    slept: list[float] = []
    left = iter(happenings)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if happening := next(left, None):
            happening()

    asyncio.run(follow(open_app(place.config), sleep=sleep, monotonic=lambda: sum(slept)))
    return slept


async def remembered(place: Hosted) -> PullRequest:
    """The pull request as the memory has it."""
    async with open_app(place.config).memory() as memory:
        (case,) = await memory.cases()
    assert case.pull_request is not None
    return case.pull_request


def test_checks_are_followed_until_they_end_and_the_memory_knows(place: Hosted, hub: FakeGitHub) -> None:
    place.configure(mode="draft")
    place.finding()
    branch = place.hosted.pull(1).head
    place.configure(mode="ready")

    slept = followed(
        place,
        lambda: place.hosted.add_check_run(branch, name="ci", status="in_progress", conclusion=None),
        None,
        None,
        lambda: place.hosted.add_check_run(branch, name="ci", conclusion="success"),
    )

    (shown,) = json.loads(place.run("prs", "--json").stdout)
    assert len(slept) == 4
    assert (shown["checks"], shown["draft"]) == ("passing", False)
    assert asyncio.run(remembered(place)).checks is ChecksState.PASSING
    assert not place.hosted.pull(1).draft
    assert any(call.status == 304 for call in hub.log)


def test_a_repository_without_checks_is_not_waited_for_long(place: Hosted) -> None:
    place.finding()

    assert sum(followed(place)) <= 11 * 60


def test_checks_that_never_end_are_left_to_the_next_night(place: Hosted) -> None:
    place.finding()
    place.hosted.add_check_run(place.hosted.pull(1).head, name="ci", status="queued", conclusion=None)

    assert sum(followed(place)) == 2 * 60 * 60


# --- after a rejection


def test_a_rejected_finding_may_be_tried_again_by_a_person_once_it_was_seen_since(
    place: Hosted, hub: FakeGitHub
) -> None:
    finding = place.finding()
    place.hosted.close(1)
    place.finding(NEXT)
    refused = place.run("findings", "publish", finding["id"])
    assert (refused.exit_code, "no proven fix" in refused.stderr) == (2, True)

    place.record("x", BUG, before=datetime(2026, 2, 17, 23, 0, tzinfo=UTC))
    seen_again = place.finding(LATER)
    assert seen_again["state"] == "closed"
    tried = place.run("findings", "publish", finding["id"])

    assert tried.exit_code == 0, tried.stderr
    assert place.hosted.pull(2).head == f"selfimprover/fix-{finding['id']}-g2"
    assert place.hosted.pull(1).state == "closed"
    assert [place.finding("2026-02-19T00:17:00Z")[key] for key in ("state", "pr_number")] == ["open", 2]


# --- what nothing could be run for ------------------------------------------------------------------------------


def test_without_proof_nothing_is_published(place: Hosted) -> None:
    place.configure(mode="ready", test="")

    finding = place.finding()

    assert (finding["state"], finding["reason"][:15]) == ("drafted", "no test command")
    assert place.hosted.pulls == {}
    refused = place.run("findings", "publish", finding["id"])
    assert refused.exit_code == 2
    assert "no proven fix" in refused.output


def test_on_request_it_becomes_a_draft_that_says_so_and_stays_one(place: Hosted) -> None:
    place.configure(mode="ready", test="", verify="publish_unverified = true\n")

    finding = place.finding()
    pull = place.hosted.pull(1)
    place.hosted.add_check_run(pull.head_sha)
    place.finding(NEXT)

    assert finding["state"] == "open"
    assert (pull.draft, pull.labels) == (True, ["selfimprover", "unverified"])
    assert "**Unverified: nothing was run.** no test command" in (pull.body or "")
    assert "confidence" not in (pull.body or "")


def test_in_observe_mode_it_waits_for_a_person(place: Hosted) -> None:
    place.configure(mode="observe", test="", verify="publish_unverified = true\n")
    finding = place.finding()
    assert (finding["state"], place.hosted.pulls) == ("drafted", {})

    published = place.run("findings", "publish", finding["id"])

    assert published.exit_code == 0, published.output
    assert place.hosted.pull(1).draft
