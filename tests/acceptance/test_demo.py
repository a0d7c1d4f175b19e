"""The demo end to end: the real session, repeated by the real parts, twice with the same result."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Played:
    """A finished demo: its folder and what it printed."""

    folder: Path
    output: str

    def command(self, *arguments: str) -> str:
        return run(*arguments, "--config", str(self.folder / "config.toml"))

    def json(self, *arguments: str) -> Any:
        return json.loads(self.command(*arguments))


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "selfimprover", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo") / "kept"
    return Played(folder, run("demo", "--keep", str(folder)))


@pytest.fixture(scope="module")
def first(played: Played) -> Any:
    return played.json("report", "--night", "2026-02-16", "--json")


@pytest.fixture(scope="module")
def second(played: Played) -> Any:
    return played.json("report", "--json")


def by_type(report: Any) -> dict[str, Any]:
    return {finding["error_type"]: finding for finding in report["findings"]}


def rows(played: Played, sql: str) -> Sequence[Any]:
    connection = sqlite3.connect(played.folder / "tasks.db")
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


def test_the_telemetry_is_that_of_the_real_session(first: Any) -> None:
    assert first["at"] == "2026-02-16T00:17:00Z"
    assert first["projects"]["assistant"]["tasks_by_status"] == {
        "today": {"done": 6, "failed": 1, "running": 1},
        "yesterday": {"done": 156, "failed": 13},
    }
    assert [(top["error_type"], top["count"]) for top in first["top_errors"]] == [
        ("GatewayTimeout", 9),
        ("TimeoutError", 4),
        ("AttributeError", 2),
    ]


def test_the_errors_arose_from_the_assistants_own_code(played: Played) -> None:
    for error, traceback in rows(played, "SELECT error, traceback FROM tasks WHERE status = 'failed'"):
        frames = [line for line in traceback.splitlines() if line.lstrip().startswith("File ")]
        assert str(played.folder / "assistant" / "assistant") in frames[-1]
        assert traceback.rstrip().splitlines()[-1].endswith(error.partition(": ")[2])


def test_the_timeouts_are_of_subtasks_whose_parents_cope(played: Played) -> None:
    parents = rows(
        played,
        "SELECT parent.status FROM tasks JOIN tasks AS parent ON tasks.parent_id = parent.id"
        " WHERE tasks.error LIKE 'TimeoutError%'",
    )

    assert parents == [("done",)] * 4


def test_the_first_night_opens_number_3_and_4_and_diagnoses_the_gateway(first: Any) -> None:
    findings = by_type(first)

    assert (findings["TimeoutError"]["pr_number"], findings["TimeoutError"]["state"]) == (3, "open")
    assert (findings["AttributeError"]["pr_number"], findings["AttributeError"]["state"]) == (4, "open")
    assert (findings["GatewayTimeout"]["triage"], findings["GatewayTimeout"]["pr_number"]) == ("diagnose", None)
    assert [(pull["number"], pull["state"], pull["checks"], pull["draft"]) for pull in first["pull_requests"]] == [
        (3, "open", "passing", False),
        (4, "open", "passing", False),
    ]
    assert first["errors"] == []


def test_the_retry_is_the_one_of_the_real_session(played: Played) -> None:
    diff = shown(played, "TimeoutError")["draft"]["diff"]

    for part in ("_connect_with_retry", "3 tries", "attempt == 2", "0.5 * 2**attempt", "4.0", "raise"):
        assert part in diff
    assert shown(played, "TimeoutError")["draft"]["risk"] == "retry"


def test_the_property_is_the_one_of_the_real_session(played: Played) -> None:
    draft = shown(played, "AttributeError")["draft"]

    for part in ("@property", "@_email_context_until.setter", "_email_handler", "hasattr"):
        assert part in draft["diff"]
    assert any("absent" in line and "empty" in line for line in draft["may_hide"])


def shown(played: Played, error_type: str) -> Any:
    (finding,) = [one for one in played.json("findings", "list", "--json") if one["error_type"] == error_type]
    return played.json("findings", "show", finding["id"], "--json")


def test_the_pull_request_text_tells_a_reviewer_what_to_know(played: Played) -> None:
    for number, words in ((3, "retry"), (4, "read as empty")):
        body = git(played, "show", f"refs/selfimprover/pulls/{number}:body.md")
        assert words in body.lower()
        assert "### What it may hide" in body
        assert body.startswith("<!-- selfimprover finding=")


def git(played: Played, *arguments: str) -> str:
    command = ["git", "-C", str(played.folder / "assistant"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_test_of_the_assistant_still_passes_after_both_merges(played: Played) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "-q"], cwd=played.folder / "assistant", capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_after_the_merge_neither_error_is_seen_again(played: Played) -> None:
    errors = Counter(
        error.partition(":")[0]
        for (error,) in rows(
            played, "SELECT error FROM tasks WHERE status = 'failed' AND created_at > '2026-02-16T08:10'"
        )
    )

    assert set(errors) == {"GatewayTimeout"}


def test_the_servers_misbehaved_after_the_merge_as_before(played: Played) -> None:
    log = rows(played, "SELECT COUNT(*) FROM tasks WHERE kind = 'imap.poll' AND created_at > '2026-02-16T08:10'")

    assert log[0][0] > 16, "enough connections for a silent one among them"


def test_the_second_night_claims_nothing_yet_and_opens_nothing_again(second: Any) -> None:
    assert second["night"] == "2026-02-17"
    assert sorted(outcome["pr_number"] for outcome in second["outcomes"]) == [3, 4]
    for outcome in second["outcomes"]:
        assert outcome["state"] == "not yet known"
        assert outcome["after"]["failures"] == 0
        assert outcome["after"]["tasks"] > 0
        assert outcome["more_tasks_needed"] > 0
        assert f"about {outcome['more_tasks_needed']} more tasks needed" in outcome["sentence"]
        assert outcome["rate_ratio_95"][1] > 1
    assert [(pull["number"], pull["state"]) for pull in second["pull_requests"]] == [(3, "merged"), (4, "merged")]
    assert {finding["state"] for finding in second["findings"]} == {"merged", "diagnosed"}


def test_it_says_what_the_tests_ran_in(played: Played) -> None:
    """Where there is a sandbox the pull requests were proven in it; elsewhere the example's own tests run bare."""
    shown = " ".join(played.output.split())
    sandboxed = shutil.which("bwrap") is not None and "in a sandbox (bubblewrap)" in shown

    assert sandboxed or "bare, because they are ours" in shown


