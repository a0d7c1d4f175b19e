"""The daemon as a process: real signals, real locks, real children, and a systemd that is a real socket."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from selfimprover.daemon.systemd import notify
from tests.place import BUG, Place

LONG_AGO = timedelta(hours=22)
"""A night that is this old is not caught up with any more."""
JUST_NOW = timedelta(minutes=5)
PATIENCE = 30.0


def hour(ago: timedelta) -> str:
    """The wall clock's time (UTC) some time ago, for ``[schedule] at``."""
    return f"{datetime.now(UTC) - ago:%H:%M}"


def until(condition: Callable[[], Any], what: str = "") -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"it did not happen: {what}")


class Systemd:
    """The end of ``NOTIFY_SOCKET`` that systemd has."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.path = path
        self.heard: list[str] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while message := self._socket.recv(4096).decode():
            self.heard.append(message)

    def hears(self, text: str) -> str:
        return str(until(lambda: next((one for one in self.heard if text in one), None), text))

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self.path))
        self._thread.join()
        self._socket.close()


class Daemon:
    """A running ``selfimprover run``."""

    def __init__(self, place: Place, systemd: Systemd, **environment: str) -> None:
        self.place = place
        self.systemd = systemd
        self.log = place.folder / "daemon.log"
        keep = ("env", "--block-signal=USR1", "--block-signal=HUP")
        command = (*keep, sys.executable, "-m", "selfimprover", "run", "--config", str(place.config))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stderr=log,
                stdout=log,
                env={**os.environ, "NOTIFY_SOCKET": str(systemd.path), **environment},
            )

    def ready(self) -> "Daemon":
        self.systemd.hears("READY=1")
        self.told("check.ended")
        return self

    def is_python(self) -> bool:
        """Whether it is past the command that blocks the signals."""
        line = Path(f"/proc/{self.process.pid}/cmdline").read_bytes()
        return b"selfimprover" in line and b"block-signal" not in line

    def told(self, event: str) -> dict[str, Any]:
        found = until(lambda: [line for line in self.lines() if line["event"] == event], event)
        return dict(found[-1])

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]

    def count(self, event: str) -> int:
        return sum(line["event"] == event for line in self.lines())

    def send(self, *signals: signal.Signals) -> None:
        for one in signals:
            self.process.send_signal(one)

    def stop(self) -> int:
        self.send(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.configure(at=hour(LONG_AGO))
    made.database.unlink()
    made.record(BUG, BUG, before=datetime.now(UTC))
    return made


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    made = Systemd(tmp_path / "notify")
    yield made
    made.close()


@contextmanager
def running(place: Place, systemd: Systemd, **environment: str) -> Iterator[Daemon]:
    daemon = Daemon(place, systemd, **environment)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.wait()


def nights(place: Place) -> list[tuple[str, str, int]]:
    """Key, status and tries of every night of the ledger."""
    connection = sqlite3.connect(place.folder / "state" / "memory.db")
    try:
        return list(connection.execute("SELECT key, status, tries FROM night ORDER BY started"))
    finally:
        connection.close()


def status(place: Place) -> tuple[int, dict[str, Any]]:
    result = place.run("status", "--json")
    return result.exit_code, json.loads(result.stdout)


# --- life


def test_a_systemd_that_does_not_listen_is_no_reason_to_stop(tmp_path: Path) -> None:
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind(str(tmp_path / "deaf"))
    deaf.setblocking(False)
    mute = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    mute.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            mute.sendto(b"x", str(tmp_path / "deaf"))

    assert notify("READY=1", environment={"NOTIFY_SOCKET": str(tmp_path / "deaf")}) is False
    mute.close()
    deaf.close()


def test_it_tells_systemd_all_its_life(place: Place, systemd: Systemd) -> None:
    with running(place, systemd, WATCHDOG_USEC="200000") as daemon:
        daemon.ready()
        line = systemd.hears("STATUS=next night ")
        systemd.hears("WATCHDOG=1")
        assert daemon.stop() == 0
        systemd.hears("STOPPING=1")

    at = hour(LONG_AGO)
    assert line == f"STATUS=next night {at} UTC ({at}Z); last: none yet"


def test_the_status_tells_a_dead_daemon_from_a_quiet_night(place: Place, systemd: Systemd) -> None:
    code, told = status(place)
    assert (code, told["running"], told["problems"]) == (1, False, ["no daemon is running", "no night has ended yet"])

    with running(place, systemd) as daemon:
        daemon.ready()
        assert place.run("trigger", "--wait").exit_code == 0
        code, told = status(place)
        assert (code, told["running"], told["healthy"], told["pid"]) == (0, True, True, daemon.process.pid)
        assert told["last_night"]["findings"] == 1
        assert [one["part"] for one in told["check"]][:2] == ["config", "state"]
        daemon.process.kill()
        daemon.process.wait()
        code, told = status(place)

    assert (code, told["running"], told["problems"]) == (1, False, ["no daemon is running"])


def test_a_silence_of_more_than_26_hours_is_a_problem(place: Place, systemd: Systemd) -> None:
    with running(place, systemd) as daemon:
        daemon.ready()
        place.run("trigger", "--wait")
        connection = sqlite3.connect(place.folder / "state" / "memory.db")
        with connection:
            connection.execute("UPDATE night SET ended = ?", ((datetime.now(UTC) - timedelta(hours=27)).isoformat(),))
        connection.close()

        code, told = status(place)

    assert (code, told["running"]) == (1, True)
    assert told["problems"] == ["no night has ended for 27 hours"]


def test_a_missed_night_is_held_once_at_the_start(place: Place, systemd: Systemd) -> None:
    place.configure(at=hour(JUST_NOW))
    for _ in range(2):
        systemd.heard.clear()
        with running(place, systemd) as daemon:
            daemon.ready()
            daemon.told("night.ended")
            time.sleep(0.5)
            assert daemon.stop() == 0

    assert [status for _, status, _ in nights(place)] == ["ended"]


def test_a_second_instance_exits_75_and_leaves_the_first_alone(place: Place, systemd: Systemd) -> None:
    with running(place, systemd) as daemon:
        daemon.ready()
        command = [sys.executable, "-m", "selfimprover", "run", "--config", str(place.config)]
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)

        assert second.returncode == 75
        assert f"the daemon holds it (process {daemon.process.pid})" in second.stderr
        assert len(second.stderr.splitlines()) == 1
        assert daemon.stop() == 0


def test_a_project_that_is_wrong_is_no_reason_not_to_start(place: Place, systemd: Systemd) -> None:
    place.database.unlink()
    with running(place, systemd) as daemon:
        daemon.ready()
        failed = daemon.told("check.failed")
        _, told = status(place)

    assert failed["part"] == "telemetry of app"
    assert [one["part"] for one in told["check"] if not one["ok"]] == ["telemetry of app"]


def test_a_wrong_configuration_is_exit_2_in_one_line(place: Place) -> None:
    place.config.write_text(place.config.read_text().replace("mode =", "moode ="))
    command = [sys.executable, "-m", "selfimprover", "run", "--config", str(place.config)]

    failed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert failed.returncode == 2
    assert "did you mean 'mode'?" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


# --- signals


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6])
def test_a_trigger_while_it_starts_never_kills_and_is_not_lost(place: Place, systemd: Systemd, delay: float) -> None:
    with running(place, systemd) as daemon:
        until(daemon.is_python)
        time.sleep(delay)
        daemon.send(signal.SIGUSR1)
        daemon.told("night.ended")
        assert daemon.stop() == 0

    assert len(nights(place)) == 1


def test_triggers_during_a_night_are_exactly_one_more(place: Place, systemd: Systemd) -> None:
    place.configure(at=hour(LONG_AGO), test="sleep 1 && python -m unittest -q")
    with running(place, systemd) as daemon:
        daemon.ready()
        daemon.send(signal.SIGUSR1)
        until(lambda: daemon.count("night.started") == 1)
        for _ in range(6):
            daemon.send(signal.SIGUSR1)
            time.sleep(0.02)
        until(lambda: daemon.count("night.ended") == 2)
        time.sleep(0.5)
        assert daemon.stop() == 0

    assert [status for _, status, _ in nights(place)] == ["ended", "ended"]


def test_a_reload_takes_a_good_configuration_and_refuses_a_wrong_one(place: Place, systemd: Systemd) -> None:
    with running(place, systemd) as daemon:
        daemon.ready()
        good = place.config.read_text()
        place.config.write_text(good.replace("mode =", "moode ="))
        daemon.send(signal.SIGHUP)
        refused = daemon.told("config.refused")
        systemd.hears("RELOADING=1")
        systemd.hears("configuration refused")
        _, told = status_of(place, good)
        assert "did you mean 'mode'?" in refused["what"]
        assert "did you mean 'mode'?" in told["config_refused"]

        place.config.write_text(good.replace('at = "', 'at = "23:59"\n# "'))
        daemon.send(signal.SIGHUP)
        daemon.told("config.loaded")
        systemd.hears("STATUS=next night 23:59 UTC (23:59Z)")
        _, told = status(place)
        assert told["config_refused"] is None
        assert daemon.stop() == 0


def status_of(place: Place, configuration: str) -> tuple[int, dict[str, Any]]:
    """The status, asked for under another configuration than the daemon was last told to load."""
    wrong = place.config.read_text()
    place.config.write_text(configuration)
    try:
        return status(place)
    finally:
        place.config.write_text(wrong)


def test_a_stop_in_the_middle_leaves_no_child_and_the_night_is_taken_up_again(place: Place, systemd: Systemd) -> None:
    marker = place.folder / "child"
    slow = f"sh -c 'echo $$ > {marker}; trap : TERM; sleep 300 & wait; sleep 300'"
    place.configure(at=hour(JUST_NOW), test=slow)
    with running(place, systemd) as daemon:
        child = int(until(lambda: marker.exists() and marker.read_text().strip()))
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 15
        assert not Path(f"/proc/{child}").exists()
        daemon.told("night.interrupted")

    ((key, state, tries),) = nights(place)
    assert (state, tries) == ("running", 0), "a stop is no failed try"
    place.configure(at=hour(JUST_NOW + timedelta(minutes=1)))
    with running(place, systemd) as daemon:
        until(lambda: nights(place) == [(key, "ended", 1)])
        assert daemon.stop() == 0


def test_a_second_signal_waits_for_nothing(place: Place, systemd: Systemd) -> None:
    marker = place.folder / "child"
    place.configure(at=hour(JUST_NOW), test=f"touch {marker}; sleep 300")
    with running(place, systemd) as daemon:
        until(marker.exists)
        daemon.send(signal.SIGTERM)
        time.sleep(0.2)
        began = time.monotonic()
        daemon.send(signal.SIGTERM)
        assert daemon.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 4


def test_after_a_kill_in_the_middle_the_night_is_resumed_and_not_repeated(place: Place, systemd: Systemd) -> None:
    marker = place.folder / "child"
    place.configure(at=hour(JUST_NOW), test=f"touch {marker}; sleep 300")
    with running(place, systemd) as daemon:
        until(marker.exists)
        daemon.process.kill()
        daemon.process.wait()
    ((key, _, _),) = nights(place)

    place.configure(at=hour(JUST_NOW))
    for _ in range(2):
        with running(place, systemd) as daemon:
            until(lambda: nights(place) == [(key, "ended", 2)])
            time.sleep(0.5)
            assert daemon.stop() == 0

    assert nights(place) == [(key, "ended", 2)]


def test_a_person_may_publish_and_dismiss_beside_it(place: Place, systemd: Systemd) -> None:
    with running(place, systemd) as daemon:
        daemon.ready()
        place.run("trigger", "--wait")
        (finding,) = json.loads(place.run("findings", "list", "--json").stdout)
        published = place.run("findings", "publish", finding["id"])
        assert daemon.stop() == 0

    assert published.exit_code == 0, published.stderr
    assert "refs/heads/selfimprover/fix-" in place.git("for-each-ref")


def test_nobody_is_signalled_who_does_not_hold_the_folder(place: Place, systemd: Systemd) -> None:
    assert place.run("trigger").exit_code == 1

    with running(place, systemd) as daemon:
        daemon.ready()
        lock = place.folder / "state" / "lock"
        lock.write_text(f"{os.getpid()} daemon\n")  # as if it were a number of another container
        lied = place.run("trigger")

    assert lied.exit_code == 1
    assert "cannot be reached from here" in lied.stderr


# --- logs and news


class Listener(ThreadingHTTPServer):
    """Hears heartbeats and webhooks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[str, str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        assert isinstance(self.server, Listener)
        self.server.heard.append((self.command, self.path, json.loads(body) if body else None))
        self.send_response(500 if "broken" in self.path else 200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while "endless" in self.path:
                self.wfile.write(bytes(1 << 16))
            while "dripping" in self.path:
                self.wfile.write(b"x")
                time.sleep(0.2)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_finished_night_beats_and_the_webhook_hears_only_news(
    place: Place, systemd: Systemd, listener: Listener
) -> None:
    notify = f'[notify]\nheartbeat_url = "{listener.url}/beat"\nwebhook = "{listener.url}/news"\n'
    place.configure(at=hour(LONG_AGO), extra=notify)
    with running(place, systemd) as daemon:
        daemon.ready()
        for _ in range(2):
            place.run("trigger", "--wait")
        assert daemon.stop() == 0

    assert [(method, path) for method, path, _ in listener.heard] == [
        ("GET", "/beat"),
        ("POST", "/news"),
        ("GET", "/beat"),
    ]
    (text,) = [body["text"] for _, _, body in listener.heard if body]
    assert "1 finding" in text
    assert "proven and held back" in text
    assert "selfimprover findings publish" in text


def test_every_line_is_json_names_its_night_and_finding_and_tells_no_secret(
    place: Place, systemd: Systemd, listener: Listener
) -> None:
    secret = "broken-T0ken-of-the-hook"
    place.configure(at=hour(LONG_AGO), extra=f'[notify]\nwebhook = "{listener.url}/{secret}"\n')
    with running(place, systemd, MY_API_KEY="sk-very-secret-value-123") as daemon:
        daemon.ready()
        place.run("trigger", "--wait")
        assert daemon.stop() == 0

    text = daemon.log.read_text()
    assert secret not in text
    assert "sk-very-secret" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    moved = [line for line in lines if line["event"] == "finding.moved"]
    assert [(line["before"], line["after"]) for line in moved] == [("found", "verified")]
    assert all(line["night"] and line["finding"] for line in moved)
    assert all(line["night"] for line in lines if line["event"] in {"night.started", "night.step", "night.ended"})
    assert [line["status"] for line in lines if line["event"] == "notify.failed"] == [500]


# --- what a review found


def test_a_memory_that_was_damaged_between_the_nights_is_restored_for_the_next(place: Place, systemd: Systemd) -> None:
    with running(place, systemd) as daemon:
        daemon.ready()
        place.run("trigger", "--wait")
        memory = place.folder / "state" / "memory.db"
        memory.write_bytes(b"\xa5" * 100 + memory.read_bytes()[100:])

        assert place.run("trigger", "--wait").exit_code == 0
        assert daemon.stop() == 0

    assert "restored from" in place.run("memory", "export").stdout


def test_a_night_of_another_time_zone_is_resumed_once(place: Place, systemd: Systemd) -> None:
    marker = place.folder / "child"
    place.configure(at=hour(JUST_NOW), test=f"touch {marker}; sleep 300")
    with running(place, systemd) as daemon:
        until(marker.exists)
        daemon.process.kill()
        daemon.process.wait()
    ((key, _, _),) = nights(place)
    place.configure(at=hour(JUST_NOW))
    far = "Pacific/Kiritimati" if datetime.now(UTC).hour >= 10 else "Pacific/Pago_Pago"
    place.config.write_text(place.config.read_text().replace('"UTC"', f'"{far}"'))

    with running(place, systemd) as daemon:
        until(lambda: (key, "ended", 2) in nights(place))
        time.sleep(1)
        assert daemon.stop() == 0

    assert len(nights(place)) <= 2


@pytest.mark.parametrize("late", [signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3])
def test_a_signal_after_the_stop_does_not_spoil_it(
    place: Place, systemd: Systemd, late: signal.Signals, delay: float
) -> None:
    with running(place, systemd) as daemon:
        daemon.ready()
        daemon.send(signal.SIGTERM)
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            daemon.send(late)
        assert daemon.process.wait(PATIENCE) == 0


def test_telemetry_that_never_answers_does_not_hold_up_the_start(place: Place, systemd: Systemd) -> None:
    connection = sqlite3.connect(place.database)
    connection.executescript(
        "ALTER TABLE tasks RENAME TO real; CREATE VIEW tasks AS"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)"
        " SELECT id, status, error, created_at, traceback FROM real, n;"
    )
    connection.close()
    with running(place, systemd) as daemon:
        systemd.hears("READY=1")
        place.config.write_text(place.config.read_text().replace('path = "tasks.db"', 'path = "none.db"'))
        daemon.send(signal.SIGHUP)
        daemon.told("config.loaded")
        assert daemon.stop() == 0


def test_a_configuration_that_is_reloaded_during_a_night_is_that_of_the_next(place: Place, systemd: Systemd) -> None:
    place.configure(at=hour(LONG_AGO), test="sleep 1 && python -m unittest -q")
    with running(place, systemd) as daemon:
        daemon.ready()
        daemon.send(signal.SIGUSR1)
        until(lambda: daemon.count("night.started") == 1)
        daemon.send(signal.SIGUSR1, signal.SIGHUP)
        until(lambda: daemon.count("night.ended") == 2)
        assert daemon.stop() == 0

    events = [line["event"] for line in daemon.lines()]
    assert events.index("config.loaded") < len(events) - 1 - events[::-1].index("night.begins")


def test_a_log_that_cannot_be_written_does_not_end_it(place: Place, systemd: Systemd) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "selfimprover", "run", "--config", str(place.config)]
        process = subprocess.Popen(command, stderr=full, env={**os.environ, "NOTIFY_SOCKET": str(systemd.path)})
        try:
            systemd.hears("READY=1")
            assert place.run("trigger", "--wait").exit_code == 0
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


