"""Whole nights in which GitHub, or whoever stands between us, refuses: one clear line each, and nothing is lost."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.fakes.github import FakeGitHub
from tests.integration.hosted import AT, NEXT, Watched
from tests.place import AGENT

NOW = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
READS = ["/repos/*/git/ref/*", "/repos/*/pulls", "/repos/*/tarball/*", "/repos/*/git/trees/*"]
WRITES = ["/repos/*/git/trees", "/repos/*/git/commits", "/repos/*/git/refs", "/repos/*/pulls"]
CALLS = [*(("GET", path) for path in READS), *(("POST", path) for path in WRITES)]


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub(now=lambda: NOW) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, hub: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr("selfimprover.forges.github.session._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("selfimprover.forges.github.opening.LAGS", (0.0, 0.0))
    monkeypatch.setattr("selfimprover.forges.github.publishing._LAGS", (0.0, 0.0))
    return Watched(tmp_path, hub)


# --- refused by GitHub


def test_an_archived_repository_is_told_and_its_finding_waits(place: Watched) -> None:
    place.hosted.archived = True

    finding, error = place.trouble()

    assert "archived" in error["what"]
    assert "unarchive it" in error["mend"]
    assert finding["state"] == "verified"
    place.hosted.archived = False
    place.recover()


@pytest.mark.parametrize("path", WRITES)
def test_a_permission_that_is_missing_at_any_write_is_named(place: Watched, hub: FakeGitHub, path: str) -> None:
    permissions = {"X-Accepted-GitHub-Permissions": "contents=write"}
    refusal = {"message": "Resource not accessible by personal access token"}
    hub.faults.answer("POST", path, 403, refusal, headers=permissions, times=None)

    finding, error = place.trouble()

    assert "the token may not do this" in error["what"]
    assert "contents=write" in error["mend"]
    assert finding["state"] == ("pushed" if path.endswith("pulls") else "verified")
    assert len(hub.log.select("POST", path)) == 1
    hub.faults.clear()
    place.recover()


@pytest.mark.parametrize("lacks", ["contents", "pull_requests"])
def test_a_token_that_may_only_read_is_told_what_it_lacks(place: Watched, hub: FakeGitHub, lacks: str) -> None:
    good = place.secret
    rights = {"contents": "write", "pull_requests": "write", "checks": "read", "statuses": "read"}
    place.secret = hub.token({**rights, lacks: "read"})
    place.configure()

    _, error = place.trouble()

    assert f"{lacks}=write" in error["mend"]
    place.secret = good
    place.configure()
    place.recover()


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_token_that_ends_in_the_middle_of_a_night_is_one_clear_error(
    place: Watched, hub: FakeGitHub, method: str, path: str
) -> None:
    hub.faults.answer(method, path, 401, {"message": "Bad credentials"}, times=None)

    _, error = place.trouble()

    assert "Bad credentials" in error["what"]
    assert "make a new one" in error["mend"]
    assert len(hub.log.select(method, path)) == 1
    hub.faults.clear()
    place.recover()


def test_a_token_that_was_refused_is_not_tried_for_the_next_finding(place: Watched, hub: FakeGitHub) -> None:
    other = AGENT.replace("class Agent", "class Robot").replace("class Settings", "class Choices")
    other = other.replace("Settings()", "Choices()").replace("limit", "speed")
    place.hosted.commit("main", {"robot.py": other})
    with sqlite3.connect(place.database) as connection:
        connection.execute(
            "INSERT INTO tasks SELECT 'r' || id, status, replace(replace(error, 'Agent', 'Robot'), 'limit', 'speed'),"
            " created_at, replace(replace(replace(traceback, 'agent', 'robot'), 'Agent', 'Robot'), 'limit', 'speed')"
            " FROM tasks WHERE status = 'failed'"
        )
    connection.close()
    hub.faults.answer("POST", "/repos/*/git/trees", 401, {"message": "Bad credentials"}, times=None)

    report = place.night()

    assert [one["state"] for one in report["findings"]] == ["verified", "verified"]
    assert len([call for call in hub.log if call.status == 401]) == 1


# --- somebody stands between


@pytest.mark.parametrize(("method", "path"), [*CALLS, ("GET", "*/legacy.tar.gz/*")])
@pytest.mark.parametrize("status", [200, 502])
def test_a_web_page_in_place_of_any_answer_is_one_clear_error(
    place: Watched, hub: FakeGitHub, method: str, path: str, status: int
) -> None:
    hub.faults.html(method, path, status, times=None)

    _, error = place.trouble()

    words = ("proxy or login page", "web page came instead") if status == 200 else ("502",)
    lost = ("whether", "is unknown") if path.endswith("pulls") and method == "POST" else ()
    assert any(one in error["what"] for one in (*words, *lost)), error
    hub.faults.clear()
    place.recover()


@pytest.mark.parametrize("status", [200, 502])
def test_a_web_page_in_place_of_the_labels_does_not_hold_the_pull_request_back(
    place: Watched, hub: FakeGitHub, status: int
) -> None:
    hub.faults.html("POST", "/repos/*/labels", status, times=None)

    assert place.finding()["state"] == "open"


@pytest.mark.parametrize(("method", "path"), [("GET", "/repos/*/git/ref/*"), ("GET", "/repos/*/tarball/*")])
@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_that_never_ends_is_one_clear_error(
    place: Watched, hub: FakeGitHub, method: str, path: str, status: int
) -> None:
    there = {"Location": f"{hub.url}/repos/octo/app/tarball/x"}
    for start in (path, "*/tarball/x"):
        hub.faults.answer(method, start, status, {}, headers=there, times=None)

    _, error = place.trouble()

    assert "on and on" in error["what"] or "answered 30" in error["what"], error
    hub.faults.clear()
    place.recover()


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_to_another_host_is_not_followed(
    place: Watched, hub: FakeGitHub, method: str, path: str, status: int
) -> None:
    with FakeGitHub() as stranger:
        target = "http://stranger.example/app.tar.gz" if "tarball" in path else f"{stranger.url}/repos/octo/app"
        hub.faults.answer(method, path, status, {}, headers={"Location": target}, times=None)

        _, error = place.trouble()

        assert "another host" in error["what"] or "no place of its own" in error["what"], error
        assert len(stranger.log) == 0
    hub.faults.clear()
    place.recover()


# --- renamed


def test_a_renamed_repository_costs_one_call_more_and_tells_how_to_mend_it(place: Watched, hub: FakeGitHub) -> None:
    place.hosted.rename("assistant")

    told = place.run("night", "--at", AT, "--json")

    warnings = [json.loads(line) for line in told.stderr.splitlines() if "github.renamed" in line]
    assert [one["mend"] for one in warnings] == ['set projects.repository.name = "octo/assistant"']
    assert len([call for call in hub.log if call.status in {301, 307}]) == 1
    assert len(place.hosted.pulls) == 1


def test_what_a_person_closed_before_the_repository_was_renamed_is_not_opened_again(place: Watched) -> None:
    place.finding()
    place.hosted.close(1)
    place.hosted.delete_branch(place.hosted.pull(1).head)
    place.hosted.rename("assistant")
    for path in (place.folder / "state").rglob("memory*"):
        if path.is_file():
            path.unlink()

    finding = place.finding(NEXT)

    assert (finding["state"], len(place.hosted.pulls)) == ("closed", 1)


def test_a_merge_after_a_rename_is_noticed(place: Watched) -> None:
    place.finding()
    place.hosted.rename("assistant")
    place.hosted.merge(1, "squash")

    assert place.finding(NEXT)["state"] == "merged"


# --- a GitHub App


class Installed(Watched):
    """Its token comes from a GitHub App; the clock of this machine is ``ahead`` of GitHub's."""

    def configure(self, **changes: Any) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        app = self.hub.app(public)
        self.installed = self.hub.install(app)
        pem = self.folder / "app.pem"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pem.chmod(0o600)
        super().configure(**changes)
        who = f'app_id = {app.id}\nprivate_key_file = "{pem}"\ninstallation_id = {self.installed.id}\n'
        self.config.write_text(self.config.read_text().replace(f'token = "{self.secret}"\n', who))


