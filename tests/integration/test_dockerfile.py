"""The image and the example for compose: in step with the program, the requirements and the page about them."""

import re
import signal
import subprocess
import tomllib
from datetime import timedelta
from pathlib import Path, PurePosixPath

import typer

from selfimprover.cli.app import app
from selfimprover.daemon import KEPT_BACK
from selfimprover.daemon.service import GRACE
from selfimprover.settings import Settings, load
from selfimprover.settings.load import SECRET_FILES

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = (ROOT / "compose.example.yaml").read_text()
PAGE = (ROOT / "docs" / "docker.md").read_text()


def instruction(name: str) -> str:
    """The only line of the Dockerfile that begins with that word, without it."""
    (found,) = re.findall(rf"^{name} +(.*)$", DOCKERFILE, re.MULTILINE)
    return str(found)


def words(form: str) -> list[str]:
    """A command in exec form."""
    return re.findall(r'"([^"]*)"', form)


def mounts() -> dict[str, bool]:
    """Folder in the container → whether it can be written."""
    found = re.findall(r"^      - [^:\s]+:(/[^:\s]+)(:ro)?$", COMPOSE, re.MULTILINE)
    return {folder: not read_only for folder, read_only in found}


def test_everything_that_is_copied_exists_and_is_let_through() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    allowed = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert all((ROOT / name).exists() for name in copied)
    assert sorted(allowed) == sorted(copied)


def test_what_builds_the_project_comes_whole_and_at_its_hashes() -> None:
    (script,) = re.findall(r"sed -n '([^']*)'", DOCKERFILE)
    chosen = subprocess.run(
        ["sed", "-n", script, ROOT / "requirements-dev.txt"], check=True, capture_output=True, text=True
    ).stdout
    locked = re.split(r"^(?=\S.*==)", (ROOT / "requirements-dev.txt").read_text(), flags=re.MULTILINE)
    needed = [
        block
        for block in locked
        if block.startswith("hatchling==") or re.search(r"#.* hatchling$", block, re.MULTILINE)
    ]

    names = re.findall(r"^(\S+)==", chosen, re.MULTILINE)
    assert names == [block.partition("==")[0] for block in needed]
    assert chosen.count("--hash=") == sum(block.count("--hash=") for block in needed)


def test_the_python_of_the_image_is_one_that_the_project_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (image,) = re.findall(r"^ARG PYTHON=python:3\.(\d+)-slim", DOCKERFILE, re.MULTILINE)

    assert int(image) >= int(project["requires-python"].removeprefix(">=3."))


def test_nothing_runs_as_root_and_the_state_is_on_the_volume() -> None:
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", instruction("USER"))
    assert f"STATE_DIRECTORY={instruction('VOLUME')}" in DOCKERFILE
    assert mounts()[instruction("VOLUME")]


def test_the_commands_of_the_image_exist() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    health = words(instruction("HEALTHCHECK").partition("CMD")[2])
    used = re.findall(r"exec selfimprover selfimprover (\w+)|run --rm selfimprover (\w+)", PAGE)

    assert words(instruction("ENTRYPOINT"))[-1] == health[0] == "selfimprover"
    assert {health[1], *words(instruction("CMD")), *(one or other for one, other in used)} <= known
    assert len(used) > 3


def test_signals_wait_until_the_daemon_unblocks_them() -> None:
    entry = words(instruction("ENTRYPOINT"))
    blocked = {signal.Signals[f"SIG{part.partition('=')[2]}"] for part in entry if part.startswith("--block-signal=")}

    # TERM and INT stay: the other commands know nothing of blocked signals, and must end when they are told to
    assert blocked == set(KEPT_BACK) - {signal.SIGTERM, signal.SIGINT}
    assert entry[0] == "env", "tini hands on what it was given, so it comes after"
    assert signal.Signals[instruction("STOPSIGNAL")] in KEPT_BACK


def test_a_new_container_has_time_until_its_first_night() -> None:
    (hours,) = re.findall(r"--start-period=(\d+)h", instruction("HEALTHCHECK"))

    assert timedelta(hours=int(hours)) > timedelta(days=1) - Settings().schedule.catch_up


def test_compose_leaves_a_night_the_time_to_end() -> None:
    (seconds,) = re.findall(r"stop_grace_period: (\d+)s", COMPOSE)

    assert int(seconds) > 2 * GRACE


def test_compose_names_every_secret_that_may_be_a_file() -> None:
    assert mounts()["/run/secrets"] is False
    assert all(name in COMPOSE for name in SECRET_FILES)


def test_the_configuration_of_the_page_fits_the_mounts(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(\[\[projects\]\].*?)```", PAGE, re.DOTALL)
    (tmp_path / "config.toml").write_text(block)
    settings, _ = load(tmp_path / "config.toml")
    (project,) = settings.projects
    places = mounts()
    repository = PurePosixPath(str(project.repository.path))

    assert places[str(project.telemetry.path.parent)] is False
    assert places[str(repository)] is False
    assert all(places[str(repository / ".git" / name)] for name in ("objects", "refs", "logs"))
    assert project.verify.sandbox == "none"
    (config,) = re.findall(r"SELFIMPROVER_CONFIG=(\S+)", DOCKERFILE)
    assert places[str(PurePosixPath(config).parent)] is False
