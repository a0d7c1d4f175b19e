"""The command line as a user meets it: exit codes, one clear line for every bad input, JSON alone on stdout."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from selfimprover.cli.app import app
from selfimprover.memory.folder import DAEMON, StateFolder
from tests.builders import NIGHT
from tests.place import AT, RUNNER, TEST, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def fails(result: Result, code: int, *words: str) -> None:
    """One clear line on stderr, nothing on stdout, no traceback, the right exit code."""
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr)
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0]


def test_a_night_in_observe_mode_proves_and_writes_nothing_to_the_repository(place: Place) -> None:
    refs = place.git("for-each-ref")

    report = place.night()

    (finding,) = report["findings"]
    assert (finding["state"], finding["triage"], finding["pr_number"]) == ("verified", "fix", None)
    assert place.git("for-each-ref") == refs
    assert place.git("status", "--porcelain") == ""


def test_publish_opens_what_observe_held_back(place: Place) -> None:
    (finding,) = place.night()["findings"]

    result = place.run("findings", "publish", finding["id"][:6], "--json")

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["state"] == "open"
    (pull,) = json.loads(place.run("prs", "--json").stdout)
    assert (pull["finding"], pull["state"], pull["checks"]) == (finding["id"], "open", "passing")
    assert place.git("rev-parse", "--verify", f"refs/heads/{pull['branch']}")


def test_publish_proves_anew_when_the_base_has_moved(place: Place) -> None:
    (finding,) = place.night()["findings"]
    (place.repository / "other.py").write_text("x = 1\n")
    place.git("add", ".")
    place.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "on")

    result = place.run("findings", "publish", finding["id"])

    assert result.exit_code == 0, result.stderr
    (pull,) = json.loads(place.run("prs", "--json").stdout)
    assert place.git("merge-base", "main", pull["branch"]) == place.git("rev-parse", "main")


def test_a_dismissed_finding_is_left_alone(place: Place) -> None:
    (finding,) = place.night()["findings"]

    assert place.run("findings", "dismiss", finding["id"], "--reason", "known and harmless").exit_code == 0

    (again,) = place.night(at="2026-02-16T01:00:00Z")["findings"]
    assert (again["state"], again["reason"]) == ("dismissed", "dismissed: known and harmless")
    fails(place.run("findings", "dismiss", finding["id"], "--reason", "again"), 2, "it is dismissed")
    fails(place.run("findings", "publish", finding["id"]), 2, "no proven fix")


@pytest.mark.parametrize("after_a_night", [False, True])
def test_a_dry_run_leaves_no_trace(place: Place, after_a_night: bool) -> None:
    if after_a_night:
        place.database.rename(place.folder / "later.db")
        place.record("ValueError: once")
        place.night()
        (place.folder / "later.db").replace(place.database)
    before = {path: path.stat().st_mtime_ns for path in place.folder.rglob("*")}

    report = place.night("--dry-run")

    assert [finding["state"] for finding in report["findings"]] == ["drafted"]
    assert report["dry_run"] is True
    assert {path: path.stat().st_mtime_ns for path in place.folder.rglob("*")} == before


@pytest.mark.parametrize("after_a_night", [False, True])
def test_check_writes_nothing_and_says_what_is_wrong(place: Place, after_a_night: bool) -> None:
    if after_a_night:
        place.night()
    before = sorted(place.folder.rglob("*"))
    good = place.run("check", "--json")
    place.configure(test="")
    bad = place.run("check", "--json")

    assert good.exit_code == 0, good.stdout
    assert bad.exit_code == 1
    assert [result["part"] for result in json.loads(bad.stdout) if not result["ok"]] == ["proof of app"]
    assert sorted(place.folder.rglob("*")) == before


def test_the_report_comes_in_every_form(place: Place, tmp_path: Path) -> None:
    place.night()

    assert "Night 2026-02-16" in place.run("report").stdout
    assert place.run("report", "--markdown").stdout.startswith("# Night 2026-02-16")
    assert place.run("report", "--html", str(tmp_path / "r.html")).exit_code == 0
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert json.loads(place.run("report", "--json", "--night", "2026-02-16").stdout)["night"] == "2026-02-16"
    fails(place.run("report", "--night", "2020-01-01"), 2, "no report of night 2020-01-01", "2026-02-16")
    fails(place.run("report", "--json", "--markdown"), 2, "exclude one another")


def test_findings_show_traces_every_number_to_a_query_that_gives_it(place: Place) -> None:
    (finding,) = place.night()["findings"]

    document = json.loads(place.run("findings", "show", finding["id"], "--json").stdout)

    connection = sqlite3.connect(place.database)
    counted = 0
    for query in document["queries"]:
        found = connection.execute(query["sql"], query["parameters"]).fetchall()
        counted += sum(row[-1] for row in found) if query["name"] == "status_counts" else 0
        if query["name"] == "failures":
            assert len(found) == finding["occurrences"]
    connection.close()
    assert counted == document["baseline"]["tasks"] == 4
    assert "+" in document["draft"]["diff"]
    assert [entry["metadata"]["state"] for entry in document["evidence"]] == ["found", "verified"]


def test_before_the_first_night_every_command_says_so(place: Place) -> None:
    assert place.run("findings", "list", "--json").stdout == "[]\n"
    assert place.run("prs", "--json").stdout == "[]\n"
    assert place.run("memory", "export").exit_code == 0
    fails(place.run("report"), 2, "no night has run yet")
    fails(place.run("findings", "show", "abc"), 2, "there is no finding 'abc'")
    assert not (place.folder / "state").exists()


def _corrupt(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100] + os.urandom(8192))


def _with_sql(statement: str, *, fresh: bool = True) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        if fresh:
            path.unlink()
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()

    return spoil


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


SPOILED: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "corrupt": _corrupt,
    "text": lambda path: path.write_text("id,status,error\n" * 100),
    "foreign": _with_sql("CREATE TABLE other (x)"),
    "folder": _folder,
    "fifo": _fifo,
    "column": _with_sql("CREATE TABLE tasks (id, state, error, created_at)"),
    "time": _with_sql("UPDATE tasks SET created_at = '16/02/2026 00:10'", fresh=False),
}


@pytest.mark.parametrize("way", SPOILED)
def test_telemetry_that_cannot_be_read_is_one_clear_line_and_exit_1(place: Place, way: str) -> None:
    other = (
        '\n[[projects]]\nname = "other"\n[projects.telemetry]\npath = "other.db"\n'
        '[projects.repository]\nforge = "local"\npath = "repo"\n'
    )
    shutil.copy(place.database, place.folder / "other.db")
    place.config.write_text(place.config.read_text() + other)
    SPOILED[way](place.database)

    result = place.run("night", "--at", AT, "--json")

    assert result.exit_code == 1
    report = json.loads(result.stdout)
    (error,) = report["errors"]
    assert str(place.database) in error["where"]
    assert error["what"]
    assert error["mend"]
    assert "\n" not in error["what"] + error["mend"]
    assert report["projects"]["app"]["error"]
    assert report["projects"]["other"]["tasks_by_status"]["yesterday"] == {"done": 2, "failed": 2}
    assert "Traceback" not in result.stderr


def test_odd_errors_are_counted_and_nothing_is_lost(place: Place) -> None:
    place.database.unlink()
    place.record(None, None, 42, 42, b"\xff\xfe", b"\xff\xfe", "", "", "x" * 200_000)

    report = place.night()

    assert (
        report["projects"]["app"]["tasks_by_status"]["yesterday"]["failed"]
        + report["projects"]["app"]["tasks_by_status"]["today"].get("failed", 0)
        == 9
    )
    assert sum(top["count"] for top in report["top_errors"]) == 9
    assert all(finding["triage"] in {"fix", "diagnose"} for finding in report["findings"])


def test_a_path_with_strange_characters_opens_that_file_and_no_other(place: Place) -> None:
    place.database.rename(place.folder / "we?ird#%20.db")
    place.config.write_text(place.config.read_text().replace('"tasks.db"', '"we?ird#%20.db"'))
    files = sorted(path.name for path in place.folder.iterdir())

    assert len(place.night()["findings"]) == 1
    assert sorted(path.name for path in place.folder.iterdir() if path.name != "state") == files


def test_an_empty_repository_is_said_and_the_finding_kept(place: Place) -> None:
    shutil.rmtree(place.repository)
    place.repository.mkdir()
    place.git("init", "-q", "-b", "main")

    result = place.run("night", "--at", AT, "--json")

    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [finding["state"] for finding in report["findings"]] == ["found"]
    assert [error["what"] for error in report["errors"]] == ["the repository is empty"]


def test_a_folder_that_is_no_repository_is_said(place: Place) -> None:
    shutil.rmtree(place.repository)

    result = place.run("night", "--at", AT, "--json")

    assert result.exit_code == 1
    assert str(place.repository) in json.loads(result.stdout)["errors"][0]["where"]


def test_a_test_command_that_does_not_exist_parks_with_the_reason(place: Place) -> None:
    place.configure(mode="ready", test="no-such-command")

    (finding,) = place.night()["findings"]

    assert finding["state"] == "parked"
    assert "not found" in finding["reason"]
    assert place.git("for-each-ref", "refs/selfimprover", "refs/heads/selfimprover") == ""


def test_without_a_sandbox_nothing_is_run_and_the_reason_is_told(place: Place) -> None:
    place.config.write_text(place.config.read_text().replace('sandbox = "none"', 'sandbox = "container"'))

    (finding,) = place.night()["findings"]

    assert finding["state"] == "drafted"
    assert "no sandbox" in finding["reason"]


def test_a_state_folder_that_cannot_be_written_is_exit_2(place: Place) -> None:
    (place.folder / "state").write_text("a file in its place")

    fails(place.run("night", "--at", AT), 2, "state folder", "cannot be written", "[state] dir")


def test_a_second_night_beside_a_first_is_exit_75(place: Place) -> None:
    folder = StateFolder(place.folder / "state")
    folder.prepare()
    with folder.lock():
        fails(place.run("night", "--at", AT), 75, "another selfimprover holds it", "wait until it has ended")


def test_a_night_beside_a_daemon_is_exit_75_and_told_to_trigger_it(place: Place) -> None:
    folder = StateFolder(place.folder / "state")
    folder.prepare()
    with folder.lock(DAEMON):
        fails(place.run("night", "--at", AT), 75, "the daemon holds it", "selfimprover trigger")


def test_a_newer_memory_is_refused_and_left_alone(place: Place) -> None:
    place.night()
    connection = sqlite3.connect(place.folder / "state" / "memory.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    fails(place.run("night", "--at", AT), 2, "newer version of selfimprover", "upgrade")
    fails(place.run("findings", "list"), 2, "newer version of selfimprover")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["night", "--at", "yesterday"], "no instant"),
        (["night", "--at", "0001-01-01"], "out of reach"),
        (["night", "--project", "ap"], "known: app"),
        (["findings", "show", "zzz"], "no finding"),
        (["findings", "dismiss", "zzz", "--reason", " "], "reason is empty"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(place: Place, arguments: list[str], words: str) -> None:
    fails(place.run(*arguments), 2, words)


def test_a_wrong_configuration_is_one_line_and_exit_2(place: Place) -> None:
    place.config.write_text("[schedul]\n")

    fails(place.run("night"), 2, "did you mean 'schedule'?")


def test_github_without_a_token_is_said(place: Place) -> None:
    text = place.config.read_text().replace('forge = "local"', 'forge = "github"\nname = "owner/repo"')
    place.config.write_text(text)

    fails(place.run("night", "--at", AT), 2, "neither a token nor an App", "github__token")


def test_an_unexpected_failure_is_one_line_and_exit_3_and_debug_shows_where(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("selfimprover.night.flow.Night.run", broken)

    fails(place.run("night", "--at", AT), 3, "unexpected ZeroDivisionError", "--debug")
    assert "Traceback" in place.run("night", "--at", AT, "--debug").stderr


def test_no_secret_of_the_environment_or_the_telemetry_is_kept_or_shown(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_TOKEN", "correct-horse-battery")
    place.database.unlink()
    error = "ValueError: login correct-horse-battery with ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8 failed"
    place.record(error, error)

    result = place.run("night", "--at", AT, "--json", "--debug")

    (finding,) = json.loads(result.stdout)["findings"]
    everything = result.stdout + result.stderr + place.run("findings", "show", finding["id"], "--json").stdout
    everything += place.run("memory", "export").stdout
    stored = b"".join(path.read_bytes() for path in (place.folder / "state").iterdir() if path.is_file())
    for secret in ("correct-horse-battery", "ghp_a1B2c3D4"):
        assert secret not in everything
        assert secret.encode() not in stored


def test_interrupted_it_says_so_and_goes_on_the_next_time(place: Place) -> None:
    place.configure(mode="ready", test="sleep 30")
    command = [sys.executable, "-m", "selfimprover", "night", "--at", AT, "--config", str(place.config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    memory = place.folder / "state" / "memory.db"
    while process.poll() is None and not _drafted(memory):
        pass
    process.terminate()
    output, errors = process.communicate(timeout=20)

    assert process.returncode == 130, errors
    assert output == ""
    assert "interrupted" in errors
    place.configure(mode="ready")
    assert [finding["state"] for finding in place.night()["findings"]] == ["open"]


def _drafted(memory: Path) -> bool:
    if not memory.exists():
        return False
    connection = sqlite3.connect(memory)
    try:
        return bool(connection.execute("SELECT COUNT(*) FROM draft").fetchone()[0])
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


def test_help_and_version_of_every_command_are_quick_to_reach() -> None:
    for command in (
        [],
        ["demo"],
        ["night"],
        ["report"],
        ["prs"],
        ["check"],
        ["findings"],
        ["memory"],
        ["findings", "show"],
    ):
        assert RUNNER.invoke(app, [*command, "--help"]).exit_code == 0
    assert RUNNER.invoke(app, ["--version"]).stdout.startswith("selfimprover 0.")


def test_heavy_libraries_are_not_loaded_for_help_or_status() -> None:
    program = (
        "import sys; from selfimprover.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'libcst', 'alembic', 'jinja2', 'sqlalchemy', 'aiosqlite'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_an_analyzer_of_somebody_else_is_loaded_from_its_folder_only_when_named(place: Place, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    info = plugin / "foreign_analyzer-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-analyzer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[selfimprover.analyzers]\nslow_days = foreign_analyzer:SlowDays\n")
    (plugin / "foreign_analyzer.py").write_text(FOREIGN)
    marker = tmp_path / "loaded"
    environment = {**os.environ, "PYTHONPATH": str(plugin), "MARKER": str(marker)}
    command = [sys.executable, "-m", "selfimprover", "night", "--at", AT, "--json", "--config", str(place.config)]

    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert not marker.exists()

    place.configure(extra='[analyzers]\nenabled = ["repeated_errors", "slow_days"]\nslow_days = { least = 1 }\n')
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    kinds = {finding["kind"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert marker.read_text() == "1"
    assert kinds["slow_day"]["triage"] == "diagnose"
    assert kinds["slow_day"]["occurrences"] == 4


FOREIGN = '''\
"""An analyzer that imports only what it is allowed to."""

import os
from pathlib import Path

from selfimprover.domain import Baseline, Finding
from selfimprover.interfaces import AnalysisContext, TelemetrySource

Path(os.environ["MARKER"]).write_text("0")


class SlowDays:
    name = "slow_days"
    kind = "slow_day"

    def __init__(self, options):
        Path(os.environ["MARKER"]).write_text(str(options["least"]))

    async def analyze(self, telemetry: TelemetrySource, context: AnalysisContext):
        window = context.calendar.last(context.at, 7)
        (counts,) = await telemetry.task_counts([window])
        fingerprint = context.fingerprinter.named(self.kind, context.project, "slow")
        total = counts.total()
        baseline = Baseline(window=window, kinds=(), tasks=total, failures=0, succeeded=total, daily=())
        return [
            Finding(
                id=fingerprint.value[:12], kind=self.kind, fingerprint=fingerprint, title="A slow day",
                occurrences=counts.total(), first_seen=window.start, last_seen=window.end,
                projects=(context.project,), baseline=baseline, queries=(counts.query,),
            )
        ]
'''


def test_a_retry_that_would_cure_only_some_of_the_failures_is_not_proposed(place: Place) -> None:
    place.database.unlink()
    shutil.rmtree(place.repository)
    (place.folder / "repo").mkdir()
    (place.repository / "net.py").write_text(NET)
    (place.repository / "test_net.py").write_text(
        TEST.replace("agent.Settings().limit", "None").replace("agent", "net")
    )
    place.git("init", "-q", "-b", "main")
    place.git("add", ".")
    place.git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "begin")
    error = "ConnectionRefusedError: [Errno 111] Connection refused"
    place.record(*[error] * 3, columns="id, status, error, created_at, traceback")
    connection = sqlite3.connect(place.database)
    for number, (function, line) in enumerate([("fetch", 5), ("fetch", 5), ("store", 9)]):
        connection.execute("UPDATE tasks SET traceback = ? WHERE id = ?", (_refused(function, line), f"f{number}"))
    healthy = [(f"h{number}", (NIGHT - timedelta(hours=2)).isoformat()) for number in range(20)]
    connection.executemany("INSERT INTO tasks VALUES (?, 'done', NULL, ?, NULL)", healthy)
    connection.commit()

    (mixed,) = place.night()["findings"]
    connection.execute("UPDATE tasks SET traceback = ? WHERE id = 'f2'", (_refused("fetch", 5),))
    connection.commit()
    connection.close()
    shutil.rmtree(place.folder / "state")
    (alike,) = place.night()["findings"]

    assert mixed["state"] == "parked"
    assert "several places" in mixed["reason"]
    assert alike["state"] == "verified"


NET = """\
import socket


