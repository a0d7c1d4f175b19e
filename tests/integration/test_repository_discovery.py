"""A real repository tells its base branch, its remote and its tests, whatever it tries on the way."""

import subprocess
from pathlib import Path

import pytest

from selfimprover.discovery import environment_of, examine, files_of, nearest, telling
from selfimprover.errors import UsageError


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "work")
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")


async def test_the_base_is_the_default_of_origin_then_the_usual_name_then_the_current_branch(repository: Path) -> None:
    commit(repository)
    bases = [(await examine(repository)).base]
    for branch in ("master", "main"):
        git(repository, "branch", branch)
        bases.append((await examine(repository)).base)
    git(repository, "branch", "trunk")
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    bases.append((await examine(repository)).base)

    assert bases == ["work", "master", "main", "trunk"]


async def test_a_default_of_origin_that_is_no_branch_here_is_not_taken(repository: Path) -> None:
    commit(repository)
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")

    found = await examine(repository)

    assert (found.base, found.branches) == ("work", ("work",))


async def test_a_detached_head_still_has_a_first_branch(repository: Path) -> None:
    commit(repository)
    git(repository, "checkout", "-q", "--detach")

    assert (await examine(repository)).base == "work"


async def test_before_the_first_commit_the_base_is_the_branch_to_come(repository: Path) -> None:
    found = await examine(repository)

    assert (found.base, found.branches) == ("work", ())
    assert await files_of(repository, "work", telling) == {}


async def test_the_remote_is_told_without_its_secrets(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://user:ghp_s3cret@github.com/acme/assistant.git")

    found = await examine(repository)

    assert found.remote is not None
    assert found.remote.github == "acme/assistant"
    assert "s3cret" not in repr(found)


async def test_a_bare_repository_serves_too(repository: Path, tmp_path: Path) -> None:
    (repository / "pytest.ini").write_text("[pytest]\n")
    commit(repository)
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")

    found = await examine(tmp_path / "bare.git")

    assert (found.base, found.remote) == ("work", None)
    assert list(await files_of(found.folder, "work", telling)) == ["pytest.ini"]


async def test_what_is_no_repository_is_said_with_the_one_above_it(repository: Path, tmp_path: Path) -> None:
    (repository / "src").mkdir()

    with pytest.raises(UsageError, match="no git repository") as inside:
        await examine(repository / "src")
    with pytest.raises(UsageError, match="no git repository") as outside:
        await examine(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        await examine(tmp_path / "missing")

    assert str(repository) in inside.value.mend
    assert "git init" in outside.value.mend
    assert nearest(repository / "src") == repository


async def test_only_committed_plain_files_of_the_branch_are_read(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("[tool.pytest.ini_options]\n")
    (repository / "pyproject.toml").symlink_to(tmp_path / "secret")
    (repository / "tox.ini").write_text("[pytest]\n" + "#" * 300_000)
    (repository / "setup.cfg").write_text("[tool:pytest]\n")
    commit(repository)
    (repository / "setup.cfg").write_text("changed since\n")
    (repository / "pytest.ini").write_text("new\n")

    files = await files_of(repository, "work", telling)

    assert files == {"tox.ini": "", "setup.cfg": "[tool:pytest]\n"}


async def test_a_hostile_repository_runs_nothing(repository: Path, tmp_path: Path) -> None:
    touch = f"touch {tmp_path / 'ran'}"
    (repository / "pytest.ini").write_text("[pytest]\n")
    (repository / ".gitattributes").write_text("* filter=evil diff=evil\n")
    commit(repository)
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "filter.evil.smudge", "diff.evil.textconv"):
        git(repository, "config", name, touch)
    git(repository, "config", "remote.origin.url", f"ext::sh -c '{touch}'")

    found = await examine(repository)
    files = await files_of(repository, "work", telling)

    assert (found.base, found.remote) == ("work", None)
    assert files["pytest.ini"] == "[pytest]\n"
    assert not (tmp_path / "ran").exists()


def test_a_virtual_environment_counts_only_with_a_python_in_it(repository: Path) -> None:
    (repository / ".venv").mkdir()
    assert environment_of(repository) is None
    (repository / "venv" / "bin").mkdir(parents=True)
    (repository / "venv" / "bin" / "python").touch()
    assert environment_of(repository) == repository / "venv"
