"""The temporary folder of a night: gone afterwards, and those of killed nights with the next one."""

import subprocess
import sys
from pathlib import Path

import pytest

from selfimprover.bootstrap.scratch import scratch

HOLD = """
import sys, time
from selfimprover.bootstrap.scratch import scratch
with scratch() as folder:
    (folder / "tree").mkdir()
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_it_is_gone_afterwards(temporary: Path) -> None:
    with scratch() as folder:
        (folder / "tree").mkdir()
        assert folder.parent == temporary

    assert list(temporary.iterdir()) == []


def test_what_a_killed_night_left_is_removed_and_what_a_living_one_has_is_not(temporary: Path) -> None:
    killed, living = (
        subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    folders = []
    for process in (killed, living):
        assert process.stdout is not None
        folders.append(Path(process.stdout.readline().strip()))
    killed.kill()
    killed.wait()
    (temporary / "selfimprover-night-link").symlink_to(temporary)

    with scratch():
        assert [(folder / "tree").exists() for folder in folders] == [False, True]

    living.kill()
    living.wait()
    for process in (killed, living):
        assert process.stdout is not None
        process.stdout.close()
    assert temporary.exists()
