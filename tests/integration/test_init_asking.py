"""``selfimprover init`` on a real terminal: it asks with what it found, and asks before anything could leave."""

import atexit
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_init import ERROR, Assistant

ENTER = ""
CTRL_C, CTRL_D = "\x03", "\x04"
PATIENCE = 30
QUESTIONS = (
    "The assistant's git repository",
    "The SQLite file with its tasks",
    "Its base branch",
    "Its test command",
    "What reports call it",
    "There is no sandbox here",
    "Let a language model draft fixes",
)
FLAGS = {
    "--repository": ".",
    "--telemetry": "data/assistant.db",
    "--base": "main",
    "--test": "true",
    "--name": "mine",
}


class Terminal:
    """A person before a terminal on which a command runs."""

    def __init__(self, side: int, process: "subprocess.Popen[bytes]") -> None:
        self._side = side
        self._process = process
        self.shown = ""

    def answer(self, question: str, text: str) -> None:
        """Waits until the question stands there, and types a line."""
        self.press(f"{text}\n", at=question)

    def press(self, keys: str, *, at: str) -> None:
        """Presses keys where the question stands."""
        while at not in self.shown.rpartition("\n")[2]:
            assert self._read(), f"{at!r} was not asked:\n{self.shown}"
        self.shown += "\n"
        os.write(self._side, keys.encode())

    def break_off(self, key: str, *, at: str) -> None:
        """Presses a key until it is heard: a signal just before the program begins to read is not seen by Python."""
        self.press(key, at=at)
        while "interrupted" not in self.shown:
            if not self._read(within=2):
                assert self._process.poll() is None, self.shown
                os.write(self._side, key.encode())

    def end(self) -> int:
        """The exit code, after everything is shown."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def _read(self, within: float = PATIENCE) -> bool:
        ready, _, _ = select.select([self._side], [], [], within)
        try:
            piece = os.read(self._side, 65536) if ready else b""
        except OSError:  # what a terminal says once nobody is left on its other side
            piece = b""
        self.shown += piece.decode("utf-8", "replace").replace("\r", "")
        return bool(piece)


@cache
def without_bubblewrap() -> str:
    """A PATH of everything that this machine has, but no sandbox."""
    folder = Path(tempfile.mkdtemp(prefix="no-sandbox-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*"):
            if program.name != "bwrap":
                link = folder / program.name
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    return str(folder)


@contextmanager
def terminal(folder: Path, *options: str, sandbox: bool = False) -> Iterator[Terminal]:
    """With a machine that has no sandbox, unless it may have one."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "selfimprover", "init", *options]
    environment = {**os.environ, "TERM": "dumb", "PYTHONPATH": str(Path(__file__).parents[2])}
    if not sandbox:
        environment["PATH"] = without_bubblewrap()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command],
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    made = Assistant(tmp_path / "app")
    made.build()
    return made


def written(assistant: Assistant) -> Any:
    return tomllib.loads(assistant.config.read_text())


def test_enter_takes_what_was_found_and_leaves_off_what_would_leave_the_machine(assistant: Assistant) -> None:
    with terminal(assistant.folder) as person:
        for question in QUESTIONS:
            person.answer(question, ENTER)
        code = person.end()

    assert code == 1, person.shown
    document = written(assistant)
    (project,) = document["projects"]
    assert project["telemetry"]["path"] == str(assistant.database)
    assert (project["repository"]["base"], project["verify"]["test"]) == ("main", "python3 -m unittest")
    assert (project["name"], project["verify"]["sandbox"]) == ("app", "auto")
    assert document["llm"]["enabled"] is False


def test_what_is_typed_goes_into_the_file(assistant: Assistant) -> None:
    assistant.git("branch", "next")
    answers = (ENTER, ENTER, "next", "true", "mine", "y", "y")
    with terminal(assistant.folder) as person:
        for question, answer in zip(QUESTIONS, answers, strict=True):
            person.answer(question, answer)
        code = person.end()

    assert code == 0, person.shown
    document = written(assistant)
    (project,) = document["projects"]
    assert (project["repository"]["base"], project["verify"]["test"], project["name"]) == ("next", "true", "mine")
    assert (project["verify"]["sandbox"], document["llm"]["enabled"]) == ("none", True)


def test_nothing_is_asked_that_a_flag_gave(assistant: Assistant) -> None:
    given = [word for flag in FLAGS.items() for word in flag]
    with terminal(assistant.folder, *given, "--llm", "--bare-tests") as person:
        code = person.end()

    assert code == 0, person.shown
    assert not [question for question in QUESTIONS if question in person.shown]
    assert written(assistant)["projects"][0]["name"] == "mine"


def test_yes_asks_nothing(assistant: Assistant) -> None:
    with terminal(assistant.folder, "--yes") as person:
        person.end()

    assert not [question for question in QUESTIONS if question in person.shown]
    assert written(assistant)["llm"]["enabled"] is False


def test_a_wrong_answer_is_explained_and_asked_again(assistant: Assistant) -> None:
    given = [word for flag in FLAGS.items() if flag[0] != "--base" for word in flag]
    with terminal(assistant.folder, *given, "--llm", "--bare-tests") as person:
        person.answer("Its base branch", "nope")
        person.answer("Its base branch", "main")
        code = person.end()

    assert code == 0, person.shown
    assert "there is no branch 'nope' (there are: main)" in person.shown


def test_among_several_tables_the_best_is_offered_and_another_can_be_chosen(assistant: Assistant) -> None:
    assistant.table = "other"
    assistant.record(ERROR)
    given = [word for flag in FLAGS.items() for word in flag]
    with terminal(assistant.folder, *given, "--llm", "--bare-tests") as person:
        person.answer("Its table of tasks [task runs]", "other")
        code = person.end()

    assert code == 0, person.shown
    assert written(assistant)["projects"][0]["telemetry"]["table"] == "other"


def test_a_hostile_name_does_not_act_on_the_terminal_where_it_is_offered(assistant: Assistant) -> None:
    assistant.database = assistant.database.rename(assistant.database.with_name("x\x1b]0;title\x07\x1b[2J.db"))
    with terminal(assistant.folder) as person:
        for question in QUESTIONS:
            person.answer(question, ENTER)
        person.end()

    assert written(assistant)["projects"][0]["telemetry"]["path"] == str(assistant.database)
    assert not re.search(r"\x1b\]|\x07|\x1b\[2J", person.shown)


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["interrupt", "end of file"])
@pytest.mark.parametrize("place", range(len(QUESTIONS)))
def test_who_breaks_off_at_any_question_leaves_nothing_behind(assistant: Assistant, key: str, place: int) -> None:
    before = sorted(assistant.folder.rglob("*"))
    with terminal(assistant.folder) as person:
        for question in QUESTIONS[:place]:
            person.answer(question, ENTER)
        person.break_off(key, at=QUESTIONS[place])
        code = person.end()

    assert code == 130, person.shown
    assert "nothing was written" in person.shown
    assert sorted(assistant.folder.rglob("*")) == before


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_where_there_is_a_sandbox_nobody_is_asked_to_do_without(assistant: Assistant) -> None:
    with terminal(assistant.folder, sandbox=True) as person:
        for question in QUESTIONS:
            if "no sandbox" not in question:
                person.answer(question, ENTER)
        code = person.end()

    assert code == 0, person.shown
    assert written(assistant)["projects"][0]["verify"]["sandbox"] == "auto"
