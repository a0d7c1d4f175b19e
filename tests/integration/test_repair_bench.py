"""The repair benchmark end to end: real nights, a scripted model over HTTP, and the verdict of hidden tests."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.repair.judging import Results, Sought, Status, judged, no_pull_request, sought
from selfimprover.domain import State
from tests.fakes.model import ModelServer, completion, model_server

ROOT = Path(__file__).parents[2]
RUN = ROOT / "benchmarks" / "repair" / "run.py"
CASES = ROOT / "benchmarks" / "repair" / "cases"
KEY = "sk-thisIsTheKeyOfTheTests0123456789abcdef"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 400}}
FORM = """\
ROOT CAUSE: It is as it is.
EVIDENCE:
- {path}:1: it is
TITLE: Mend what fails
SUMMARY: a mended failure
EFFECT: It does not fail any more.
RISK: logic
MAY HIDE:
- nothing
CHANGES:
{path}
<<<<<<< SEARCH
{before}
=======
{after}
>>>>>>> REPLACE
TEST:
tests/test_reported.py
<<<<<<< SEARCH
=======
import unittest

{test}
>>>>>>> REPLACE
"""
RIGHT = FORM.format(
    path="assistant/weather.py",
    before='    return {day["date"]: day["rain"]["mm"] for day in answer["days"]}',
    after='    return {day["date"]: day["rain"]["mm"] if "rain" in day else 0.0 for day in answer["days"]}',
    test="""from assistant.weather import forecast


class Reported(unittest.TestCase):
    def test_a_day_without_rain_is_dry(self):
        self.assertEqual(forecast({"days": [{"date": "a"}]}), {"a": 0.0})""",
)
HALF = FORM.format(
    path="assistant/plan.py",
    before="    plan = json.loads(answer[start:])",
    after='    plan = json.loads(answer[start : answer.rfind("}") + 1])',
    test="""from assistant.plan import read_plan


class Reported(unittest.TestCase):
    def test_words_after_the_plan_do_not_matter(self):
        self.assertEqual(read_plan('{"steps": ["a"]}\\\\n\\\\nThat is all.'), ["a"])""".replace("\\\\n", "\\n"),
)
WRONG = FORM.format(
    path="assistant/mailer.py",
    before="    contact = contacts.find(name)",
    after='    contact = contacts.find(name)\n    if contact is None:\n        return f"To: {name}"',
    test="""from assistant.contacts import Contacts
from assistant.mailer import address_line


class Reported(unittest.TestCase):
    def test_a_name_that_is_not_known_is_written_as_it_is(self):
        self.assertEqual(address_line(Contacts([]), "Eve"), "To: Eve")""",
)
CANNOT = "CANNOT FIX: it cannot be told what the caller should get"
NOT_CODE = "NOT A CODE PROBLEM: the office's server hangs up\nOWNER: the office\nWATCH: how often it does"
SCRIPT = {
    "key-missing-in-answer": RIGHT,
    "json-with-trailing-text": HALF,
    "none-from-a-lookup": WRONG,
    "retry-that-gives-nothing": CANNOT,
    "calendar-server-down": NOT_CODE,
    "gateway-answers-503": None,
}
"""What the model says to each case, in their order; nothing where it must not be asked."""


async def run(*arguments: object) -> tuple[int, str, str]:
    """The command: its exit code, and what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(RUN), *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def configure(folder: Path, server: ModelServer) -> Path:
    file = folder / "model.toml"
    file.write_text(
        f'[llm]\nmodel = "m-1"\nbase_url = "{server.url}"\napi_key = "{KEY}"\n'
        "price_per_million = { prompt = 1.0, cached = 0.5, completion = 5.0 }\n[projects]\nthat = 'is not looked at'\n"
    )
    file.chmod(0o600)
    return file


async def test_every_answer_gets_the_status_that_hidden_tests_give_it(tmp_path: Path) -> None:
    names = [part for name in SCRIPT for part in ("--case", name)]
    answers = [completion(text, usage=USAGE) for text in SCRIPT.values() if text is not None]
    kept = tmp_path / "kept"
    async with model_server(*answers) as server:
        config = configure(tmp_path, server)
        code, output, errors = await run(
            CASES, "--sandbox", "none", "--config", config, "--keep", kept, "--json", *names
        )

    assert code == 0, errors
    found = json.loads(output)
    assert [(one["name"], one["status"], one["right"]) for one in found["cases"]] == [
        ("key-missing-in-answer", "resolved", True),
        ("json-with-trailing-text", "plausible", False),
        ("none-from-a-lookup", "wrong", False),
        ("retry-that-gives-nothing", "parked", False),
        ("calendar-server-down", "parked", True),
        ("gateway-answers-503", "parked", True),
    ], output
    costs_are_those_of_the_calls(found)
    assert "it cannot be told what the caller should get" in by_name(found, "retry-that-gives-nothing")["reason"]
    assert by_name(found, "calendar-server-down")["state"] == "diagnosed"
    nothing_hidden_was_shown(server, kept)
    assert KEY not in output + errors
    assert not [file for file in kept.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]


def by_name(found: Any, name: str) -> Any:
    return next(one for one in found["cases"] if one["name"] == name)


def costs_are_those_of_the_calls(found: Any) -> None:
    one = by_name(found, "key-missing-in-answer")
    assert (one["drafter"], one["rounds"]) == ("llm:m-1", 1)
    assert one["use"] == {
        "calls": 1,
        "prompt_tokens": 1000,
        "cached_tokens": 400,
        "completion_tokens": 200,
        "cost_usd": pytest.approx(0.0018),
    }
    asked_nothing = by_name(found, "gateway-answers-503")
    assert (asked_nothing["use"]["calls"], asked_nothing["drafter"]) == (0, "")
    counts = {"resolved": 1, "plausible": 1, "parked": 3, "wrong": 1, "failed": 0, "right": 3}
    assert found["sum"].items() >= counts.items()
    assert (found["sum"]["calls"], found["sum"]["prompt_tokens"]) == (5, 5000)
    assert found["sum"]["cost_usd"] == pytest.approx(0.009)


