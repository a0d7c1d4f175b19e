"""The first configuration: whatever the names are, the file says them back, and no name becomes a line of its own."""

import stat
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.errors import UsageError
from selfimprover.settings import Settings, load
from selfimprover.settings.first import Choices, configuration
from selfimprover.settings.model import COLUMNS
from selfimprover.settings.save import save
from selfimprover.settings.toml import toml

CHOICES = Choices(
    state=Path("/var/lib/selfimprover"),
    timezone="Europe/Berlin",
    llm=False,
    name="assistant",
    telemetry=Path("/srv/assistant/tasks.db"),
    table="tasks",
    columns={},
    failed=("failed",),
    repository=Path("/srv/assistant"),
    base="main",
    github="acme/assistant",
    test="pytest -q",
    expose=(Path("/srv/assistant/.venv"),),
    bare_tests=False,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


@settings(deadline=None)
@given(TEXT | st.sampled_from(['"', "\\", '"""', "\x7f", "\r\n", "\x85", "\u2028", "\u202e", "\ufeff", "\U000e0041"]))
def test_any_text_survives_as_toml_on_one_line_that_shows_all_of_it(text: str) -> None:
    written = toml(text)

    assert tomllib.loads(f"x = {written}") == {"x": text}
    assert written.isprintable()


@settings(deadline=None)
@given(st.lists(TEXT, max_size=4))
def test_any_list_survives_as_toml(texts: list[str]) -> None:
    assert tomllib.loads(f"x = {toml(texts)}") == {"x": texts}


@pytest.mark.parametrize("text", ["\ud800", "a\udcff.db"])
def test_what_toml_cannot_say_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="no Unicode text") as caught:
        configuration(replace(CHOICES, telemetry=Path("/srv") / text))

    assert str(caught.value).isprintable()


COMMANDS = TEXT.filter(lambda text: text.strip() != "" and "\0" not in text)


@settings(max_examples=60, deadline=None)
@given(TEXT, st.dictionaries(st.sampled_from(COLUMNS), TEXT), st.lists(TEXT, min_size=1), NAMES, TEXT, COMMANDS)
def test_any_table_column_status_path_branch_and_command_survives_the_round_trip(
    table: str, columns: dict[str, str], failed: list[str], file: str, base: str, test: str
) -> None:
    path = Path("/srv") / file
    chosen = replace(
        CHOICES,
        table=table,
        columns=columns,
        failed=tuple(failed),
        telemetry=path,
        repository=path,
        base=base,
        test=test,
    )

    (project,) = loaded(configuration(chosen)).projects

    assert project.telemetry.table == table
    assert project.telemetry.columns == columns
    assert project.telemetry.failed == tuple(failed)
    assert project.telemetry.path == project.repository.path == path
    assert project.repository.base == base
    assert project.verify.test == test


def test_the_file_says_what_was_chosen_and_observes() -> None:
    settings = loaded(configuration(CHOICES))

    (project,) = settings.projects
    assert settings.publish.mode == "observe"
    assert settings.state.dir == CHOICES.state
    assert str(settings.schedule.timezone) == "Europe/Berlin"
    assert settings.llm.enabled is False
    assert (project.repository.forge, project.repository.name) == ("local", None)
    assert (project.verify.sandbox, project.verify.expose) == ("auto", CHOICES.expose)


def test_bare_tests_and_the_model_are_on_only_where_they_were_chosen() -> None:
    settings = loaded(configuration(replace(CHOICES, bare_tests=True, llm=True)))

    assert settings.projects[0].verify.sandbox == "none"
    assert settings.llm.enabled is True


def test_what_was_not_found_is_a_comment_that_shows_how() -> None:
    text = configuration(replace(CHOICES, test=None, timezone=None, github=None, expose=()))

    settings = loaded(text)
    assert settings.projects[0].verify.test is None
    assert settings.schedule.timezone is None
    assert {'# name = "owner/repo"', "# [projects.telemetry.columns]"} <= set(text.splitlines())
    assert '# test = "pytest -q"' in text
    assert '# timezone = "Europe/Berlin"' in text


def test_what_stands_in_comments_is_valid_where_it_stands() -> None:
    text = configuration(replace(CHOICES, test=None, timezone=None))
    for line in ('forge = "local"\n', 'path = "/srv/assistant"\n'):
        assert text.count(line) == 1
        text = text.replace(line, "")
    shown = ("timezone", "base_url", "model", "[projects.telemetry.columns]", "status", "forge", "name", "test")
    for beginning in shown:
        assert text.count(f"\n# {beginning}") == 1, beginning
        text = text.replace(f"\n# {beginning}", f"\n{beginning}")

    settings = loaded(text)

    (project,) = settings.projects
    assert (project.repository.forge, project.repository.name) == ("github", "acme/assistant")
    assert (project.telemetry.columns, project.verify.test) == ({"status": "state"}, "pytest -q")
    assert settings.llm.base_url
    assert settings.llm.model
    assert settings.schedule.timezone


def test_the_file_appears_whole_for_its_owner_and_group(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "config.toml"

    save("text = 1\n", file)

    assert file.read_text() == "text = 1\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_what_is_there_is_replaced_only_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.symlink_to(tmp_path / "nowhere")

    with pytest.raises(UsageError, match="left as it is"):
        save("text = 1\n", file)
    assert file.is_symlink()

    save("text = 1\n", file, replace=True)
    assert file.read_text() == "text = 1\n"
    assert not file.is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))

    for target in (tmp_path / "folder", tmp_path / "file" / "config.toml", tmp_path / ("x" * 300)):
        with pytest.raises(UsageError, match="it cannot be written") as caught:
            save("text = 1\n", target, replace=True)
        assert caught.value.mend
    assert sorted(tmp_path.rglob("*")) == before


def loaded(text: str) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        file.write_text(text, encoding="utf-8")
        settings, _ = load(file)
    return settings