@pytest.fixture
def app_hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


@pytest.fixture
def installed(tmp_path: Path, app_hub: FakeGitHub) -> Installed:
    return Installed(tmp_path, app_hub)


def test_an_app_holds_a_whole_night(installed: Installed) -> None:
    assert installed.finding()["state"] == "open"


@pytest.mark.parametrize("minutes", [-8, 0.9])
def test_an_app_stands_a_clock_that_is_a_little_off(installed: Installed, app_hub: FakeGitHub, minutes: float) -> None:
    app_hub.clock.move(timedelta(minutes=-minutes))

    assert installed.finding()["state"] == "open"


@pytest.mark.parametrize("minutes", [-600, -10, 5, 600])
def test_an_app_whose_clock_is_off_is_told_so(installed: Installed, app_hub: FakeGitHub, minutes: float) -> None:
    app_hub.clock.move(timedelta(minutes=-minutes))

    finding, error = installed.trouble()

    there = app_hub.clock.now()
    assert "check this machine's clock; GitHub's says " in error["mend"]
    assert f"{there:%Y-%m-%d %H:}" in error["mend"]
    assert finding["state"] == "found"
    app_hub.clock.move(timedelta(minutes=minutes))
    installed.recover()


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_token_of_an_app_that_ends_in_the_middle_of_a_night_is_renewed(
    installed: Installed, app_hub: FakeGitHub, method: str, path: str
) -> None:
    app_hub.faults.answer(method, path, 401, {"message": "Bad credentials"})

    assert installed.finding()["state"] == "open"
    assert len(app_hub.log.select("POST", "*/access_tokens")) == 2
    assert len(installed.hosted.pulls) == 1


def test_an_app_whose_repository_was_renamed_is_told_so(installed: Installed, app_hub: FakeGitHub) -> None:
    installed.hosted.rename("assistant")

    _, error = installed.trouble()

    assert "renamed" in error["mend"], error
    installed.hosted.rename("app")
    installed.recover()


def test_an_app_that_was_suspended_is_one_clear_error(installed: Installed) -> None:
    installed.installed.suspended_at = NOW

    _, error = installed.trouble()

    assert "suspended" in error["what"], error
    assert "lift the suspension" in error["mend"]
    installed.installed.suspended_at = None
    installed.recover()
