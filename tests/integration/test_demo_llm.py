"""The demo with a language model: a scripted one on loopback drafts what no recipe mends."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.model import completion, model_server

KEY = "sk-thisIsTheKeyOfTheTests0123456789abcdef"
ANSWER = """\
ROOT CAUSE: _remind takes the minutes of every event, but a whole-day event has none.
EVIDENCE:
- assistant/runner.py:1: the key is indexed
TITLE: Remind of whole-day events
SUMMARY: a reminder without minutes for whole-day events
EFFECT: An event without minutes is reminded of as one of today instead of raising KeyError.
RISK: defensive-check
MAY HIDE:
- An event that lost its minutes on the way is no longer noticed here.
CHANGES:
assistant/runner.py
<<<<<<< SEARCH
        log.info("%s begins in %d minutes", task["event"], task["minutes"])
=======
        if "minutes" in task:
            log.info("%s begins in %d minutes", task["event"], task["minutes"])
        else:
            log.info("%s is today", task["event"])
>>>>>>> REPLACE
TEST:
tests/test_whole_day_events.py
<<<<<<< SEARCH
=======
import unittest

from assistant.runner import Runner


class WholeDayEvents(unittest.IsolatedAsyncioTestCase):
    async def test_they_are_reminded_of_without_minutes(self) -> None:
        with self.assertLogs("assistant", "INFO") as logs:
            await Runner(None, None, None, None)._remind({"event": "Public holiday"})
        self.assertIn("Public holiday is today", logs.output[0])
>>>>>>> REPLACE
"""


async def demo(*arguments: object, folder: Path) -> tuple[int, str, str]:
    """The command as a person runs it in ``folder``: its exit code, and what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "selfimprover", *map(str, arguments)),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def test_the_model_drafts_what_no_recipe_mends_and_all_else_is_as_without(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    async with model_server(completion(ANSWER)) as server:
        (tmp_path / "config.toml").write_text(
            f'[llm]\nmodel = "m-1"\nbase_url = "{server.url}"\napi_key = "{KEY}"\n[state]\nnothing = "looked at"\n'
        )
        (tmp_path / "config.toml").chmod(0o600)
        code, output, errors = await demo("demo", "--llm", "--keep", kept, folder=tmp_path)

    assert code == 0, errors
    assert len(server.asked) == 1, "the others are recipes' or nobody's to mend"
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    first, second = [await report(kept, night) for night in ("2026-02-16", "2026-02-17")]
    assert {one["error_type"]: one["state"] for one in first["findings"]} == {
        "KeyError": "open",
        "TimeoutError": "open",
        "AttributeError": "open",
        "GatewayTimeout": "diagnosed",
    }
    assert [pull["number"] for pull in first["pull_requests"]] == [3, 4, 5]
    assert first["usage"]["llm_calls"] == 1
    assert {pull["state"] for pull in second["pull_requests"]} == {"merged"}
    shown = " ".join(output.split())
    assert "Where no recipe applies, m-1 drafts" in shown
    assert "Remind of whole-day events" in shown
    assert KEY not in output + errors
    assert not [file for file in kept.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]


async def report(kept: Path, night: str) -> Any:
    config = kept / "config.toml"
    _, output, _ = await demo("report", "--night", night, "--json", "--config", config, folder=kept)
    return json.loads(output)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "no language model is named: [llm] model is missing"),
        ("[llm]\nenabled = false\nmodel = 'm-1'\n", "[llm] enabled = false switches the model off"),
        ("[llm]\nmodle = 'm-1'\n", "'modle' is not known; did you mean 'model'?"),
        ("[llm]\nmax_cost_per_night = 1.0\nmodel = 'm-1'\n", "max_cost_per_night needs price_per_million"),
    ],
)
async def test_what_is_missing_for_a_model_is_one_clear_line(config: str | None, said: str, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.toml").write_text(config)

    code, output, errors = await demo("demo", "--llm", folder=tmp_path)

    assert (code, output) == (2, "")
    assert said in errors
    assert len(errors.splitlines()) == 1
