"""What people say on GitHub reaches whoever runs the service: the table, a finding's page, and both as JSON."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.github import FakeGitHub
from tests.integration.hosted import NEXT, Hosted


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub(now=lambda: datetime(2026, 2, 16, 0, 17, tzinfo=UTC)) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, hub: FakeGitHub) -> Hosted:
    """A project whose pull request #1 is open, with a failing check and two people's reviews."""
    made = Hosted(tmp_path, hub)
    made.finding()
    made.hosted.add_check_run(made.hosted.pull(1).head, name="lint", conclusion="failure")
    made.hosted.review(1, "CHANGES_REQUESTED", f"Use a getter.\nThe token {made.secret} leaks \x1b[31m[bold]", by="bob")
    made.hosted.review(1, "APPROVED", "", by="carol")
    return made


def test_the_table_tells_checks_and_reviews_in_short_words(place: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")

    table = place.run("prs").stdout

    assert "Failing (lint)" in table
    assert "carol approves, bob asks for changes" in table
    assert place.hosted.pull(1).head not in table
    assert max(map(len, table.splitlines())) <= 160


def test_the_json_row_has_reviews_failing_checks_and_whether_it_fits(place: Hosted) -> None:
    place.run("prs")  # GitHub begins to compute whether it fits when it is asked first

    (row,) = json.loads(place.run("prs", "--json").stdout)

    asked, approved = row["reviews"]
    assert (asked["author"], asked["verdict"], asked["at"]) == ("bob", "changes requested", "2026-02-16T00:17:00Z")
    assert asked["text"].startswith("Use a getter.\n")
    assert place.secret not in asked["text"]
    assert (approved["author"], approved["verdict"], approved["text"]) == ("carol", "approved", "")
    assert (row["failing"], row["mergeable"]) == (["lint"], True)


def test_a_finding_tells_what_people_said_since_the_last_night(place: Hosted) -> None:
    finding = place.finding(NEXT)["id"]

    shown = place.run("findings", "show", finding)
    document = json.loads(place.run("findings", "show", finding, "--json").stdout)

    assert shown.exit_code == 0, shown.stderr
    assert "2026-02-16 00:17  bob asks for changes\n│ Use a getter.\n" in shown.stdout
    assert "[bold]" in shown.stdout
    assert not set(shown.stdout) & {"\x1b"}
    assert place.secret not in shown.stdout
    assert [review["author"] for review in document["reviews"]] == ["bob", "carol"]
    assert document["failing"] == ["lint"]


def test_a_branch_that_somebody_pushed_to_is_told_in_the_table(place: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert "pushed to by somebody" not in place.run("prs").stdout

    place.hosted.commit(place.hosted.pull(1).head, {"notes.txt": "by hand\n"}, "by hand")

    assert "open, pushed to by somebody" in place.run("prs").stdout
    place.finding(NEXT)
    assert "open, pushed to by somebody" in place.run("prs").stdout, "the night that saw it must not forget it"
