"""The configuration: defaults as documented, and one clear line for every mistake."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from selfimprover.errors import UsageError
from selfimprover.settings import Llm, load, load_llm

ROOT = Path(__file__).parents[2]
PROJECT = """
[[projects]]
name = "assistant"
[projects.telemetry]
path = "tasks.db"
[projects.repository]
forge = "local"
path = "repo"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_the_example_is_valid_and_shows_the_defaults(tmp_path: Path) -> None:
    example, _ = load(ROOT / "config.example.toml")
    bare, _ = load(write(tmp_path, PROJECT))

    changed = {"projects"}
    for name in set(type(example).model_fields) - changed:
        shown, default = getattr(example, name), getattr(bare, name)
        assert shown == default or name == "analyzers", name
    assert example.analyzers.enabled == bare.analyzers.enabled


def test_the_example_names_every_section_of_the_contract() -> None:
    document = tomllib.loads((ROOT / "config.example.toml").read_text())

    sections = {"state", "schedule", "memory", "publish", "limits", "llm", "github", "analyzers", "notify", "projects"}
    assert set(document) == sections
    assert {"telemetry", "repository", "verify", "fix", "automerge"} <= set(document["projects"][0])


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    settings, _ = load(write(tmp_path, PROJECT))

    assert settings.publish.mode == "observe"
    assert settings.schedule.at == "00:17"
    assert settings.schedule.catch_up == timedelta(hours=20)
    assert settings.limits.findings_per_night == 10
    assert settings.projects[0].verify.sandbox == "auto"
    assert settings.projects[0].verify.memory == 2 << 30
    assert settings.llm.max_tokens_per_night == 200_000


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    settings, _ = load(write(tmp_path, PROJECT + '[projects.verify]\nexpose = ["venv"]\n'))

    assert settings.projects[0].telemetry.path == tmp_path / "tasks.db"
    assert settings.projects[0].verify.expose == (tmp_path / "venv",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[schedul]\n", "did you mean 'schedule'?"),
        ('[schedule]\natt = "1"\n', "schedule.att: 'att' is not known; did you mean 'at'?"),
        ('[schedule]\nat = "25:00"\n', "schedule.at"),
        ("[schedule]\ncatch_up = 3\n", 'such as "30s"'),
        ('[schedule]\ntimezone = "Europ"\n', "there is no time zone 'Europ'"),
        ("[schedule]\ntimezone = 3\n", "Europe/Berlin"),
        ("[llm]\nmax_cost_per_night = 2\n", "price_per_million"),
        ('[publish]\nmode = "yolo"\n', "publish.mode"),
        ('[publish]\nauthor = "me"\n', 'write "Name <address>"'),
        ("[limits]\nopen_pull_requests = -1\n", "limits.open_pull_requests"),
        ("x =\n", "not valid TOML"),
        (PROJECT.replace("path = ", "pat = ", 1), "did you mean 'path'?"),
        (PROJECT.replace('path = "repo"', ""), 'needs path = "/folder'),
        (PROJECT + PROJECT, "two projects are named 'assistant'"),
        (PROJECT.replace('path = "tasks.db"', 'path = "t"\ncolumns = { statu = "x" }'), "did you mean 'status'?"),
        (PROJECT + '[projects.verify]\nmemory = "lots"\n', '"2G"'),
        (PROJECT.replace('name = "assistant"', 'name = "a/b"'), "projects.0.name"),
        ('[memory]\nurl = "nonsense"\n', "memory.url"),
        ('[memory]\nurl = "postgresql://x/y"\n', "memory.url"),
        (PROJECT + '[projects.verify]\ntimeout = "99999999999d"\n', "10 years"),
        (PROJECT + '[projects.verify]\ntimeout = "0s"\n', "1 second"),
        ("[analyzers]\nrepeated_errors = 3\n", "must be a table of options"),
        ("[analyzers]\nmine = { x = 1 }\n", "mine has options but is not in enabled"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_and_where(tmp_path: Path, text: str, expected: str) -> None:
    file = write(tmp_path, text)

    with pytest.raises(UsageError) as caught:
        load(file)

    assert expected in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_no_file_anywhere_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match="no configuration found"):
        load()


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, PROJECT)
    monkeypatch.setenv("SELFIMPROVER_CONFIG", str(file))

    assert load()[1] == file


