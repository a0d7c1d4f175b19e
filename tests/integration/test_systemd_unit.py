"""The systemd unit: hardened as far as it can be, and in step with the program that it starts."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfimprover.errors import BusyError, UsageError
from selfimprover.settings import load

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "selfimprover.service"
README = (FOLDER / "README.md").read_text()
EXPOSURE = 2.5
PATIENCE = 60.0

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing (Debian package systemd)"
)


def values(key: str) -> list[str]:
    """What the unit says for a key, line by line."""
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text().replace("\\\n", " "), re.MULTILINE)


def analyze(*arguments: str, units: Path) -> str:
    """What systemd-analyze prints, with the units of this folder before the system's own."""
    path = {"SYSTEMD_UNIT_PATH": f"{units}:/lib/systemd/system:/usr/lib/systemd/system", "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["systemd-analyze", *arguments], check=False, capture_output=True, text=True, env={**os.environ, **path}
    )
    return done.stdout + done.stderr


@pytest.fixture
def units(tmp_path: Path) -> Path:
    shutil.copy(UNIT, tmp_path)
    return tmp_path


@needs_systemd
def test_the_unit_has_no_fault(units: Path) -> None:
    assert analyze("verify", str(units / UNIT.name), units=units) == ""


@needs_systemd
@pytest.mark.parametrize("number", [0, 1])
def test_the_drop_ins_of_the_readme_have_no_fault(units: Path, number: int) -> None:
    folder = units / f"{UNIT.name}.d"
    folder.mkdir()
    (folder / "access.conf").write_text(re.findall(r"```ini\n(.*?)```", README, re.DOTALL)[number])

    assert analyze("verify", str(units / UNIT.name), units=units) == ""


@needs_systemd
def test_a_fault_of_a_unit_is_seen(units: Path) -> None:
    with (units / UNIT.name).open("a") as file:
        file.write("Misspelt=yes\n")

    assert "Misspelt" in analyze("verify", str(units / UNIT.name), units=units)


@needs_systemd
def test_the_service_is_exposed_no_more_than_a_sandbox_inside_it_needs(units: Path) -> None:
    told = analyze("security", "--offline=true", str(units / UNIT.name), units=units)

    overall = re.search(r"Overall exposure level for selfimprover.service: ([\d.]+)", told)
    assert overall, told
    assert float(overall[1]) <= EXPOSURE
    assert f"says {overall[1]}" in README


def test_it_is_not_restarted_where_a_restart_mends_nothing() -> None:
    assert values("RestartPreventExitStatus") == [f"{UsageError.exit_code} {BusyError.exit_code}"]


def test_its_user_is_the_one_that_is_made_and_lives_in_the_state_folder() -> None:
    entry = shlex.split((FOLDER / "selfimprover.sysusers").read_text(), comments=True)

    assert [entry[1]] == values("User") == values("Group")
    assert [entry[4]] == [f"/var/lib/{name}" for name in values("StateDirectory")]


def test_its_state_folder_is_the_one_that_the_readme_writes_into_the_configuration() -> None:
    (name,) = values("StateDirectory")

    assert f'dir = "/var/lib/{name}"' in README


def test_every_credential_of_the_unit_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_text("")
    names = [value.split(":")[0] for value in values("LoadCredential")]
    for name in names:
        (tmp_path / name).write_text(f"https://{name}.example\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    settings, _ = load(config)

    assert sorted(settings.secrets()) == sorted(f"https://{name}.example" for name in names)
    assert all(f"selfimprover.{name}" in README for name in names)


def test_a_credential_that_does_not_exist_keeps_nothing_from_starting() -> None:
    sources = [value.split(":")[1] for value in values("LoadCredential")]

    assert sources
    assert not any("/" in source for source in sources), "systemd refuses to start where a whole path is missing"


class Daemon:
    """The unit's own command lines with this interpreter's program, and systemd's end of the notify socket."""

    def __init__(self, folder: Path) -> None:
        (folder / "config.toml").write_text(
            f'[state]\ndir = "{folder}/state"\n[schedule]\ncatch_up = "1s"\n[llm]\nenabled = false\n'
            f'[[projects]]\nname = "app"\ntelemetry.path = "{folder}/tasks.db"\n'
            f'repository = {{ forge = "local", path = "{folder}" }}\n'
        )
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._socket.settimeout(PATIENCE)
        (line,) = values("ExecStart")
        line = line.replace("/opt/selfimprover/bin/selfimprover", f"{sys.prefix}/bin/selfimprover")
        line = line.replace("/etc/selfimprover/config.toml", f"{folder}/config.toml")
        self.process = subprocess.Popen(
            shlex.split(line), env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}, stderr=subprocess.DEVNULL
        )

    def hear(self, word: str) -> str:
        """Waits for a message with this in it."""
        while word not in (message := self._socket.recv(1 << 16).decode()):
            pass
        return message

    def reload(self) -> None:
        """Does what ``systemctl reload`` does."""
        (line,) = values("ExecReload")
        subprocess.run(shlex.split(line), check=True, env={**os.environ, "MAINPID": str(self.process.pid)})

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._socket.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with contextlib.closing(Daemon(tmp_path)) as one:
        yield one


def _blocks(pid: int, which: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = re.search(r"^SigBlk:\s*([0-9a-f]+)", status, re.MULTILINE)
    return mask is not None and bool(int(mask[1], 16) >> (which - 1) & 1)


def test_a_signal_during_the_start_waits_and_is_heard(daemon: Daemon) -> None:
    while not _blocks(daemon.process.pid, signal.SIGUSR1):
        assert daemon.process.poll() is None
    daemon.process.send_signal(signal.SIGUSR1)

    daemon.hear("READY=1")
    daemon.hear("STATUS=a night is on")
    assert daemon.process.poll() is None


def test_reload_and_stop_reach_the_daemon(daemon: Daemon) -> None:
    daemon.hear("READY=1")

    daemon.reload()
    daemon.hear("RELOADING=1")
    daemon.hear("READY=1")

    daemon.process.terminate()
    daemon.hear("STOPPING=1")
    assert daemon.process.wait(PATIENCE) == 0
