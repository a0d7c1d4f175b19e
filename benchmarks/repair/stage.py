"""A fresh folder for the night of one case: repository, telemetry and configuration. Nothing hidden gets into it."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.repair.casefile import Case
from selfimprover.errors import UsageError
from selfimprover.settings.model import COLUMNS

BASE = "main"
PROJECT = "case"
_AUTHOR = ("-c", "user.name=Case", "-c", "user.email=case@example.invalid")


def set_up(case: Case, folder: Path, sandbox: str) -> Path:
    """Fills ``folder`` and returns its configuration file; raises ``UsageError`` for a case that is not whole."""
    repository = folder / "repository"
    _make_repository(case.tree, repository)
    _record(case, folder / "tasks.db")
    file = folder / "config.toml"
    file.touch(mode=0o600)
    file.write_text(_toml(_configuration(case, folder, repository, sandbox)), encoding="utf-8")
    return file


def lay_over(files: Path, tree: Path) -> None:
    """Copies every file beneath ``files`` to its place in ``tree``."""
    shutil.copytree(files, tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _make_repository(tree: Path, repository: Path) -> None:
    if tree.name == "tree.bundle":
        _git(repository.parent, "clone", "--quiet", str(tree), repository.name)
        _git(repository, "checkout", "--quiet", "-B", BASE)
        return
    if tree.is_dir():
        shutil.copytree(tree, repository, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    else:
        repository.mkdir()
        try:
            with tarfile.open(tree) as archive:
                archive.extractall(repository, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise UsageError(f"it cannot be unpacked: {error}", where=str(tree)) from error
    _git(repository, "init", "--quiet", f"--initial-branch={BASE}")
    _git(repository, "add", "--all", "--force")
    _git(repository, *_AUTHOR, "commit", "--quiet", "-m", "The project as it was when the errors arose")


def _git(folder: Path, *arguments: str) -> None:
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, check=False, capture_output=True, text=True)
    if done.returncode:
        raise UsageError(f"git {arguments[0]} failed: {done.stderr.strip()[-500:]}", where=str(folder))


def _record(case: Case, database: Path) -> None:
    if case.telemetry.suffix == ".db":
        shutil.copyfile(case.telemetry, database)
        return
    connection = sqlite3.connect(database)
    try:
        connection.execute(f"CREATE TABLE tasks ({', '.join(COLUMNS)})")
        places = ", ".join("?" * len(COLUMNS))
        rows = [[_stored(row.get(name)) for name in COLUMNS] for row in case.rows()]
        connection.executemany(f"INSERT INTO tasks VALUES ({places})", rows)  # noqa: S608 - of question marks only
        connection.commit()
    finally:
        connection.close()


def _stored(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _configuration(case: Case, folder: Path, repository: Path, sandbox: str) -> dict[str, Any]:
    project = {
        "name": PROJECT,
        "telemetry": {"path": str(folder / "tasks.db")},
        "repository": {"forge": "local", "path": str(repository), "base": BASE},
        "verify": {"test": case.test, "sandbox": sandbox, "expose": [sys.prefix]},
    }
    document = {
        "state": {"dir": str(folder / "state")},
        "schedule": {"timezone": "UTC"},
        "publish": {"mode": "ready"},
    }
    merged = _merged(project, case.project)
    exposed = merged["verify"]["expose"] if isinstance(merged["verify"], dict) else ()
    if isinstance(exposed, list) and all(isinstance(one, str) for one in exposed):
        merged["verify"]["expose"] = [str(case.folder / one) for one in exposed]
    return {**_merged(document, case.config), "projects": [merged]}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(below.get(name), Mapping)
        merged[name] = _merged(below[name], value) if both else value
    return merged


def _toml(document: Mapping[str, Any]) -> str:
    """One inline value a top-level key: all that a configuration consists of."""
    return "".join(f"{_key(name)} = {_inline(value)}\n" for name, value in document.items())


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_inline(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool | int | float) else _key(str(value))


def _key(name: str) -> str:
    return json.dumps(name)
