"""``selfimprover init`` as a user meets it: what it finds, what it writes, what it refuses, and what it never does."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from selfimprover.cli.app import app

RUNNER = CliRunner()
ERROR = "ValueError: no such mailbox"
TEST = "import unittest\n\n\nclass Runs(unittest.TestCase):\n    def test_x(self):\n        pass\n"


class Assistant:
    """Somebody's assistant: a repository with tests, and a database with names of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.database = folder / "data" / "assistant.db"
        self.table = "task runs"

    def build(self) -> None:
        self.folder.mkdir()
        (self.folder / "test_agent.py").write_text(TEST)
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "begin")
        self.record(ERROR, ERROR, ERROR)

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def record(self, *errors: str, failed: str = "Errored") -> None:
        """Failures of the last hours, and as many tasks that went well."""
        self.database.parent.mkdir(exist_ok=True)
        name = '"' + self.table.replace('"', '""') + '"'
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(f"CREATE TABLE {name} (uuid, state, error_message, ts, stack, type)")
            for number, error in enumerate(errors):
                at = (datetime.now(UTC) - timedelta(hours=number + 1)).isoformat()
                insert = f"INSERT INTO {name} VALUES (?, ?, ?, ?, NULL, 'mail')"
                connection.execute(insert, (f"f{number}", failed, error, at))
                connection.execute(insert, (f"d{number}", "ok", None, at))

    def init(self, *options: str) -> Result:
        return RUNNER.invoke(app, ["init", *options])

    def written(self) -> Any:
        return tomllib.loads(self.config.read_text())

    def project(self) -> Any:
        (project,) = self.written()["projects"]
        return project


@pytest.fixture
def assistant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assistant:
    made = Assistant(tmp_path / "my assistant")
    made.build()
    monkeypatch.chdir(made.folder)
    return made


def refused(result: Result, *words: str) -> None:
    """One clear line on stderr, nothing on stdout, exit 2."""
    assert result.exit_code == 2, (result.stdout, result.stderr)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("selfimprover: ")
    assert line.isprintable()
    for word in words:
        assert word in line


def test_what_init_writes_is_valid_and_a_dry_run_finds_the_errors_of_the_foreign_table(assistant: Assistant) -> None:
    result = assistant.init("--bare-tests")

    assert result.exit_code == 0, result.stderr + result.stdout
    night = RUNNER.invoke(app, ["night", "--dry-run", "--json"])
    report = json.loads(night.stdout)
    assert report["errors"] == []
    assert [(top["error_type"], top["count"]) for top in report["top_errors"]] == [("ValueError", 3)]
    assert report["findings"][0]["projects"] == ["my-assistant"]


def test_what_was_found_is_written_and_shown_with_the_reason(assistant: Assistant) -> None:
    (assistant.folder / ".venv" / "bin").mkdir(parents=True)
    (assistant.folder / ".venv" / "bin" / "python").symlink_to(sys.executable)

    result = assistant.init()

    assert assistant.project() == {
        "name": "my-assistant",
        "telemetry": {
            "path": str(assistant.database),
            "table": "task runs",
            "failed": ["Errored"],
            "timezone": "UTC",
            "columns": {
                "id": "uuid",
                "status": "state",
                "error": "error_message",
                "created_at": "ts",
                "traceback": "stack",
                "kind": "type",
            },
        },
        "repository": {"forge": "local", "path": str(assistant.folder), "base": "main"},
        "verify": {
            "test": "python3 -m unittest",
            "expose": [str(assistant.folder / ".venv")],
            "timeout": "10m",
            "sandbox": "auto",
        },
        "fix": {"paths": ["**"], "deny": []},
    }
    for words in ("status = state", "unittest: test_agent.py", "the usual name", str(assistant.folder / ".venv")):
        assert words in result.stderr


def test_nothing_leaves_the_machine_and_nothing_runs_bare_unless_it_was_said(assistant: Assistant) -> None:
    assistant.init("--yes")
    quiet = assistant.written()
    assistant.init("--yes", "--llm", "--bare-tests", "--force")
    asked_for = assistant.written()

    assert (quiet["llm"]["enabled"], quiet["projects"][0]["verify"]["sandbox"]) == (False, "auto")
    assert (asked_for["llm"]["enabled"], asked_for["projects"][0]["verify"]["sandbox"]) == (True, "none")
    assert quiet["publish"]["mode"] == asked_for["publish"]["mode"] == "observe"


def test_init_ends_with_the_check_and_its_exit_code(assistant: Assistant) -> None:
    good = assistant.init("--bare-tests")
    bad = assistant.init("--bare-tests", "--force", "--test", "no-such-runner")

    assert good.exit_code == 0, good.stderr
    assert "ok   telemetry of my-assistant" in good.stdout
    assert "FAIL" not in good.stdout
    assert good.stderr.splitlines()[-1] == "Next: selfimprover night --dry-run"
    assert bad.exit_code == 1
    assert "FAIL proof of my-assistant" in bad.stdout
    assert bad.stderr.splitlines()[-1].startswith("Next, once that is mended: ")


