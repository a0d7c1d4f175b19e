"""A night killed at any point: the next one opens no second pull request and loses no finding.

Real telemetry, real git, real SQLite and a real SIGKILL: after every step of the memory and of the forge.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from selfimprover.bootstrap import open_app
from selfimprover.demo.days import days_before_the_fix, run_day
from selfimprover.demo.stage import Stage

PROGRAM = Path(__file__).with_name("crashing_night.py")
AT = "2026-02-16T00:17:00Z"
LATER = "2026-02-16T00:40:00Z"
QUICK_TEST = "python -c 'import assistant.runner'"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's stage before its first night, with a test command that takes no time."""
    stage = Stage(tmp_path_factory.mktemp("crash") / "template")
    stage.set()
    text = stage.config.read_text()
    command = next(line for line in text.splitlines() if line.startswith("test = "))
    stage.config.write_text(text.replace(command, f'test = "{QUICK_TEST}"'))
    for day in days_before_the_fix():
        asyncio.run(run_day(stage.repository, day, stage.database, stage.version()))
    return stage.folder


def night(folder: Path, at: str, crash_at: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), str(folder / "config.toml"), at, str(crash_at)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def copy(template: Path, to: Path) -> Path:
    shutil.copytree(template, to, symlinks=True)
    return to


@pytest.fixture(scope="module")
def undisturbed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple["Findings", int]:
    """What a night without a crash comes to, and how many points it passes."""
    folder = copy(template, tmp_path_factory.mktemp("undisturbed") / "stage")
    done = night(folder, AT)
    assert done.returncode == 0, done.stderr
    return findings(folder), int(done.stdout)


Findings = dict[str, tuple[str, int | None]]


def findings(folder: Path) -> Findings:
    """Id → state and number of the pull request, as the memory has it."""

    async def read() -> Findings:
        async with open_app(folder / "config.toml").memory() as memory:
            return {
                case.finding.id: (case.state.value, case.pull_request.number if case.pull_request else None)
                for case in await memory.cases()
            }

    return asyncio.run(read())


def pulls(folder: Path) -> Counter[str]:
    """Finding id → how many pull requests the forge has for it."""
    app = open_app(folder / "config.toml")
    (project,) = app.projects()

    async def look() -> Counter[str]:
        async with app.forge(project, app.redactor(b"key"), read_only=True) as forge:
            return Counter(pull.finding_id for pull in await forge.pull_requests(app.instant(LATER)))

    return asyncio.run(look())


def test_killed_at_any_point_it_comes_to_the_same(
    template: Path, undisturbed: tuple[Findings, int], tmp_path: Path
) -> None:
    expected, points = undisturbed
    assert sorted(state for state, _ in expected.values()) == ["diagnosed", "open", "open"]
    assert points >= 3 + 1 + 2 * 6

    def crash_and_resume(point: int) -> None:
        folder = copy(template, tmp_path / str(point))
        killed = night(folder, AT, point)
        resumed = night(folder, LATER)
        assert killed.returncode == -signal.SIGKILL, f"point {point}: {killed.stderr}"
        assert resumed.returncode == 0, f"point {point}: {resumed.stderr}"
        assert findings(folder) == expected, f"point {point}"
        assert pulls(folder) == Counter(found for found, (state, _) in expected.items() if state == "open"), (
            f"point {point}"
        )
        shutil.rmtree(folder)

    with ThreadPoolExecutor(max_workers=2) as pool:
        for _ in pool.map(crash_and_resume, range(1, points + 1)):
            pass


def test_killed_again_and_again_it_comes_to_the_same(
    template: Path, undisturbed: tuple[Findings, int], tmp_path: Path
) -> None:
    expected, _ = undisturbed
    folder = copy(template, tmp_path / "stage")
    for point in (2, 5, 3, 4, 2, 3):
        night(folder, AT, point)

    done = night(folder, LATER)

    assert done.returncode == 0, done.stderr
    assert findings(folder) == expected
    assert pulls(folder).total() == 2
