"""A project of a user, for tests of the command line and the daemon: repository, telemetry, configuration."""

import json
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from selfimprover.cli.app import app
from tests.builders import NIGHT

RUNNER = CliRunner()
AT = "2026-02-16T00:17:00Z"
BUG = "AttributeError: 'Agent' object has no attribute 'limit'"
AGENT = """\
class Settings:
    def __init__(self):
        self.limit = None


class Agent:
    def __init__(self):
        self.settings = Settings()

    def run(self):
        return self.limit
"""
TRACEBACK = f"""\
Traceback (most recent call last):
  File "/srv/app/agent.py", line 11, in run
    return self.limit
{BUG}
"""
TEST = """\
import unittest

import agent


class Runs(unittest.TestCase):
    def test_settings(self):
        self.assertIsNone(agent.Settings().limit)
"""


class Place:
    """A project of a user: a repository, a telemetry database and a config file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "tasks.db"
        self.repository = folder / "repo"
        self.config = folder / "config.toml"
        self.configure()
        self.make_repository()
        self.record(BUG, BUG)

    def configure(
        self,
        *,
        mode: str = "observe",
        extra: str = "",
        telemetry: str = "",
        test: str = "python -m unittest -q",
        at: str = "00:17",
        verify: str = "",
    ) -> None:
        self.config.write_text(
            f'[state]\ndir = "state"\n[schedule]\ntimezone = "UTC"\nat = "{at}"\n[publish]\nmode = "{mode}"\n{extra}\n'
            f'[[projects]]\nname = "app"\n[projects.telemetry]\npath = "tasks.db"\n{telemetry}\n'
            '[projects.repository]\nforge = "local"\npath = "repo"\n'
            f'[projects.verify]\ntest = "{test}"\nsandbox = "none"\nexpose = ["{sys.prefix}"]\n{verify}'
        )

    def make_repository(self) -> None:
        self.repository.mkdir()
        (self.repository / "agent.py").write_text(AGENT)
        (self.repository / "test_agent.py").write_text(TEST)
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "begin")

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def record(
        self,
        *errors: object,
        columns: str = "id, status, error, created_at, traceback",
        before: datetime = NIGHT,
        trace: str = TRACEBACK,
    ) -> None:
        """Failed tasks with these errors, an hour apart, and as many that went well."""
        connection = sqlite3.connect(self.database)
        connection.execute(f"CREATE TABLE IF NOT EXISTS tasks ({columns})")
        for number, error in enumerate(errors):
            at = (before - timedelta(hours=number + 1)).isoformat()
            traceback = trace if str(error) in trace else None
            connection.execute("INSERT INTO tasks VALUES (?, 'failed', ?, ?, ?)", (f"f{number}", error, at, traceback))
            connection.execute("INSERT INTO tasks VALUES (?, 'done', NULL, ?, NULL)", (f"d{number}", at))
        connection.commit()
        connection.close()

    def run(self, *arguments: str) -> Result:
        return RUNNER.invoke(app, [*arguments, "--config", str(self.config)])

    def night(self, *options: str, at: str = AT) -> Any:
        result = self.run("night", "--at", at, "--json", *options)
        assert result.exit_code in {0, 1}, result.stderr
        return json.loads(result.stdout)
