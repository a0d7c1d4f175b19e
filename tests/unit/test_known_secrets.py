"""What the configuration holds is known wherever this process says something, the App's private key too."""

import random
import string
from pathlib import Path

import pytest
import typer

from selfimprover.bootstrap import open_app as load_app
from selfimprover.cli import secrets
from selfimprover.cli.handler import handled
from selfimprover.cli.opening import open_app
from selfimprover.redaction import Redactor, secrets_of_key

LINES = ["".join(random.Random(seed).choices(string.ascii_letters + "+/", k=64)) for seed in range(12)]
PEM = "\n".join(["-----BEGIN RSA PRIVATE " + "KEY-----", *LINES, "aGVsbG8=", "-----END RSA PRIVATE " + "KEY-----", ""])
WEBHOOK = "https://hooks.example.org/plain-word-in-a-path"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "app.pem").write_text(PEM)
    file = tmp_path / "config.toml"
    file.write_text(
        f'[state]\ndir = "{tmp_path}/state"\n[github]\napp_id = 1\ninstallation_id = 2\nprivate_key_file = "app.pem"\n'
        f'[notify]\nwebhook = "{WEBHOOK}"\n'
    )
    return file


@pytest.mark.parametrize("shown", [LINES[3], LINES[0] + LINES[1], PEM, repr(PEM), f"{LINES[5][:30]}\n{LINES[5][30:]}"])
def test_no_line_of_the_private_key_is_shown(config: Path, shown: str) -> None:
    cleaned = load_app(config).redactor(b"key")(f"cannot read {shown} here")

    assert [line for line in LINES if line[:20] in cleaned or line[-20:] in cleaned] == []


def test_a_private_key_that_cannot_be_read_is_no_secret_and_no_error(config: Path) -> None:
    (config.parent / "app.pem").unlink()

    assert load_app(config).secrets() == (WEBHOOK, "plain-word-in-a-path")


@pytest.mark.parametrize("text", ["", "no key at all", "-----BEGIN X-----\n-----END X-----"])
def test_what_is_no_key_has_no_secrets(text: str) -> None:
    assert secrets_of_key(text) == ()


def test_short_rests_of_a_key_are_left_alone() -> None:
    assert Redactor(b"key", secrets_of_key(PEM))("aGVsbG8= is hello") == "aGVsbG8= is hello"


def test_the_last_line_of_a_command_hides_what_the_configuration_holds(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @handled
    def command(*, early: bool) -> None:
        if not early:
            open_app(config)
        raise ValueError(f"no answer from {WEBHOOK} with {LINES[2]}")

    for early, hidden in ((False, True), (True, False)):
        with pytest.raises(typer.Exit):
            command(early=early)
        assert ("plain-word" not in capsys.readouterr().err) is hidden


def test_a_new_command_knows_nothing_of_the_last_one() -> None:
    secrets.learn(["a-word-of-its-own"])
    assert "a-word" not in secrets.hide("a-word-of-its-own")

    secrets.forget()

    assert secrets.hide("a-word-of-its-own") == "a-word-of-its-own"