def fetch(address):
    return socket.create_connection(address, timeout=1)


def store(address):
    return socket.create_connection(address)
"""


def _refused(function: str, line: int) -> str:
    source = NET.splitlines()[line - 1].strip()
    return (
        f'Traceback (most recent call last):\n  File "/srv/app/net.py", line {line}, in {function}\n    {source}\n'
        '  File "/usr/lib/python3.11/socket.py", line 851, in create_connection\n    raise exceptions[0]\n'
        "ConnectionRefusedError: [Errno 111] Connection refused\n"
    )


def test_what_was_not_proven_has_no_confidence(place: Place) -> None:
    place.configure(test="false")

    (finding,) = place.night()["findings"]

    assert (finding["state"], finding["confidence"]) == ("parked", None)


def test_the_diff_and_the_queries_are_shown_whole_in_a_pipe(place: Place) -> None:
    (finding,) = place.night()["findings"]
    document = json.loads(place.run("findings", "show", finding["id"], "--json").stdout)

    shown = place.run("findings", "show", finding["id"]).stdout

    for line in [*document["draft"]["diff"].splitlines(), *document["queries"][0]["sql"].strip().splitlines()]:
        assert line.rstrip() in shown


def test_somebody_who_may_not_write_the_state_can_read_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.night()
    state = place.folder / "state"
    before = sorted(path.name for path in state.iterdir())
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != state and real(path, mode))

    assert len(json.loads(place.run("findings", "list", "--json").stdout)) == 1
    assert place.run("report").exit_code == 0
    assert place.run("memory", "export").stdout.count("\n") == 2
    assert sorted(path.name for path in state.iterdir()) == before


def test_a_memory_that_is_no_plain_file_is_said(place: Place) -> None:
    (place.folder / "state").mkdir()
    os.mkfifo(place.folder / "state" / "memory.db")

    fails(place.run("night", "--at", AT), 2, "no plain file")


def test_a_full_disk_is_one_line_and_nothing_is_lost(place: Place) -> None:
    place.night()
    command = [sys.executable, "-m", "selfimprover", "night", "--at", "2026-02-16T02:00", "--config", str(place.config)]
    limited = ["sh", "-c", 'ulimit -f 40; exec "$@"', "sh", *command]

    done = subprocess.run(limited, capture_output=True, text=True, check=False)

    assert done.returncode in {1, 2}, done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("selfimprover:")]) <= 1
    assert len(json.loads(place.run("findings", "list", "--json").stdout)) == 1
    assert place.night(at="2026-02-16T03:00")["errors"] == []


def test_a_terminal_that_cannot_show_a_character_is_no_reason_to_fail(place: Place) -> None:
    place.night()
    command = [sys.executable, "-m", "selfimprover", "report", "--config", str(place.config)]

    done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("repeated_errors = { threshold = 2", "repeated_errors = { treshold = 2"), "analyzers"),
        (("python -m unittest", "no-such-runner"), "proof of app"),
    ],
)
def test_check_is_red_where_a_night_would_fail(place: Place, change: tuple[str, str], part: str) -> None:
    place.configure(extra="[analyzers]\nrepeated_errors = { threshold = 2 }\n")
    place.config.write_text(place.config.read_text().replace(*change))

    results = json.loads(place.run("check", "--json").stdout)

    assert [result["part"] for result in results if not result["ok"]] == [part]


def test_telemetry_that_somebody_keeps_locked_is_one_clear_line_and_exit_1(place: Place) -> None:
    holder = sqlite3.connect(place.database, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    result = place.run("night", "--at", AT, "--json")
    holder.execute("ROLLBACK")
    holder.close()

    assert result.exit_code == 1
    (error,) = json.loads(result.stdout)["errors"]
    assert "locked" in error["what"]
    assert error["mend"]
    assert place.night(at="2026-02-16T01:00")["findings"][0]["state"] == "verified"


def test_a_fix_of_a_denied_file_needs_a_person_and_its_diff_is_kept(place: Place) -> None:
    place.config.write_text(place.config.read_text() + '[projects.fix]\ndeny = ["agent.py"]\n')

    (finding,) = place.night()["findings"]

    assert finding["state"] == "parked"
    assert "needs a person" in finding["reason"]
    document = json.loads(place.run("findings", "show", finding["id"], "--json").stdout)
    assert "+++ b/agent.py" in document["draft"]["diff"]


# --- an unfriendly environment


def command(place: Place, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with this environment and no other."""
    full = [sys.executable, "-m", "selfimprover", *arguments, "--config", str(place.config)]
    return subprocess.run(full, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_in_the_locale_c_everything_is_readable(place: Place) -> None:
    done = command(place, "night", "--at", AT, LC_ALL="C", PATH=os.environ["PATH"])

    assert done.returncode == 0, done.stderr
    assert "AttributeError" in done.stdout


def test_a_user_without_a_home_is_told_to_name_the_state_folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.config.write_text(place.config.read_text().replace('[state]\ndir = "state"\n', ""))
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 54321)  # nobody has this number

    fails(place.run("status"), 2, "no home", "[state] dir")


def test_with_an_open_umask_what_it_keeps_is_private(place: Place) -> None:
    full = f"umask 000; exec {sys.executable} -m selfimprover night --at {AT} --config {place.config}"
    subprocess.run(["sh", "-c", full], check=True, capture_output=True, timeout=60)

    state = place.folder / "state"
    kept = [state, *state.rglob("*")]
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("mode", [0o640, 0o644])
def test_secrets_in_a_file_that_everybody_can_read_are_reported(place: Place, mode: int) -> None:
    place.configure(extra='[notify]\nwebhook = "http://127.0.0.1:1/hook"')
    place.config.chmod(mode)

    documents = json.loads(place.run("check", "--json").stdout)

    assert documents[0]["ok"] is (mode == 0o640)
    assert "127.0.0.1:1/hook" not in json.dumps(documents)


def test_an_empty_secret_is_no_secret(place: Place) -> None:
    place.configure(extra='[github]\ntoken = ""')

    fails(place.run("status"), 2, "github.token")
