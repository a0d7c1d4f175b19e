"""A night on GitHub killed by SIGKILL at any point: the next one leaves one whole pull request for each finding."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fakes.github import FakeGitHub
from tests.integration.hosted import AT, LATER, NEXT, Hosted
from tests.place import AGENT

PROGRAM = Path(__file__).with_name("crashing_night.py")


def night(place: Hosted, at: str, crash_at: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), str(place.config), at, str(crash_at)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def die_at_every_point(
    folder: Path, begin: Callable[[Hosted], object], look: Callable[[Hosted], object], *, at_least: int
) -> None:
    """Holds a night that is killed at its n-th point, and the next one, and looks; for every third n."""

    def die_at(point: int) -> bool:
        with FakeGitHub() as hub:
            (folder / str(point)).mkdir()
            place = Hosted(folder / str(point), hub)
            begin(place)
            killed = night(place, NEXT, point)
            resumed = night(place, LATER)
            assert killed.returncode in {0, -signal.SIGKILL}, f"point {point}: {killed.stderr}"
            assert resumed.returncode == 0, f"point {point}: {resumed.stderr}"
            look(place)
            return killed.returncode != 0

    point = 1
    while die_at(point):
        point += 3  # every point there is dies in ``test_github_life.py``, within one process
    assert point > at_least


def test_a_new_pull_request_is_whole_and_the_only_one(tmp_path: Path) -> None:
    def whole(place: Hosted) -> None:
        (pull,) = place.hosted.pulls.values()
        assert (pull.state, pull.labels, pull.draft) == ("open", ["selfimprover"], False)

    die_at_every_point(tmp_path, lambda place: place.configure(mode="ready"), whole, at_least=12)


def conflicting(place: Hosted) -> None:
    """The pull request of an earlier night does not fit the base any more."""
    place.configure(mode="ready")
    place.finding(AT)
    place.hosted.commit(
        "main", {"agent.py": AGENT.replace("    def run(", "    def stop(self):\n        pass\n\n    def run(")}
    )


def test_a_pull_request_is_made_again_once(tmp_path: Path) -> None:
    def made_again(place: Hosted) -> None:
        (pull,) = place.hosted.pulls.values()
        assert b"def stop(self)" in place.hosted.files(pull.head)["agent.py"]
        assert len(pull.comments) == 1

    die_at_every_point(tmp_path, conflicting, made_again, at_least=8)
