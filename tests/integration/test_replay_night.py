"""A whole night in which recorded tasks are run again: from the telemetry's column to the pull request."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.place import Place

RUN = """\
import json, sys
import agent

print(agent.Agent().run(), json.load(sys.stdin)["who"])
"""
SECRET = "gh" + "p_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


class Recorded(Place):
    """A project whose tasks can be run again; its telemetry says what each was given."""

    def configure(self, **changes: str) -> None:
        super().configure(**{"mode": "ready", "verify": 'replay = "python run.py"\n', **changes})

    def make_repository(self) -> None:
        super().make_repository()
        (self.repository / "run.py").write_text(RUN)
        self.git("add", "-A")
        self.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "Run one task")

    def give(self, given: str) -> None:
        connection = sqlite3.connect(self.database)
        connection.execute("ALTER TABLE tasks ADD COLUMN input")
        connection.execute("UPDATE tasks SET input = ?", (given,))
        connection.commit()
        connection.close()

    def shown(self) -> dict[str, object]:
        (finding,) = json.loads(self.run("findings", "list", "--json").stdout)
        shown: dict[str, object] = json.loads(self.run("findings", "show", finding["id"], "--json").stdout)
        return shown


@pytest.fixture
def place(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def test_a_replayed_task_counts_and_is_told_wherever_the_proof_is(place: Recorded) -> None:
    place.give('{"who": "someone; touch pwned"}')
    report = place.night()

    shown = place.shown()
    assert shown["verdict"]["replayed"] is True  # type: ignore[index]
    text = "1 recorded task fails on the base as recorded and ends well on the patched tree"
    assert f"replay: passed, {text}" in " ".join(place.run("findings", "show", str(shown["id"])).stdout.split())
    assert any("recorded tasks that fail on the base" in part for part, _ in shown["confidence_parts"])  # type: ignore[attr-defined]
    assert report["findings"][0]["confidence"] == shown["confidence"] == 0.87
    refs = place.git("for-each-ref", "--format=%(refname)", "refs/selfimprover").split()
    assert any(text in place.git("log", "-p", "--format=%B", ref) for ref in refs)


def test_an_input_with_a_secret_is_not_replayed_and_goes_nowhere(place: Recorded) -> None:
    place.give(json.dumps({"who": SECRET}))
    place.night()

    (check,) = [one for one in place.shown()["verdict"]["checks"] if one["name"] == "replay"]  # type: ignore[index]
    assert check["status"] == "skipped"
    assert "had something secret or personal in it" in check["detail"]
    assert all(
        SECRET.encode() not in path.read_bytes() for path in (place.folder / "state").rglob("*") if path.is_file()
    )