def test_the_screen_shows_the_tables_the_evidence_and_where_to_look_next(played: Played) -> None:
    for part in (
        *("Yesterday (Feb 15)", "156 done, 13 failed", "6 done, 1 failed, 1 running", "Top errors", "Pull requests"),
        *("Passing", '"source": "self-improver"', "merged #3", "merged #4", "more tasks"),
        *("selfimprover report --config", "selfimprover findings list --config"),
    ):
        assert part in " ".join(played.output.split()), part


def test_the_evidence_is_a_chain(played: Played) -> None:
    previous = None
    for line in played.command("memory", "export").splitlines():
        assert json.loads(line)["metadata"]["previous"] == previous
        previous = sha256(line.encode()).hexdigest()
    assert previous is not None


def test_the_kept_configuration_passes_the_check(played: Played) -> None:
    assert all(result["ok"] for result in played.json("check", "--json"))


def test_played_again_it_comes_to_the_same(played: Played, first: Any, second: Any, tmp_path: Path) -> None:
    again = Played(tmp_path / "again", run("demo", "--keep", str(tmp_path / "again")))

    for night, report in (("2026-02-16", first), ("2026-02-17", second)):
        repeated = again.json("report", "--night", night, "--json")
        for one in (report, repeated):
            for pull in one["pull_requests"]:
                pull.pop("url", None)
        assert repeated == report
    assert git(again, "rev-parse", "main") == git(played, "rev-parse", "main")


def test_a_folder_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    done = subprocess.run(
        [sys.executable, "-m", "selfimprover", "demo", "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