def test_a_daemon_whose_lock_was_taken_away_ends(place: Place, systemd: Systemd) -> None:
    with running(place, systemd) as daemon:
        daemon.ready()
        (place.folder / "state" / "lock").unlink()
        daemon.send(signal.SIGUSR1)
        assert daemon.process.wait(PATIENCE) == 75


def test_two_state_folders_with_one_memory_hold_no_night_at_once(
    place: Place, tmp_path: Path, systemd: Systemd
) -> None:
    shared = tmp_path / "shared" / "memory.db"
    shared.parent.mkdir()
    place.configure(at=hour(LONG_AGO), test="sleep 2 && python -m unittest -q")
    text = place.config.read_text() + f'[memory]\nurl = "sqlite:///{shared}"\n'
    place.config.write_text(text)
    place.config.with_name("other.toml").write_text(text.replace('dir = "state"', 'dir = "other"'))
    other = Place.__new__(Place)
    other.__dict__.update(place.__dict__, config=place.config.with_name("other.toml"), folder=tmp_path / "second")
    other.folder.mkdir()
    with running(place, systemd) as one, running(other, systemd) as two:
        for daemon in (one, two):
            daemon.told("check.ended")
            daemon.send(signal.SIGUSR1)
        until(lambda: one.count("night.ended") + two.count("night.ended") == 2)
        assert (one.stop(), two.stop()) == (0, 0)

    ended = sorted(
        line["timestamp"] for daemon in (one, two) for line in daemon.lines() if line["event"] == "night.ended"
    )
    started = sorted(
        line["timestamp"] for daemon in (one, two) for line in daemon.lines() if line["event"] == "night.started"
    )
    assert ended[0] < started[1]


@pytest.mark.parametrize("address", ["broken", "endless", "dripping"])
def test_whatever_hears_the_heartbeat_is_like_the_night_has_ended(
    place: Place, systemd: Systemd, listener: Listener, address: str
) -> None:
    place.configure(at=hour(LONG_AGO), extra=f'[notify]\nheartbeat_url = "{listener.url}/{address}-S3cretS3cret"\n')
    with running(place, systemd) as daemon:
        daemon.ready()
        began = time.monotonic()
        assert place.run("trigger", "--wait").exit_code == 0
        assert time.monotonic() - began < 40
        assert daemon.stop() == 0

    assert "S3cret" not in daemon.log.read_text()
