"""The demo's folder: the example assistant as a git repository with a short history, and a config file."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import selfimprover
from selfimprover.demo.days import ASSISTANT
from selfimprover.errors import UsageError

_AUTHOR = ("Example assistant", "assistant@example.invalid")
_REVIEWER = ("Example reviewer", "reviewer@example.invalid")
_HISTORY = (
    ("2026-01-12T09:00:00Z", "An assistant that reads mails", None),
    (
        "2026-01-19T09:00:00Z",
        "Poll the inbox over IMAP (#1)",
        ("assistant/imap_poller.py", "tests/test_imap_poller.py"),
    ),
    (
        "2026-01-26T09:00:00Z",
        "Have mails summarised by the gateway (#2)",
        ("assistant/gateway.py", "tests/test_gateway.py"),
    ),
)
"""When, subject, and the files that came with it; the first commit brings all others."""


class Stage:
    """A fresh folder with ``assistant/`` (the repository), ``tasks.db`` and ``config.toml``."""

    def __init__(self, folder: Path) -> None:
        """Raises ``UsageError`` if the folder has anything in it."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError("it is not an empty folder", where=str(folder), mend="name a new folder with --keep")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.repository = self.folder / "assistant"
        self.database = self.folder / "tasks.db"
        self.config = self.folder / "config.toml"

    def set(self, sandbox: str = "none", pull_requests: int = 2) -> None:
        """Copies the assistant, makes its history, writes the configuration.

        ``sandbox`` is what it says of one, ``pull_requests`` how many a night may open.
        """
        shutil.copytree(ASSISTANT, self.repository, ignore=shutil.ignore_patterns("__pycache__"))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "user.name", _AUTHOR[0])
        self._git("config", "user.email", _AUTHOR[1])
        later = [path for _, _, paths in _HISTORY for path in paths or ()]
        for when, subject, paths in _HISTORY:
            self._git("add", "--", *(paths or (".", *(f":!{path}" for path in later))))
            self._git("commit", "--quiet", "-m", subject, when=when)
        self.config.write_text(_config(sandbox, pull_requests), encoding="utf-8")

    def version(self) -> str:
        """The commit that the assistant runs."""
        return self._git("rev-parse", "HEAD").strip()

    def merge(self, branch: str, number: int, title: str, at: datetime) -> None:
        """Merges a pull request the way a person would who found it good."""
        message = f"Merge pull request #{number}: {title}"
        self._git("merge", "--quiet", "--no-ff", "-m", message, branch, when=at.isoformat(), who=_REVIEWER)

    def _git(self, *arguments: str, when: str = "2026-01-12T09:00:00Z", who: tuple[str, str] = _AUTHOR) -> str:
        names = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in zip(("NAME", "EMAIL"), who, strict=True)
        }
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_DATE": when,
            **names,
        }
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=self.repository, env=environment, check=True, capture_output=True, text=True
            )
        except FileNotFoundError as error:
            raise UsageError("git is not installed", where="demo", mend="install git") from error
        except subprocess.CalledProcessError as error:
            raise UsageError(
                f"git {arguments[0]} failed: {error.stderr.strip()}", where=str(self.repository)
            ) from error
        return done.stdout


def test_command() -> str:
    """The command of the assistant's tests: test by test where this Python has pytest, else by exit code."""
    return "python -m pytest -q" if importlib.util.find_spec("pytest") else "python -m unittest -q"


def exposed_folders() -> list[Path]:
    """What the tests must see: this Python's environment, and this package where it lies elsewhere."""
    package = Path(selfimprover.__file__).parent
    prefix = Path(sys.prefix)
    return [prefix] if package.is_relative_to(prefix) else [prefix, package]


def _config(sandbox: str, pull_requests: int) -> str:
    return f"""\
# The configuration that the demo used. `selfimprover check --config FILE` looks at every part of it.
[state]
dir = "state"

[schedule]
timezone = "UTC"

[publish]
mode = "ready"

[limits]
new_pull_requests_per_night = {pull_requests}

[[projects]]
name = "assistant"

[projects.telemetry]
source = "sqlite"
path = "tasks.db"

[projects.repository]
forge = "local"
path = "assistant"
base = "main"

[projects.verify]
test = "{test_command()}"
expose = {json.dumps([str(folder) for folder in exposed_folders()])}
sandbox = "{sandbox}"    # "auto" where this machine has a sandbox; else the example's tests, which are ours, run bare
timeout = "2m"
"""