def test_variables_overlay_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFIMPROVER_LIMITS__OPEN_PULL_REQUESTS", "3")
    monkeypatch.setenv("SELFIMPROVER_PUBLISH__MODE", "draft")

    settings, _ = load(write(tmp_path, PROJECT + '[publish]\nmode = "ready"\nassignee = "a"\n'))

    assert settings.limits.open_pull_requests == 3
    assert (settings.publish.mode, settings.publish.assignee) == ("draft", "a")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("SELFIMPROVER_SCHEDULE__ATT", "SELFIMPROVER_SCHEDULE__AT"), ("SELFIMPROVER_CONFG", "SELFIMPROVER_CONFIG")],
)
def test_a_misspelt_variable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "1")

    with pytest.raises(UsageError, match=f"did you mean '{nearest}'"):
        load(write(tmp_path, PROJECT))


def test_secrets_come_from_files_and_are_known_to_redaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "github__token").write_text("a-secret-token\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    settings, _ = load(write(tmp_path, PROJECT))

    assert settings.secrets() == ("a-secret-token",)
    assert "a-secret-token" not in repr(settings)


def test_a_secret_is_not_shown_in_the_line_of_a_mistake(tmp_path: Path) -> None:
    file = write(tmp_path, "[github]\ntoken = 12345678\n")

    with pytest.raises(UsageError) as caught:
        load(file)

    assert "12345678" not in str(caught.value)


def test_a_home_folder_of_nobody_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names a user that does not exist"):
        load(write(tmp_path, PROJECT.replace('"tasks.db"', '"~no-such-user/tasks.db"')))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("SELFIMPROVER_PUBLISH__LABELS", "foo", "as JSON"), ("SELFIMPROVER_PUBLISH__MODE", "always", "publish__mode")],
)
def test_a_mistake_in_a_variable_is_said_of_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, PROJECT))

    assert str(caught.value).startswith("environment")
    assert words in str(caught.value) or words.upper() in str(caught.value)


def test_projects_cannot_come_from_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFIMPROVER_PROJECTS", "[]")

    with pytest.raises(UsageError, match="is not known"):
        load(write(tmp_path, PROJECT))


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf" + PROJECT.encode())

    assert load(file)[0].projects[0].name == "assistant"


# --- the section [llm] alone


def test_the_model_alone_is_read_whatever_else_is_wrong_in_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[llm]\nmodel = 'm-1'\n[publish]\nmode = 'always'\n[[projects]]\nname = 'x'\n")

    assert load_llm(file) == Llm(model="m-1")


def test_variables_alone_name_a_model_where_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SELFIMPROVER_LLM__MODEL", "m-1")
    monkeypatch.setenv("SELFIMPROVER_LLM__API_KEY", "sk-of-a-test")

    found = load_llm()

    assert found.model == "m-1"
    assert found.api_key is not None
    assert found.api_key.get_secret_value() == "sk-of-a-test"


def test_without_file_and_variables_there_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert load_llm().model is None


def test_the_key_of_the_model_alone_may_be_a_secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llm__api_key").write_text("sk-of-a-test\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    found = load_llm(write(tmp_path, "[llm]\nmodel = 'm-1'\n"))

    assert found.api_key is not None
    assert found.api_key.get_secret_value() == "sk-of-a-test"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[llm]\nmodle = 'm'\n", "did you mean 'model'"),
        ("llm = 3\n", "valid dictionary"),
        ("[llm\n", "not valid TOML"),
    ],
)
def test_a_mistake_about_the_model_alone_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_llm(write(tmp_path, text))

    assert words in str(caught.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_llm(tmp_path / "nowhere.toml")
