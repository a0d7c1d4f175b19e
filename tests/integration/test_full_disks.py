"""A disk that is full, read-only or under a quota, at every write of a night: said in one line, resumed later.

Every size of a small file system of its own is a night that fails at another write.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_daemon import LONG_AGO, Systemd, hour, running
from tests.place import AT, Place

KILOBYTE = 1024
PLENTY = 64 * KILOBYTE * KILOBYTE
SIZES = {
    "state": (0, 16, 128, 200, 280, 400, 560, 700),
    "repository": (0, 4, 8, 16, 32, 64),
    "temporary": (0, 4, 8, 16),
}
"""Kilobytes that are left to each part."""


def mounts() -> str | None:
    """Why no file system can be mounted here; ``None`` if one can."""
    if os.geteuid() != 0:
        return "mounting a small file system needs root"
    probe = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return None if probe.returncode == 0 else f"no file system can be mounted: {probe.stderr.strip()}"


needs_mounts = pytest.mark.skipif(mounts() is not None, reason=mounts() or "")


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of ``size`` bytes at ``folder``."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def make(folder: Path) -> Place:
    folder.mkdir(exist_ok=True)
    place = Place(folder)
    place.configure(mode="ready")
    return place


def night(place: Place, *, at: str = AT, temporary: Path | None = None, limit: int | None = None) -> Any:
    quota = ["prlimit", f"--fsize={limit}"] if limit else []
    command = [
        *quota,
        sys.executable,
        "-m",
        "selfimprover",
        "night",
        "--at",
        at,
        "--json",
        "--config",
        str(place.config),
    ]
    environment = {**os.environ, **({"TMPDIR": str(temporary)} if temporary else {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


def findings(done: Any) -> list[tuple[str, int | None]]:
    assert done.returncode == 0, done.stderr
    return [(one["state"], one["pr_number"]) for one in json.loads(done.stdout)["findings"]]


def is_said_in_one_line(done: Any) -> None:
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    if done.returncode == 1:
        errors = json.loads(done.stdout)["errors"]
        assert errors, done.stderr
        assert not any("unexpected" in error["what"] for error in errors), errors
        assert lines == []
    else:
        assert done.returncode == 2, (done.returncode, done.stderr)
        assert len(lines) == 1, lines
        assert "→" in lines[0]
    assert "Traceback" not in done.stderr


@needs_mounts
@pytest.mark.parametrize("what", ["state", "repository", "temporary"])
def test_a_full_disk_at_any_write_loses_nothing(tmp_path: Path, what: str) -> None:
    """The disk of one part is filled by and by: each size lets one more write succeed."""
    expected = findings(night(make(tmp_path / "undisturbed")))
    assert expected == [("open", 1)]

    def fails_then_ends(size: int) -> bool:
        base = tmp_path / str(size)
        base.mkdir()
        with small_disk(base / "disk", PLENTY) as disk:
            place = make(base / "place")
            temporary = None
            if what == "state":
                (place.folder / "state").symlink_to(disk)
            elif what == "repository":
                shutil.move(place.repository, disk / "repo")
                place.repository.symlink_to(disk / "repo")
            else:
                temporary = disk
            used = sum(path.stat().st_blocks * 512 for path in disk.rglob("*"))
            remount(disk, f"size={used + size or 1}")
            first = night(place, temporary=temporary)
            if first.returncode:
                is_said_in_one_line(first)
            remount(disk, f"size={PLENTY}")
            second = night(place, at="2026-02-16T00:40:00Z", temporary=temporary)
            assert findings(second) == expected, (size, second.stdout)
            return bool(first.returncode)

    sizes = [kilobytes * KILOBYTE for kilobytes in SIZES[what]]
    with ThreadPoolExecutor(max_workers=2) as pool:
        failed = list(pool.map(fails_then_ends, sizes))

    assert any(failed)


@needs_mounts
def test_a_read_only_disk_is_said_and_the_night_is_held_once_it_can_be_written(tmp_path: Path) -> None:
    place = make(tmp_path / "place")
    with small_disk(tmp_path / "disk", PLENTY) as disk:
        (place.folder / "state").symlink_to(disk)
        for when in ("before anything is there", "after a night"):
            remount(disk, "ro")
            refused = night(place, at="2026-02-17T00:17:00Z")
            assert refused.returncode == 2, when
            is_said_in_one_line(refused)
            remount(disk, "rw")
            assert findings(night(place)) == [("open", 1)], when


@pytest.mark.parametrize("limit", [1, 8, 40, 80, 160, 240])
def test_a_quota_on_files_is_said_and_the_night_is_held_without_it(tmp_path: Path, limit: int) -> None:
    place = make(tmp_path / "place")

    cut_short = night(place, limit=limit * KILOBYTE)

    if limit < 100:
        assert cut_short.returncode != 0
    if cut_short.returncode:
        is_said_in_one_line(cut_short)
    assert findings(night(place, at="2026-02-16T00:40:00Z")) == [("open", 1)]


@needs_mounts
def test_a_daemon_on_a_full_disk_lives_on_and_says_why_there_was_no_night(tmp_path: Path) -> None:
    place = make(tmp_path / "place")
    place.configure(at=hour(LONG_AGO))
    systemd = Systemd(tmp_path / "notify")
    with small_disk(tmp_path / "disk", PLENTY) as disk:
        (place.folder / "state").symlink_to(disk)
        ballast = disk / "ballast"
        with running(place, systemd) as daemon:
            daemon.ready()
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(KILOBYTE))
            daemon.send(signal.SIGUSR1)
            failed = daemon.told("night.failed")
            systemd.hears("trouble: ")
            ballast.unlink()
            assert place.run("trigger", "--wait").exit_code == 0
            assert daemon.stop() == 0
    systemd.close()

    assert "disk is full" in failed["what"]
    assert failed["mend"]