def test_a_file_that_is_there_is_never_replaced_without_force(assistant: Assistant) -> None:
    assistant.config.write_text("mine")

    refused(assistant.init("--yes"), "config.toml", "left as it is", "--force")
    assert assistant.config.read_text() == "mine"

    assistant.init("--yes", "--force")
    assert assistant.project()["name"] == "my-assistant"


def test_config_names_the_file_and_every_later_command_is_told_it(assistant: Assistant, tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "my.toml"

    result = assistant.init("--config", str(file), "--bare-tests")

    assert result.exit_code == 0, result.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert not assistant.config.exists()
    assert result.stderr.splitlines()[-1] == f"Next: selfimprover night --dry-run --config '{file}'"


def test_the_file_of_the_environment_is_written_where_no_other_is_named(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFIMPROVER_CONFIG", str(tmp_path / "of the environment.toml"))

    assistant.init("--yes")

    assert (tmp_path / "of the environment.toml").exists()
    assert not assistant.config.exists()


def test_every_flag_goes_into_the_file_as_it_was_given(assistant: Assistant, tmp_path: Path) -> None:
    assistant.git("branch", "next")
    assistant.folder.rename(tmp_path / "elsewhere")
    os.chdir(tmp_path)
    options = {
        "--repository": "elsewhere",
        "--telemetry": "elsewhere/data/../data/assistant.db",
        "--table": "TASK RUNS",
        "--base": "next",
        "--test": 'echo "a b" && true',
        "--name": "mine.1",
        "--state": "state",
    }

    assistant.init(*(word for option in options.items() for word in option))

    written = tomllib.loads((tmp_path / "config.toml").read_text())
    (project,) = written["projects"]
    assert project["repository"] == {"forge": "local", "path": str(tmp_path / "elsewhere"), "base": "next"}
    assert project["telemetry"]["path"] == str(tmp_path / "elsewhere" / "data" / "assistant.db")
    assert (project["telemetry"]["table"], project["name"]) == ("task runs", "mine.1")
    assert project["verify"]["test"] == 'echo "a b" && true'
    assert written["state"]["dir"] == str(tmp_path / "state")


def test_the_state_is_named_so_that_every_command_finds_the_same(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assistant.init("--yes")
    usual = assistant.written()["state"]["dir"]
    monkeypatch.setattr("selfimprover.cli.interview._SYSTEM", tmp_path / "etc")
    file = tmp_path / "etc" / "selfimprover" / "config.toml"
    assistant.init("--yes", "--config", str(file))

    assert usual == str(tmp_path / "xdg" / "selfimprover")
    assert tomllib.loads(file.read_text())["state"]["dir"] == "/var/lib/selfimprover"


def test_the_zone_of_the_machine_is_written(assistant: Assistant) -> None:
    command = [sys.executable, "-m", "selfimprover", "init", "--yes"]  # a process of its own, for the zone is cached

    subprocess.run(command, env={**os.environ, "TZ": "Asia/Tokyo"}, capture_output=True, check=False)

    assert assistant.written()["schedule"]["timezone"] == "Asia/Tokyo"


def test_a_github_remote_is_noted_without_its_token(assistant: Assistant) -> None:
    assistant.git("remote", "add", "origin", "https://me:ghp_s3cret@github.com/acme/assistant.git")

    result = assistant.init("--yes")

    assert "acme/assistant" in result.stderr
    assert '# name = "acme/assistant"' in assistant.config.read_text()
    assert assistant.project()["repository"]["forge"] == "local"
    assert "s3cret" not in result.stderr + result.stdout + assistant.config.read_text()


def test_init_works_with_a_folder_beneath_the_top_of_the_repository(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(assistant.folder / "data")

    assistant.init("--yes", "--config", str(assistant.config))

    assert assistant.project()["repository"]["path"] == str(assistant.folder)


@pytest.mark.parametrize("yes", [("--yes",), ()])
def test_what_cannot_be_found_is_one_line_that_names_the_flag(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, yes: tuple[str, ...]
) -> None:
    assistant.git("rm", "-q", "test_agent.py")
    assistant.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "no tests")
    refused(assistant.init(*yes), "no test command was found on branch main", "--test none")

    assistant.database.rename(tmp_path / "away.db")
    refused(assistant.init(*yes), "no table of tasks was found", "--telemetry")

    monkeypatch.chdir(tmp_path)
    refused(assistant.init(*yes), "in no git repository", "--repository")
    assert not assistant.config.exists()


@pytest.mark.parametrize("none", ["none", ""])
def test_a_person_may_go_without_tests(assistant: Assistant, none: str) -> None:
    result = assistant.init("--test", none, "--bare-tests")

    assert "test" not in assistant.project()["verify"]
    assert assistant.project()["verify"]["sandbox"] == "auto"
    assert result.exit_code == 1
    assert "FAIL proof of my-assistant: no test command" in result.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--telemetry", "no.db"), ("no.db", "there is no such file")),
        (("--telemetry", "test_agent.py"), ("test_agent.py", "not an SQLite database")),
        (("--telemetry", "data/assistant.db", "--table", "x"), ("there is no table 'x'", "task runs")),
        (("--table", "x"), ("no table of tasks named 'x'", "there are: task runs")),
        (("--repository", "data"), ("no git repository", "my assistant")),
        (("--repository", "nowhere"), ("nowhere", "no such folder")),
        (("--repository", "~nobody-at-all/x"), ("a user that does not exist",)),
        (("--base", "no\x1b[31m"), ("there is no branch 'no'", "there are: main")),
        (("--name", "a b"), ("'a b' cannot name a project", "--name")),
        (("--config", "test_agent.py/x.toml"), ("x.toml", "cannot be written")),
    ],
)
def test_a_wrong_flag_is_one_clear_line_and_nothing_is_written(
    assistant: Assistant, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    before = sorted(assistant.folder.rglob("*"))

    result = assistant.init(*options)

    lines = [line for line in result.stderr.splitlines() if line.startswith("selfimprover: ")]
    assert (result.exit_code, result.stdout, len(lines)) == (2, "", 1), result.stderr
    for word in words:
        assert word in lines[0]
    assert sorted(assistant.folder.rglob("*")) == before


def test_hostile_names_are_harmless_where_they_are_shown_and_true_where_they_are_written(assistant: Assistant) -> None:
    assistant.database.unlink()
    assistant.database = assistant.folder / "data" / 'a"\x1b]0;title\x07\n[publish]\nmode = "ready"\u202e.db'
    assistant.table = "\x1b[2J'\"\x7f\nmode = 'ready'"
    assistant.record(ERROR, failed="FAILED")

    result = assistant.init("--bare-tests")

    assert result.exit_code == 0, result.stderr + result.stdout
    telemetry = assistant.project()["telemetry"]
    assert (telemetry["path"], telemetry["table"], telemetry["failed"]) == (
        str(assistant.database),
        assistant.table,
        ["FAILED"],
    )
    assert assistant.written()["publish"]["mode"] == "observe"
    for text in (result.stdout, result.stderr, assistant.config.read_text()):
        assert all(line.isprintable() for line in text.splitlines()), text


def test_statuses_that_say_nothing_are_shown_without_secrets(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_TOKEN", "correct-horse-battery")
    assistant.database.unlink()
    assistant.record(ERROR, failed="7 correct-horse-battery")

    result = assistant.init("--yes")

    assert assistant.project()["telemetry"]["failed"] == ["failed"]
    assert "none of its statuses sounds like failure" in result.stderr
    assert "correct-horse" not in result.stderr + result.stdout + assistant.config.read_text()


def test_a_database_that_was_locked_is_told_even_if_another_was_found(assistant: Assistant) -> None:
    other = assistant.folder / "other.db"
    with closing(sqlite3.connect(other, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN EXCLUSIVE")
        result = assistant.init("--yes")

    (line,) = (line for line in result.stderr.splitlines() if line.startswith("passed over"))
    assert str(other) in line
    assert "locked" in line


def test_init_touches_neither_the_database_nor_the_repository_nor_the_state(
    assistant: Assistant, tmp_path: Path
) -> None:
    refs = assistant.git("for-each-ref")
    inside = {path: path.stat().st_mtime_ns for path in assistant.folder.rglob("*")}
    file = tmp_path / "config.toml"

    result = assistant.init("--config", str(file), "--bare-tests", "--state", str(tmp_path / "state"))

    assert result.exit_code == 0, result.stderr
    assert {path: path.stat().st_mtime_ns for path in assistant.folder.rglob("*")} == inside
    assert assistant.git("for-each-ref") == refs
    assert sorted(tmp_path.iterdir()) == sorted([assistant.folder, file])


def test_the_help_names_every_flag_and_loads_nothing_heavy() -> None:
    program = (
        "import sys; from selfimprover.cli.app import app\n"
        "try: app(['init', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'libcst', 'alembic', 'jinja2', 'sqlalchemy', 'aiosqlite'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    flags = ("telemetry", "table", "repository", "base", "test", "name", "state", "bare-tests", "llm", "force", "yes")
    assert not [flag for flag in (*flags, "config", "debug") if f"--{flag}" not in done.stdout]
    assert done.stdout.splitlines()[-1] == "[]"