def nothing_hidden_was_shown(server: ModelServer, kept: Path) -> None:
    told = "\n".join(json.dumps(asked.body) for asked in server.asked)
    assert len(server.asked) == 5
    assert "test_weather" in told or "Weather" in told, "the visible tests may be shown"
    assert "test_hidden" not in told
    assert "WithoutRain" not in told
    assert "DryDays" not in told
    assert not list(kept.glob("*/repository/**/test_hidden*"))


async def test_without_a_model_recipes_alone_draft_and_a_broken_case_stops_no_other(tmp_path: Path) -> None:
    for name in ("import-that-was-forgotten", "gateway-answers-503"):
        shutil.copytree(CASES / name, tmp_path / "cases" / name)
    (tmp_path / "cases" / "broken").mkdir()
    (tmp_path / "cases" / "broken" / "case.toml").write_text("expected = 'patch'\n")
    torn = tmp_path / "cases" / "a-torn-archive"
    shutil.copytree(CASES / "average-of-nothing", torn, ignore=shutil.ignore_patterns("tree"))
    (torn / "tree.tar.gz").write_bytes(b"no archive")

    code, output, _ = await run(tmp_path / "cases", "--sandbox", "none", "--at-once", 2)

    assert code == 1
    assert "model: none, so recipes alone drafted" in output
    for line in (
        "| broken | failed | no |",
        "| a-torn-archive | failed | no |",
        "| gateway-answers-503 | parked | yes |",
        "| import-that-was-forgotten | resolved | yes | recipe:missing-import |",
        "1 resolved, 0 plausible, 1 parked, 0 wrong, 2 failed",
    ):
        assert line in output


async def test_a_tree_may_be_an_archive_or_a_git_bundle(tmp_path: Path) -> None:
    for name in ("archive", "bundle"):
        case = tmp_path / "cases" / name
        shutil.copytree(CASES / "import-that-was-forgotten", case)
    tree = tmp_path / "cases" / "archive" / "tree"
    shutil.make_archive(str(tree), "gztar", tree)
    shutil.rmtree(tree)
    tree = tmp_path / "cases" / "bundle" / "tree"
    for arguments in (
        ("init", "-q", "-b", "trunk"),
        ("add", "-A"),
        ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "begin"),
        ("bundle", "create", "-q", str(tree) + ".bundle", "trunk", "HEAD"),
    ):
        done = await asyncio.create_subprocess_exec("git", "-C", str(tree), *arguments)
        assert await done.wait() == 0
    shutil.rmtree(tree)

    code, output, errors = await run(tmp_path / "cases", "--sandbox", "none", "--at-once", 2, "--no-model", "--json")

    assert code == 0, output + errors
    assert [one["status"] for one in json.loads(output)["cases"]] == ["resolved", "resolved"], output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "there is no such folder"),
        (["."], "there is no case in it"),
        ([str(CASES), "--case", "nothing"], "there is no case 'nothing'"),
        ([str(CASES), "--config", "nowhere.toml"], "it cannot be read"),
        ([str(CASES), "--at", "soon"], "'soon' is no instant"),
    ],
)
async def test_wrong_use_is_one_clear_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    code, output, errors = await run(*arguments)

    assert (code, output) == (2, "")
    assert said in errors
    assert len(errors.splitlines()) == 1


# --- the definitions ----------------------------------------------------------------------------------------------

WANTED = Sought(mend=frozenset({"a", "b"}), keep=frozenset({"k"}))


def after(*passed: str) -> Results:
    return Results(frozenset(passed), frozenset({"a", "b", "k"}) - set(passed))


@pytest.mark.parametrize(
    ("passed", "status"),
    [
        ("abk", Status.RESOLVED),
        ("ak", Status.PLAUSIBLE),
        ("k", Status.WRONG),
        ("ab", Status.WRONG),
        ("", Status.WRONG),
    ],
)
def test_a_pull_request_is_worth_what_hidden_tests_say(passed: str, status: Status) -> None:
    assert judged("patch", proven=True, wanted=WANTED, patched=after(*passed))[0] is status


def test_what_was_not_proven_or_not_wanted_is_wrong_whatever_passes() -> None:
    assert judged("patch", proven=False, wanted=WANTED, patched=after("a", "b", "k"))[0] is Status.WRONG
    assert judged("no patch", proven=True, wanted=WANTED, patched=after("a", "b", "k"))[0] is Status.WRONG


def test_only_an_answer_is_right_where_nothing_should_be_changed() -> None:
    assert no_pull_request("no patch", State.DIAGNOSED) == (Status.PARKED, True)
    assert no_pull_request("no patch", State.FOUND) == (Status.PARKED, False)
    assert no_pull_request("patch", State.DIAGNOSED) == (Status.PARKED, False)


def test_tests_that_are_red_anyway_ask_nothing_of_a_fix() -> None:
    base = Results(frozenset({"k", "x"}), frozenset({"a", "red"}))
    fixed = Results(frozenset({"k", "a"}), frozenset({"red", "x"}))

    assert sought(base, fixed) == Sought(frozenset({"a"}), frozenset({"k"}))
    assert sought(base, None, ["a"]).mend == {"a"}
    assert sought(base).mend == {"a", "red"}
