"""``selfimprover check`` shows what the tests would run in, attempt by attempt."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from selfimprover.verification.bare import Bare
from tests.place import Place


def _parts(place: Place, sandbox: str) -> dict[str, dict[str, Any]]:
    place.config.write_text(place.config.read_text().replace('"none"', f'"{sandbox}"'))
    result = place.run("check", "--json")
    found = {one["part"]: one for one in json.loads(result.stdout)}
    assert result.exit_code == int(not all(one["ok"] for one in found.values()))
    return {name: one for name, one in found.items() if name.startswith("sandbox of app")}


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_check_prints_each_attempt_to_get_out_and_the_sandbox(tmp_path: Path) -> None:
    parts = _parts(Place(tmp_path), "auto")

    assert all(one["ok"] for one in parts.values()), parts
    assert parts["sandbox of app"]["what"].startswith("bubblewrap, which shows ")
    assert parts["sandbox of app, ptrace"]["what"] == "refused: Operation not permitted"
    assert len(parts) == 15


def test_check_is_red_where_a_sandbox_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfimprover.verification.choosing.Bubblewrap", Bare)

    parts = _parts(Place(tmp_path), "auto")

    assert not parts["sandbox of app"]["ok"]
    assert not parts["sandbox of app, network, TCP"]["ok"]
    assert 'set sandbox = "none"' in parts["sandbox of app"]["mend"]


def test_a_container_without_an_image_is_told(tmp_path: Path) -> None:
    parts = _parts(Place(tmp_path), "container")

    assert "no image is named" in parts["sandbox of app"]["what"]


def test_none_is_told_as_a_choice(tmp_path: Path) -> None:
    parts = _parts(Place(tmp_path), "none")

    assert parts["sandbox of app"]["what"] == 'careful: none, because sandbox = "none"'
